"""Blends: shares of pixels and of losses agree, absent labels stay absent, seeds repeat everything."""

import numpy as np
import pytest
import torch
from scipy.stats import beta, kstest

from osteon.backbone import create_backbone
from osteon.config import Backbone, BinarySpec, MulticlassSpec
from osteon.data import Batch
from osteon.manifest.target import Target
from osteon.model import Labels, Model
from osteon.module.mixing import mix

ROWS = 6


def make_batch(rows: int = ROWS, size: tuple[int, int] = (32, 24)) -> Batch:
    """Image k is the constant 10 k, so that a blend tells of what it was made."""
    images = (torch.arange(rows) * 10).to(torch.uint8)[:, None, None, None].expand(rows, 1, *size).contiguous()
    targets = {"a": (torch.arange(rows) % 2).float(), "b": (torch.arange(rows) % 3).float()}
    present = {"a": torch.arange(rows) != 2, "b": torch.arange(rows) >= 3}
    return Batch(images, torch.arange(rows), targets, present)


def test_off_is_the_batch_itself() -> None:
    batch = make_batch()
    state = torch.get_rng_state()
    blend = mix(batch, 0.0, 0.0)
    assert blend.images is batch.images
    assert [part.share for part in blend.labels] == [1.0]
    assert torch.equal(torch.get_rng_state(), state), "nothing is drawn where nothing is blended"
    assert mix(make_batch(1), 1.0, 1.0).images.tolist() == make_batch(1).images.tolist()


@pytest.mark.parametrize("seed", range(5))
def test_mixup_averages_by_its_share(seed: int) -> None:
    torch.manual_seed(seed)
    batch = make_batch()
    blend = mix(batch, 0.4, 0.0)
    share = blend.labels[0].share
    torch.manual_seed(seed)
    torch.distributions.Beta(*torch.full((2,), 0.4, dtype=torch.float64)).sample()
    partner = torch.randperm(ROWS)
    expected = np.rint(share * 10.0 * np.arange(ROWS) + (1 - share) * 10.0 * partner.numpy())
    np.testing.assert_allclose(blend.images[:, 0, 5, 5], expected, atol=1)
    assert blend.images.dtype == torch.uint8
    assert torch.equal(blend.labels[1].targets["b"], batch.targets["b"][partner])
    assert torch.equal(blend.labels[1].present["b"], batch.present["b"][partner])


@pytest.mark.parametrize("seed", range(12))
def test_cutmix_share_is_the_area_left_to_the_pixel(seed: int) -> None:
    torch.manual_seed(seed)
    blend = mix(make_batch(), 0.0, 1.0)
    first, second = blend.labels
    for row in range(ROWS):
        kept = (blend.images[row, 0] == 10 * row).float().mean().item()
        values = set(blend.images[row].unique().tolist())
        assert len(values) <= 2
        if len(values) == 2:  # else the image was its own partner, or the box has no area
            assert kept == pytest.approx(first.share, abs=1e-6)
            (other,) = values - {10 * row}
            assert second.targets["a"][row] == (other // 10) % 2
            changed = (blend.images[row, 0] != 10 * row).nonzero()
            box = changed.max(dim=0).values - changed.min(dim=0).values + 1
            assert int(box.prod()) == len(changed), "one full rectangle"


def test_shares_follow_the_beta_distribution() -> None:
    torch.manual_seed(0)
    shares = [mix(make_batch(2, (4, 4)), 0.4, 0.0).labels[0].share for _ in range(2000)]
    assert kstest(shares, beta(0.4, 0.4).cdf).pvalue > 0.001
    assert kstest(shares, beta(1.0, 1.0).cdf).pvalue < 1e-6, "the test can fail"


@pytest.mark.parametrize("a", [1e-3, 10.0])
def test_shares_of_odd_shapes_are_numbers(a: float) -> None:
    torch.manual_seed(0)
    shares = np.array([mix(make_batch(2, (4, 4)), a, 0.0).labels[0].share for _ in range(2000)])
    assert ((shares >= 0) & (shares <= 1)).all()


def test_with_both_a_coin_chooses() -> None:
    torch.manual_seed(0)
    pasted = 0
    for _ in range(200):
        blend = mix(make_batch(), 1.0, 1.0)
        pasted += all(int(value) % 10 == 0 for value in blend.images.unique())
    assert 60 <= pasted <= 140


def test_a_seed_repeats_everything() -> None:
    blends = []
    for _ in range(2):
        torch.manual_seed(7)
        blends.append(mix(make_batch(), 0.3, 0.7))
    one, two = blends
    assert torch.equal(one.images, two.images)
    assert [part.share for part in one.labels] == [part.share for part in two.labels]


@pytest.fixture(scope="module")
def model() -> Model:
    torch.manual_seed(0)
    backbone = Backbone(name="test_resnet", pretrained=None, pretrained_path=None, options={})
    parts = {
        "a": (BinarySpec(kind="binary", label_smoothing=0.1), Target("a")),
        "b": (MulticlassSpec(kind="multiclass"), Target("b", "multiclass", ("0", "1", "2"))),
    }
    return Model(create_backbone(backbone, (32, 32), False), parts, {}).eval()


def test_loss_and_count_weigh_each_image_that_is_labelled(model: Model) -> None:
    """Row by row, by hand: share x loss of the first label, if any, + the rest x loss of the second, if any."""
    images = torch.randint(0, 256, (3, 1, 32, 32), dtype=torch.uint8)
    yes, no = torch.tensor([True, True, False]), torch.tensor([True, False, False])
    first, second = torch.tensor([1.0, 2, torch.nan]), torch.tensor([2.0, torch.nan, torch.nan])
    labels = [Labels({"b": first}, {"b": yes}, 0.7), Labels({"b": second}, {"b": no}, 0.3)]
    found = model.blended_losses(images, labels)
    p = model.decode(model(images))["b"]["probabilities"]
    expected = -0.7 * (np.log(p[0, 1]) + np.log(p[1, 2])) - 0.3 * np.log(p[0, 2])
    assert found["b"].total.item() == pytest.approx(expected, rel=1e-5)
    assert found["b"].count.item() == pytest.approx(0.7 * 2 + 0.3)
    assert (found["a"].total.item(), found["a"].count.item()) == (0.0, 0.0)
    for task, count in model.counts(labels).items():
        assert torch.equal(count, found[task].count)


@pytest.mark.parametrize(("mixup", "cutmix"), [(0.0, 0.0), (0.5, 0.0), (0.0, 0.5)])
@pytest.mark.parametrize("number", [1, 2, 3, 4, 9])
def test_parts_add_up_to_the_blend(model: Model, mixup: float, cutmix: float, number: int) -> None:
    torch.manual_seed(1)
    blend = mix(make_batch(size=(32, 32)), mixup, cutmix)
    counts = model.counts(blend.labels)
    whole = model.blended_losses(blend.images, blend.labels)
    expected = torch.autograd.grad(sum(p.total / counts[t] for t, p in whole.items()), list(model.parameters()))
    model.zero_grad()
    for part in blend.parts(number):
        losses = model.blended_losses(part.images, part.labels)
        sum(p.total / counts[t] for t, p in losses.items()).backward()
    torch.testing.assert_close([p.grad for p in model.parameters()], list(expected), atol=1e-6, rtol=1e-3)
    sizes = [len(part.images) for part in blend.parts(number)]
    assert sizes == {1: [6], 2: [3, 3]}.get(number, [2, 2, 2])


def test_plain_losses_are_a_blend_of_share_one(model: Model) -> None:
    batch = make_batch(size=(32, 32))
    plain = model.losses(batch.images, batch.targets, batch.present)
    blended = model.blended_losses(batch.images, mix(batch, 0.0, 0.0).labels)
    assert {t: p.total.item() for t, p in plain.items()} == {t: p.total.item() for t, p in blended.items()}
    assert {t: p.count.item() for t, p in plain.items()} == {"a": 5.0, "b": 3.0}
