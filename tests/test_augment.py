import hashlib
import pickle
import random
import subprocess
import sys
from pathlib import Path

import albumentations as A  # noqa: N812
import cv2
import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from osteon.augment import build_augment
from osteon.config import Augment
from osteon.errors import OsteonError

ROOT = Path(__file__).resolve().parents[1]
NOTHING = dict.fromkeys(Augment.model_fields, 0.0)
FULL = NOTHING | {
    "horizontal_flip": 0.5, "vertical_flip": 0.5, "rotate": 20.0, "translate": 0.1, "scale": 0.2, "shear": 5.0,
    "brightness": 0.2, "contrast": 0.2, "gamma": 0.2, "noise": 0.5, "blur": 0.5, "erase": 0.5,
}  # fmt: skip
SIZE = (60, 80)


def spec(**changed: float) -> Augment:
    return Augment(**(NOTHING | changed))


def picture(size: tuple[int, int] = SIZE) -> np.ndarray:
    """A smooth picture without symmetry, brightest in its first quarter."""
    y, x = np.mgrid[: size[0], : size[1]]
    return (40 + 200 * np.exp(-((y / size[0] - 0.3) ** 2 + (x / size[1] - 0.25) ** 2) * 8)).astype(np.uint8)


def test_same_seed_same_picture_and_another_seed_another() -> None:
    augment = build_augment(Augment(**FULL), SIZE)
    first = [augment(picture(), seed) for seed in range(20)]
    again = [augment(picture(), seed) for seed in reversed(range(20))][::-1]
    np.testing.assert_array_equal(first, again)
    assert len({image.tobytes() for image in first}) == 20


def test_other_processes_and_pickled_copies_draw_the_same() -> None:
    code = (
        "import hashlib, numpy as np; from tests.test_augment import FULL, SIZE, picture;"
        "from osteon.augment import build_augment; from osteon.config import Augment;"
        "a = build_augment(Augment(**FULL), SIZE); np.random.seed(5); a(picture(), 999);"
        "print(hashlib.sha256(b''.join(a(picture(), s).tobytes() for s in (0, 1, 2**63 - 1))).hexdigest())"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    augment = pickle.loads(pickle.dumps(build_augment(Augment(**FULL), SIZE)))
    here = b"".join(augment(picture(), seed).tobytes() for seed in (0, 1, 2**63 - 1))
    assert found.stdout.strip() == hashlib.sha256(here).hexdigest()


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**63 - 1), st.tuples(st.integers(32, 90), st.integers(32, 90)))
def test_shape_and_type_are_kept_and_the_input_is_not_written_to(seed: int, size: tuple[int, int]) -> None:
    image = picture(size)
    image.setflags(write=False)
    changed = build_augment(Augment(**FULL), size)(image, seed)
    assert changed.shape == size
    assert changed.dtype == np.uint8
    np.testing.assert_array_equal(image, picture(size))


def test_all_zero_is_the_identity() -> None:
    image, boxes = picture(), np.array([[1, 2, 3, 4]], np.float32)
    augment = build_augment(spec(), SIZE)
    assert augment(image, 3) is image
    assert augment.with_boxes(image, boxes, 3)[1] is boxes


@pytest.mark.parametrize("name", [name for name in NOTHING if not name.endswith("flip")])
def test_every_key_changes_the_picture_by_itself(name: str) -> None:
    augment = build_augment(spec(**{name: 15.0 if name in ("rotate", "shear") else 0.5}), SIZE)
    assert sum(not np.array_equal(augment(picture(), seed), picture()) for seed in range(20)) >= 4


def test_flips_are_those_of_numpy_and_as_frequent_as_said() -> None:
    for name, flipped in (("horizontal_flip", picture()[:, ::-1]), ("vertical_flip", picture()[::-1])):
        always, sometimes = (build_augment(spec(**{name: p}), SIZE) for p in (1.0, 0.3))
        np.testing.assert_array_equal(always(picture(), 0), flipped)
        share = np.mean([np.array_equal(sometimes(picture(), seed), flipped) for seed in range(1000)])
        assert share == pytest.approx(0.3, abs=0.05)  # 3.5 standard errors


def angles(degrees: float) -> list[float]:
    augment, line = build_augment(spec(rotate=degrees), (101, 101)), np.zeros((101, 101), np.uint8)
    line[48:53] = 255
    found = []
    for seed in range(60):
        ys, xs = np.nonzero(augment(line, seed) > 128)
        found.append(np.degrees(np.arctan(np.polyfit(xs, ys, 1)[0])))
    return found


def test_rotation_stays_within_its_degrees_and_goes_both_ways() -> None:
    found = angles(20.0)
    assert -20.5 < min(found) < -14
    assert 14 < max(found) < 20.5


def test_what_a_warp_bares_is_black() -> None:
    augment, white = build_augment(spec(rotate=40.0, translate=0.2), SIZE), np.full(SIZE, 255, np.uint8)
    corners = np.array([augment(white, seed)[[0, 0, -1, -1], [0, -1, 0, -1]] for seed in range(30)])
    assert (corners == 0).any(axis=1).all()
    # Anything but 0 and 255 lies on the seam between image and border.
    changed = augment(white, 1)
    assert np.isin(changed, (0, 255)).mean() > 0.9


def test_scale_keeps_the_proportions() -> None:
    augment, disc = build_augment(spec(scale=0.3), (101, 101)), np.zeros((101, 101), np.uint8)
    cv2.circle(disc, (50, 50), 25, 255, -1)
    sides = []
    for seed in range(40):
        ys, xs = np.nonzero(augment(disc, seed) > 128)
        sides.append((np.ptp(ys) + 1, np.ptp(xs) + 1))
        assert abs(sides[-1][0] - sides[-1][1]) <= 2
    assert min(sides)[0] < 42
    assert max(sides)[0] > 60


def test_steps_draw_independently() -> None:
    """albumentations' own `set_random_seed` makes the flip tell the gamma (correlation -0.86)."""
    augment = build_augment(spec(horizontal_flip=0.5, gamma=0.2), SIZE)
    draws = []
    for seed in range(500):
        changed = augment(picture(), seed).astype(float)
        draws.append((changed[20, 20] < changed[20, 60], changed.mean()))
    assert abs(np.corrcoef(np.array(draws, float).T)[0, 1]) < 0.15  # 3.3 standard errors


def test_drawn_as_by_albumentations_with_two_fresh_generators() -> None:
    steps = [A.HorizontalFlip(p=0.5), A.RandomGamma(gamma_limit=(80.0, 120.0), p=1.0)]
    reference, augment = A.Compose(steps), build_augment(spec(horizontal_flip=0.5, gamma=0.2), SIZE)
    for seed in range(10):
        reference.set_random_state(np.random.default_rng(seed), random.Random(seed))
        np.testing.assert_array_equal(augment(picture(), seed), reference(image=picture())["image"])


def test_boxes_move_with_the_picture() -> None:
    size = (120, 160)
    augment = build_augment(spec(horizontal_flip=0.5, vertical_flip=0.5, translate=0.1, scale=0.1, gamma=0.2), size)
    image = np.zeros(size, np.uint8)
    image[50:70, 60:100] = 255
    for seed in range(30):
        changed, boxes = augment.with_boxes(image, np.array([[60, 50, 100, 70, 7]], np.float32), seed)
        ys, xs = np.nonzero(changed > 128)
        np.testing.assert_allclose(boxes[0, :4], [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1], atol=2.0)
        assert boxes[0, 4] == 7
        np.testing.assert_array_equal(changed, augment(image, seed))


def test_boxes_outside_the_picture_are_dropped_and_none_are_fine() -> None:
    augment = build_augment(spec(translate=0.5), SIZE)
    corner = np.array([[0, 0, 4, 4, 1]], np.float32)
    kept = [augment.with_boxes(picture(), corner, seed)[1] for seed in range(40)]
    assert {len(boxes) for boxes in kept} == {0, 1}
    assert all(boxes.shape[1] == 5 for boxes in kept)
    assert augment.with_boxes(picture(), np.zeros((0, 4), np.float32), 0)[1].shape == (0, 4)


@pytest.mark.parametrize("image", [picture((50, 80)), picture().astype(np.float32), np.dstack([picture()] * 3)])
def test_another_size_or_type_is_refused(image: np.ndarray) -> None:
    with pytest.raises(OsteonError, match="60x80 uint8"):
        build_augment(Augment(**FULL), SIZE)(image, 0)


def test_an_argument_albumentations_does_not_know_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    genuine = A.HorizontalFlip
    monkeypatch.setattr(A, "HorizontalFlip", lambda p: genuine(p=p, probability=p))
    with pytest.raises(OsteonError, match="'probability' are not valid for transform"):
        build_augment(spec(horizontal_flip=0.5), SIZE)


@pytest.mark.parametrize("path", sorted((ROOT / "conf" / "augment").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_file_builds(path: Path) -> None:
    augment = build_augment(Augment(**yaml.safe_load(path.read_text())), SIZE)
    changed = [not np.array_equal(augment(picture(), seed), picture()) for seed in range(10)]
    assert any(changed) == (path.stem != "none")
