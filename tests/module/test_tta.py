"""Views are what their names say, and probabilities, not logits, are averaged."""

import numpy as np
import pytest
import torch

from osteon.backbone import create_backbone
from osteon.config import Backbone, BinarySpec, MulticlassSpec
from osteon.manifest.target import Target
from osteon.model import Model
from osteon.module.tta import averaged, views


def pixels(rows: int = 3, size: tuple[int, int] = (100, 50)) -> torch.Tensor:
    drawn = torch.Generator().manual_seed(1)
    return torch.randint(1, 256, (rows, 1, *size), dtype=torch.uint8, generator=drawn)


def both() -> tuple[torch.Tensor, torch.Tensor]:
    return pixels(1, (64, 64)), pixels(1, (64, 64)).flip(-1)


@pytest.fixture(scope="module")
def model() -> Model:
    torch.manual_seed(0)
    backbone = Backbone(name="test_resnet", pretrained=None, pretrained_path=None, options={})
    parts = {
        "a": (BinarySpec(kind="binary"), Target("a")),
        "b": (MulticlassSpec(kind="multiclass"), Target("b", "multiclass", ("0", "1", "2"))),
    }
    made = Model(create_backbone(backbone, (64, 64), False), parts, {}).eval()
    with torch.no_grad():  # an image's answer lies 4 from its mirror's, around 1: there the two means differ
        logits = torch.cat([made(x)["a"] for x in both()])
        linear = made.heads_by_task["a"].linear
        linear.weight *= 4.0 / (logits[0] - logits[1])  # type: ignore[operator]
        linear.bias += 1.0 - torch.cat([made(x)["a"] for x in both()]).mean()  # type: ignore[operator]
    return made


def test_off_is_one_plain_pass(model: Model) -> None:
    assert len(views([])) == 1
    images = pixels(size=(64, 64))
    with torch.no_grad():
        plain, found = model.decode(model(images)), averaged(model, images, views([]))
    assert np.array_equal(found["a"]["probability"], plain["a"]["probability"])
    assert np.array_equal(found["b"]["probabilities"], plain["b"]["probabilities"])


def test_views_by_their_numbers() -> None:
    assert [len(views([name])) for name in ("flip", "shift", "scale")] == [2, 5, 3]  # type: ignore[list-item]
    assert len(views(["flip", "shift", "scale"])) == 8
    images = pixels()
    plain, mirrored = (view(images) for view in views(["flip"]))
    assert torch.equal(plain, images)
    np.testing.assert_array_equal(mirrored.numpy(), images.numpy()[..., ::-1])


def test_shifts_move_by_two_per_cent_and_bare_zeros() -> None:
    """100 by 50 pixels: two rows, one column."""
    images = pixels()
    _, left, right, up, down = (view(images).numpy() for view in views(["shift"]))
    plain = images.numpy()
    np.testing.assert_array_equal(left[..., :-1], plain[..., 1:])
    np.testing.assert_array_equal(right[..., 1:], plain[..., :-1])
    np.testing.assert_array_equal(up[..., :-2, :], plain[..., 2:, :])
    np.testing.assert_array_equal(down[..., 2:, :], plain[..., :-2, :])
    for bared in (left[..., -1], right[..., 0], up[..., -2:, :], down[..., :2, :]):
        assert not bared.any()


def test_scales_are_opencvs_warp_about_the_centre() -> None:
    import cv2

    smooth = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (64, 96)).astype(np.uint8), (0, 0), 4)
    images = torch.from_numpy(smooth)[None, None]
    for factor, view in zip((0.95, 1.05), views(["scale"])[1:], strict=True):
        centre = np.array([(96 - 1) / 2, (64 - 1) / 2])
        matrix = np.column_stack([factor * np.eye(2), centre - factor * centre])
        expected = cv2.warpAffine(smooth, matrix, (96, 64), flags=cv2.INTER_LINEAR)
        found = view(images)
        assert found.dtype == torch.uint8
        difference = np.abs(found[0, 0].numpy().astype(int) - expected)[4:-4, 4:-4]
        assert difference.max() <= 1
        assert np.abs(smooth.astype(int) - expected)[4:-4, 4:-4].max() >= 4, "the test can fail"


def test_probabilities_are_averaged_not_logits(model: Model) -> None:
    images = pixels(size=(64, 64))
    with torch.no_grad():
        found = averaged(model, images, views(["flip"]))
        logits = [model(images), model(images.flip(-1))]
    p = [1 / (1 + np.exp(-part["a"].double().numpy()[:, 0])) for part in logits]
    np.testing.assert_allclose(found["a"]["probability"], (p[0] + p[1]) / 2, rtol=1e-12)
    of_logits = torch.sigmoid((logits[0]["a"] + logits[1]["a"]).double() / 2)[:, 0].numpy()
    assert np.abs(found["a"]["probability"] - of_logits).max() > 0.03, "the test can fail"
    np.testing.assert_allclose(found["b"]["probabilities"].sum(axis=1), 1.0)
    assert found["b"]["probabilities"].shape == (3, 3)


def test_an_image_and_its_mirror_get_the_same_answer(model: Model) -> None:
    images = pixels(size=(64, 64))
    with torch.no_grad():
        one, two = (averaged(model, x, views(["flip"]))["a"]["probability"] for x in (images, images.flip(-1)))
        plain = averaged(model, images, views([]))["a"]["probability"]
    np.testing.assert_allclose(one, two, rtol=1e-4)
    assert np.abs(one - plain).max() > 0.1, "the test can fail"
