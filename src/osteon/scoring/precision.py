"""COCO's average precision, for many weightings of the images at once: matched and sorted once."""

from collections.abc import Callable, Sequence

import numpy as np

from osteon.scoring.matching import LEVELS
from osteon.scoring.sample import Codes, Evaluate, Floats, Sample, ratio

# Recalls at which precision is read off, as in COCO.
RECALLS: Floats = np.linspace(0.0, 1.0, 101)
# A class with fewer true boxes has an average precision that is mostly noise.
FREQUENT = 30


def present(sample: Sample) -> Codes:
    """Return the classes that have a true box."""
    return np.flatnonzero(sample.boxes.true.sum(0) > 0)


def frequent(sample: Sample) -> Codes:
    """Return the classes that have 30 true boxes or more."""
    return np.flatnonzero(sample.boxes.true.sum(0) >= FREQUENT)


def ap50(name: str) -> Callable[[Sample], Evaluate]:
    """Return the average precision of one class at an overlap of 0.5; undefined without a true box of it."""

    def prepare(sample: Sample) -> Evaluate:
        curve = _curve(sample, sample.boxes.names.index(name), (0,))
        return lambda weights: curve(weights)[0]

    return prepare


def mean_precision(levels: Sequence[int], classes: Callable[[Sample], Codes] = present) -> Callable[[Sample], Evaluate]:
    """Return the mean average precision over classes and overlaps (indices into `LEVELS`); undefined without a class.

    The mean over the overlaps of the mean over classes, as COCO's; a class is left out where its true boxes have no
    weight, as COCO leaves it out of images without one.
    """

    def prepare(sample: Sample) -> Evaluate:
        curves = [_curve(sample, int(label), levels) for label in classes(sample)]

        def evaluate(weights: Floats) -> Floats:
            if not curves:
                return np.full(weights.shape[1], np.nan)
            found = np.concatenate([curve(weights) for curve in curves])
            return ratio(np.nansum(found, axis=0), (~np.isnan(found)).sum(0) * 1.0)

        return evaluate

    return prepare


ALL_LEVELS = tuple(range(len(LEVELS)))


def _curve(sample: Sample, label: int, levels: Sequence[int]) -> Evaluate:
    """Return (levels, r) average precisions of a class: the mean over 101 recalls of the best precision from there on.

    Precision counts at right boxes alone: a false one only lowers it, and the best to the right of a recall is taken.
    Lin et al. (2014), ECCV; pycocotools' `accumulate` with 100 boxes of a class an image.
    """
    boxes = sample.boxes
    own = (boxes.found["label"] == label) & boxes.found["counted"]
    image, right = boxes.image[own], boxes.found["right"][own][:, list(levels)]
    any_level = np.flatnonzero(right.any(1))
    places, cluster = [np.flatnonzero(level) for level in right[any_level].T], sample.cluster[image[any_level]]
    called, true = sample.up_to(image, any_level + 1), sample.by_cluster(boxes.true[:, [label]]).T.copy()

    def evaluate(weights: Floats) -> Floats:
        total = (true @ weights)[0]
        drawn, before = weights[cluster], called(weights)
        return np.stack([_area(np.cumsum(drawn[at], axis=0), before[at], total) for at in places])

    return evaluate


def _area(found: Floats, called: Floats, total: Floats) -> Floats:
    """Return the (r,) averages from (t, r) right and called boxes up to each right one, and (r,) true boxes."""
    if not len(found):
        return np.where(total > 0, 0.0, np.nan)
    precision = np.nan_to_num(ratio(found, called))
    best = np.maximum.accumulate(precision[::-1], axis=0)[::-1]
    reached = np.searchsorted(RECALLS, np.nan_to_num(ratio(found, total)), side="right")
    gained = np.diff(reached, axis=0, prepend=0)
    area = np.einsum("tr,tr->r", best, gained * 1.0) / len(RECALLS)
    return np.where(total > 0, area, np.nan)
