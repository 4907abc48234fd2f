"""Films with and without a finding, drawn from the same seeds, differ by the finding and nowhere else."""

import numpy as np
import pytest

from osteon.phantoms.film import Film, Finding, Subject, film, place
from osteon.phantoms.positions import POSITIONS

SIZE = 128
PARTS = ("elbow", "finger", "forearm", "hand", "humerus", "shoulder", "wrist", "hip", "femur", "knee", "shank")


def pair(part: str, kind: str, number: int, view: str = "frontal") -> tuple[Film, Film, Finding]:
    subject = Subject(part, 100 + number, True)
    finding = place(subject, kind, (view,), np.random.default_rng(number))
    assert finding is not None
    return film(subject, view, SIZE, (1, number)), film(subject, view, SIZE, (1, number), [finding]), finding


def change(whole: Film, broken: Film) -> np.ndarray:
    return np.abs(broken.pixels.astype(float) - whole.pixels.astype(float))


@pytest.mark.parametrize("part", PARTS)
def test_a_fracture_changes_the_film_inside_its_box(part: str) -> None:
    inside, outside = [], []
    for number in range(4):
        whole, broken, _ = pair(part, "fracture", number)
        assert whole.boxes == []
        for x0, y0, x1, y1 in broken.boxes:
            height, width = broken.pixels.shape
            assert 0 <= x0 < x1 <= width
            assert 0 <= y0 < y1 <= height
            assert (x1 - x0) * (y1 - y0) < 0.35 * height * width
            differs = change(whole, broken)
            mask = np.zeros_like(differs, bool)
            mask[int(y0) : int(np.ceil(y1)), int(x0) : int(np.ceil(x1))] = True
            inside.append(differs[mask].mean())
            outside.append(differs[~mask].mean())
    assert len(inside) >= 3, "fractures lie on the film"
    assert np.mean(inside) > 3 * np.mean(outside), "a displaced fragment moves, too"
    assert np.mean(inside) > 4, "grey levels: what nobody can see is no truth"


@pytest.mark.parametrize("part", ["elbow", "forearm", "hand", "humerus", "shoulder", "wrist", "finger"])
def test_hardware_is_the_whitest_thing_on_the_bone(part: str) -> None:
    for number in range(2):
        whole, metal, _ = pair(part, "hardware", number)
        grown = metal.pixels.astype(int) - whole.pixels
        assert (grown > 30).sum() >= 8
        assert metal.pixels[grown > 60].mean() > np.percentile(whole.pixels, 97)


@pytest.mark.parametrize("part", ["elbow", "hand", "shoulder", "wrist"])
def test_wear_changes_the_film_only_near_a_joint(part: str) -> None:
    whole, worn, _ = pair(part, "degenerative", 0)
    differs = change(whole, worn) > 12
    assert 6 <= differs.sum() < 0.12 * differs.size


def test_a_stronger_fracture_changes_more() -> None:
    subject = Subject("hip", 7, True)
    finding = place(subject, "fracture", ("frontal",), np.random.default_rng(2), names="neck")
    assert finding is not None
    whole = film(subject, "frontal", SIZE, (1, 1))
    sums = []
    for strength in (0.0, 0.7, 1.4):
        one = Finding(finding.kind, finding.index, finding.seed, strength, finding.field)
        sums.append(change(whole, film(subject, "frontal", SIZE, (1, 1), [one])).sum())
    assert sums[0] < sums[1] < sums[2]


@pytest.mark.parametrize("part", sorted(POSITIONS))
@pytest.mark.parametrize("view", ["frontal", "oblique", "lateral"])
def test_every_part_is_a_film_in_every_view(part: str, view: str) -> None:
    pixels = film(Subject(part, 5, False), view, SIZE, (9, 9)).pixels
    assert pixels.dtype == np.uint8
    assert max(pixels.shape) == SIZE
    assert pixels.std() > 15, "neither blank nor flat"
    assert (pixels > 90).mean() > 0.02, "bone"


def test_sixteen_bit_films_show_the_same_as_eight_bit_ones() -> None:
    subject = Subject("hip", 3, True)
    eight, sixteen = (film(subject, "frontal", SIZE, (4, 4), bits=bits).pixels for bits in (8, 16))
    assert sixteen.dtype == np.uint16
    assert len(np.unique(sixteen)) > 4 * len(np.unique(eight))
    np.testing.assert_allclose(sixteen / 257, eight, atol=0.51)


def test_sides_are_mirrored() -> None:
    from osteon.phantoms.positions import aim, lay

    _, at = lay("hip", 3, "frontal")
    left, right = (aim("hip", at, "frontal", SIZE, side, np.random.default_rng(0))[0] for side in (True, False))
    np.testing.assert_allclose(left.rotation[0], -right.rotation[0])
    np.testing.assert_allclose(left.rotation[1:], right.rotation[1:])


def test_one_body_keeps_its_bones_over_views_and_two_bodies_differ() -> None:
    one, same, other = (film(Subject("hand", body, True), "frontal", SIZE, (0, 0)).pixels for body in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert one.shape != other.shape or (one != other).mean() > 0.2
