"""Metrics of the order of the scores, for many weightings at once: sorted once, ties counted half."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from osteon.scoring.sample import Codes, Evaluate, Floats, Sample, ratio


def auroc(sample: Sample) -> Evaluate:
    """Prepare the area under the ROC curve: P(positive above negative) + P(tie) / 2 (Mann-Whitney).

    Undefined without positives or without negatives. Source: Hanley and McNeil (1982), Radiology 143:29.
    """
    return _auroc(sample.score, sample.target == 1, sample.cluster)


def macro_auroc(sample: Sample) -> Evaluate:
    """Prepare the mean one-against-rest AUROC over the classes for which it is defined."""
    parts = [_auroc(sample.score[:, k], sample.target == k, sample.cluster) for k in range(sample.classes)]

    def evaluate(weights: Floats) -> Floats:
        areas = np.stack([part(weights) for part in parts])
        return ratio(np.nansum(areas, axis=0), (~np.isnan(areas)).sum(0) * 1.0)

    return evaluate


def curves(sample: Sample) -> list[tuple[Floats, NDArray[np.bool_], Codes]]:
    """Return (score, positive, cluster) of what a macro AUROC is the mean of, where it is defined.

    Each finding's units, or each class against the rest.
    """
    if len(sample.label):
        own = [sample.label == label for label in np.unique(sample.label)]
        found = [(sample.score[at], sample.target[at] == 1, sample.cluster[at]) for at in own]
    else:
        found = [(sample.score[:, k], sample.target == k, sample.cluster) for k in range(sample.classes)]
    return [curve for curve in found if 0 < curve[1].sum() < len(curve[1])]


def _auroc(score: Floats, positive: np.ndarray, cluster: Codes) -> Evaluate:
    # Counts do not depend on the order of equal scores, so that the fastest sort will do.
    order = np.argsort(score)
    score, positive, cluster = score[order], positive[order], cluster[order]
    negatives, positives = cluster[~positive], cluster[positive]
    # Of the sorted negatives, how many lie below each positive, and how many below or level.
    below = np.searchsorted(score[~positive], score[positive], "left")
    level = np.searchsorted(score[~positive], score[positive], "right")
    tied = np.flatnonzero(level > below)

    def evaluate(weights: Floats) -> Floats:
        gained = weights[positives]
        lost = np.zeros((len(negatives) + 1, weights.shape[1]))
        np.cumsum(weights[negatives], axis=0, out=lost[1:])
        wins = np.einsum("ir,ir->r", gained, lost[below])
        ties = np.einsum("ir,ir->r", gained[tied], lost[level[tied]] - lost[below[tied]])
        return ratio(wins + ties / 2, gained.sum(0) * lost[-1])

    return evaluate


def average_precision(sample: Sample) -> Evaluate:
    """Prepare the average precision: the sum over distinct scores, from high to low, of precision * gained recall.

    Equal scores enter together, as in scikit-learn. Undefined without positives.
    """
    order = np.argsort(-sample.score, kind="stable")
    score, positive, cluster = sample.score[order], sample.target[order] == 1, sample.cluster[order]
    ends = np.flatnonzero(np.diff(score, append=-np.inf))

    def evaluate(weights: Floats) -> Floats:
        called = np.cumsum(weights[cluster], axis=0)
        found = np.cumsum(weights[cluster] * positive[:, None], axis=0)[ends]
        gained = np.diff(found, axis=0, prepend=0)
        precision = np.nan_to_num(ratio(found, called[ends]))
        return ratio(np.einsum("ir,ir->r", precision, gained), found[-1])

    return evaluate


def of_labels(metric: Callable[[Sample], Evaluate]) -> Callable[[Sample], Evaluate]:
    """Return the mean of a binary metric over the findings of a sample (`Sample.label`); patients are shared.

    Undefined where it is of one finding, so that every replicate of a bootstrap is the mean over the same ones.
    """

    def prepare(sample: Sample) -> Evaluate:
        own = [sample.label == label for label in np.unique(sample.label)]
        parts = [metric(Sample(sample.target[at], sample.score[at], sample.call[at], sample.cluster[at])) for at in own]
        return lambda weights: np.mean([part(weights) for part in parts], axis=0)

    return prepare


def among(count: int) -> Callable[[Sample], NDArray[np.bool_]]:
    """Return which units' true class is among the `count` likeliest; of equal ones the first class counts as likelier.

    So that the likeliest one is the called class.
    """

    def found(sample: Sample) -> NDArray[np.bool_]:
        own = sample.score[np.arange(len(sample.target)), sample.target][:, None]
        earlier = np.arange(sample.classes) < sample.target[:, None]
        ahead = (sample.score > own) | ((sample.score == own) & earlier)
        return np.asarray(ahead.sum(1) < count)

    return found
