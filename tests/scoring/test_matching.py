"""Which box hits which: by hand, and against loops over one image."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osteon.scoring.matching import AGAIN, FALSE, HIT, match, overlaps
from tests.scoring.coco import Rows, drawn

SQUARE = [0.0, 0, 10, 10, 0]


def states(boxes: Rows, truth: Rows, hit: str = "iou_0.5") -> list[int]:
    found = match([np.reshape(boxes, (-1, 6))], [np.reshape(truth, (-1, 5))], hit)
    return [int(state) for state in found[0]["hit"]]


def by_loops(boxes: Rows, truth: Rows, hit: str) -> list[tuple[float, float, int]]:
    """Return (class, score, state) of the boxes of an image, one after the other."""
    taken: set[int] = set()
    found = []
    for x1, y1, x2, y2, label, score in sorted(boxes, key=lambda box: (box[4], -box[5])):
        free, near = [], 0
        for place, (a1, b1, a2, b2, kind) in enumerate(truth):
            shared = max(0.0, min(x2, a2) - max(x1, a1)) * max(0.0, min(y2, b2) - max(y1, b1))
            overlap = shared / ((x2 - x1) * (y2 - y1) + (a2 - a1) * (b2 - b1) - shared)
            inside = a1 <= (x1 + x2) / 2 <= a2 and b1 <= (y1 + y2) / 2 <= b2
            if kind == label and (inside if hit == "centre" else overlap >= float(hit[4:])):
                near += 1
                free += [(overlap, place)] if place not in taken else []
        taken |= {max(free)[1]} if free else set()
        found.append((label, score, HIT if free else AGAIN if near else FALSE))
    return found


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 10_000), st.sampled_from(["iou_0.5", "iou_0.2", "iou_0.75", "centre"]), st.sampled_from([None, 4])
)
def test_many_images_at_once_are_each_by_loops(seed: int, hit: str, levels: int | None) -> None:
    boxes, truth = drawn(15, seed=seed, levels=levels, most=9)
    found = match([np.reshape(b, (-1, 6)) for b in boxes], [np.reshape(t, (-1, 5)) for t in truth], hit)
    assert len(found) == 15
    for ours, theirs, image in zip(found, truth, boxes, strict=True):
        assert [(r["label"], r["score"], r["hit"]) for r in ours] == by_loops(image, theirs, hit)


@pytest.mark.parametrize(
    ("box", "hit", "state"),
    [
        ([0, 0, 10, 5], "iou_0.5", HIT),  # exactly half
        ([0, 0, 10, 4.9], "iou_0.5", FALSE),
        ([0, 0, 10, 4.9], "iou_0.2", HIT),
        ([0, 0, 10, 10], "iou_1", HIT),
        ([4, 4, 6, 6], "iou_0.5", FALSE),
        ([4, 4, 6, 6], "centre", HIT),
        ([5, 5, 15, 15], "centre", HIT),  # on the edge
        ([5.1, 5, 15.1, 15], "centre", FALSE),
        ([5, 5, 5, 5], "centre", HIT),  # a box without an area
        ([5, 5, 5, 5], "iou_0.5", FALSE),
    ],
)
def test_rules_of_a_hit(box: list[float], hit: str, state: int) -> None:
    assert states([[*box, 0, 0.5]], [SQUARE], hit) == [state]
    assert states([[*box, 1, 0.5]], [SQUARE], hit) == [FALSE]
    assert states([[*box, 0, 0.5]], [], hit) == [FALSE]


def test_a_second_box_on_a_hit_one_is_neither() -> None:
    good, near, far = [0, 0, 10, 10, 0, 0.4], [0, 0, 10, 9, 0, 0.9], [50, 50, 60, 60, 0, 0.6]
    assert states([good, near, far], [SQUARE]) == [HIT, FALSE, AGAIN]
    # The better score takes the box, whatever the overlap; the other may have its neighbour.
    assert states([good, near, far], [SQUARE, [1.0, 0, 11, 10, 0]]) == [HIT, FALSE, HIT]


def test_overlaps_of_continuous_edges() -> None:
    found = overlaps(np.array([[[0.0, 0, 2, 2], [5, 5, 6, 6]]]), np.array([[[1.0, 1, 3, 3], [2, 0, 4, 2]]]))
    np.testing.assert_allclose(found, [[[1 / 7, 0], [0, 0]]])


def test_no_image() -> None:
    assert match([], [], "centre") == []
