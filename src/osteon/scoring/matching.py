"""Which predicted box finds which true one: matched once an image, class and overlap; metrics then weigh the images.

pycocotools matches and averages in one go over the images as they are: it gives no part of an image that a bootstrap
could weigh, and 1000 replicates would match 1000 times. So the matching is ours, and its averages equal
pycocotools' (tests/scoring/test_precision.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteon.predictions.boxes import overlap_of

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
# Least intersection over union of COCO's average precisions, and how many boxes of a class count in an image.
LEVELS: Floats = np.linspace(0.5, 0.95, 10)
MOST = 100
# What a box is at an operating point; a second one on a true box that is hit already is neither hit nor false.
HIT, AGAIN, FALSE = 1, 0, -1
# `right`: whether it finds a true box at each of LEVELS; `counted`: whether it is one of the MOST of its image.
MATCH = np.dtype(
    [("label", np.intp), ("score", np.float64), ("counted", bool), ("right", bool, len(LEVELS)), ("hit", np.int8)]
)
# Pairs of an image and a class that are matched at a time: padded to the largest of them.
CHUNK = 256


@dataclass(frozen=True)
class Boxes:
    """The boxes of a sample of n images.

    Attributes:
        found: (d,) predicted boxes, `MATCH` records, by falling score; of equal scores in the order of the images.
        image: (d,) the image of each.
        shown: (d,) whether its score is strictly above the operating point.
        true: (n, classes) number of true boxes.
        names: of the classes.
        hit: the rule of hits, as of `TaskFacts`.
    """

    found: NDArray[Any] = field(default_factory=lambda: np.empty(0, MATCH))
    image: Codes = field(default_factory=lambda: np.empty(0, np.intp))
    shown: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, bool))
    true: Floats = field(default_factory=lambda: np.empty((0, 0)))
    names: tuple[str, ...] = ()
    hit: str = ""


def match(boxes: Sequence[Floats], truth: Sequence[Floats], hit: str) -> list[NDArray[Any]]:
    """Match the boxes of each image, class by class.

    By COCO's greedy rule (Lin et al. 2014, ECCV; pycocotools' `evaluateImg` without areas and crowds): boxes take their
    turn by falling score, equal ones in the order given; each takes the true box of most overlap that is still free,
    the last one of equals. `hit` is decided in the same way by its own rule; there a box of which every true box it
    would hit is taken counts for nothing, as in LUNA16 (Setio et al. 2017, Med Image Anal 42:1), whose evaluation
    ignores double candidates, while an average precision counts it as false.

    Args:
        boxes: (k, 6) predicted boxes of each image: x1, y1, x2, y2, class index, score.
        truth: (m, 5) true boxes of each image, without the score.
        hit: "iou_<x>" or "centre".

    Returns:
        The `MATCH` records of each image, by class and falling score.
    """
    if not len(boxes):
        return []
    found, image = _flat(boxes)
    true, of = _flat(truth)
    # By class within an image; the scores fall among the predicted, the true keep their order.
    order = np.lexsort((-found[:, 5], found[:, 4], image))
    found, image = found[order], image[order]
    order = np.lexsort((true[:, 4], of))
    true, of = true[order], of[order]
    records = np.zeros(len(found), MATCH)
    records["label"], records["score"], records["hit"] = found[:, 4], found[:, 5], FALSE
    classes = 1 + int(max(found[:, 4].max(initial=0), true[:, 4].max(initial=0)))
    pairs, start, count = np.unique(image * classes + records["label"], return_index=True, return_counts=True)
    records["counted"] = np.arange(len(found)) - np.repeat(start, count) < MOST
    there = of * classes + true[:, 4].astype(np.intp)
    first = np.searchsorted(there, pairs, "left")
    many = np.searchsorted(there, pairs, "right") - first
    # What has no true box beside it is false as it stands.
    both = np.flatnonzero(many)
    both = both[np.lexsort((count[both], many[both]))]
    for at in np.split(both, range(CHUNK, len(both), CHUNK)):
        mine, theirs = _padded(start[at], count[at]), _padded(first[at], many[at])
        both_are = (mine >= 0)[:, :, None] & (theirs >= 0)[:, None, :]
        overlap = np.where(both_are, overlaps(found[mine], true[theirs]), -1.0)
        records["right"][mine[mine >= 0]] = greedy(overlap, LEVELS)[mine >= 0] == HIT
        near, least = overlap, overlap_of(hit)
        if least is None:
            near = np.where(both_are & _centred(found[mine], true[theirs]), overlap, -1.0)
        records["hit"][mine[mine >= 0]] = greedy(near, np.array([least or 0.0]))[mine >= 0][:, 0]
    return np.split(records, np.cumsum([len(part) for part in boxes])[:-1])


def overlaps(boxes: Floats, truth: Floats) -> Floats:
    """Return the (g, d, t) intersection over union of (g, d, 4+) and (g, t, 4+) boxes, in [0, 1]; edges continuous."""
    one, other = boxes[:, :, None, :4], truth[:, None, :, :4]
    sides = np.minimum(one[..., 2:], other[..., 2:]) - np.maximum(one[..., :2], other[..., :2])
    shared = np.where((sides > 0).all(-1), sides.prod(-1), 0.0)
    areas = [(box[..., 2:] - box[..., :2]).prod(-1) for box in (one, other)]
    found: Floats = shared / (areas[0] + areas[1] - shared)
    return found


def _flat(parts: Sequence[Floats]) -> tuple[Floats, Codes]:
    return np.concatenate(parts), np.repeat(np.arange(len(parts)), [len(part) for part in parts])


def _padded(start: Codes, count: Codes) -> Codes:
    """Return (g, most) places from each start on, -1 beyond its count."""
    step = np.arange(count.max(initial=0))
    return np.where(step < count[:, None], start[:, None] + step, -1)


def _centred(boxes: Floats, truth: Floats) -> NDArray[np.bool_]:
    """Return (g, d, t): whether the centre of a box lies in a true one, its edges included."""
    middle = ((boxes[..., :2] + boxes[..., 2:4]) / 2)[:, :, None]
    inside = (middle >= truth[:, None, :, :2]) & (middle <= truth[:, None, :, 2:4])
    return np.asarray(inside.all(-1))


def greedy(near: Floats, least: Floats) -> NDArray[np.int8]:
    """Let boxes take true ones in turn, many pairs of image and class at once.

    Args:
        near: (g, d, t) overlap of box and true box; negative where the one can never take the other.
        least: (l,) overlaps from which on a true box is taken.

    Returns:
        (g, d, l) HIT, AGAIN (all that it would take are taken) or FALSE.
    """
    pairs, boxes, truths = near.shape
    free = np.ones((pairs, len(least), truths), bool)
    state = np.full((pairs, boxes, len(least)), FALSE, np.int8)
    # pycocotools' own guard: an overlap of 1 may come out a digit below.
    enough = np.minimum(least, 1 - 1e-10)[:, None]
    for turn in range(boxes):
        fits = near[:, turn, None, :] >= enough
        offered = np.where(fits & free, near[:, turn, None, :], -1.0)
        # Of equal overlaps the last is taken, as in COCO.
        best = truths - 1 - offered[..., ::-1].argmax(-1)
        hit = (fits & free).any(-1)
        pair, level = np.nonzero(hit)
        free[pair, level, best[hit]] = False
        state[:, turn] = np.where(hit, HIT, np.where(fits.any(-1), AGAIN, FALSE))
    return state
