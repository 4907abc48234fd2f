"""Metrics of called classes: everything that a confusion table holds, for many weighted tables at once."""

from collections.abc import Callable

import numpy as np

from osteon.scoring.sample import Evaluate, Floats, Moments, Sample, ratio

Formula = Callable[[Floats, Floats, Floats, Floats], Floats]
# (classes, classes, replicates) tables -> (replicates,) values.
Several = Callable[[Floats], Floats]


def cells(sample: Sample) -> Floats:
    """Return the (clusters, classes^2) confusion counts, row = target, column = call; binary: tn, fp, fn, tp."""
    size = sample.classes**2
    place = sample.cluster * size + sample.target * sample.classes + sample.call
    return np.bincount(place, minlength=sample.clusters * size).reshape(-1, size).astype(np.float64)


def binary(formula: Formula) -> Callable[[Sample], Evaluate]:
    """Make a metric of a formula of (tp, fp, fn, tn), each (replicates,)."""

    def prepare(sample: Sample) -> Evaluate:
        table = cells(sample).T.copy()

        def evaluate(weights: Floats) -> Floats:
            tn, fp, fn, tp = table @ weights
            return formula(tp, fp, fn, tn)

        return evaluate

    return prepare


def multiclass(formula: Several) -> Callable[[Sample], Evaluate]:
    """Make a metric of a formula of (classes, classes, replicates) confusion tables."""

    def prepare(sample: Sample) -> Evaluate:
        count = sample.classes
        return Moments(cells(sample).T.copy(), lambda totals: formula(totals.reshape(count, count, -1)))

    return prepare


def sensitivity(tp: Floats, fp: Floats, fn: Floats, tn: Floats) -> Floats:
    """Return TP / (TP + FN); undefined without positives."""
    return ratio(tp, tp + fn)


def specificity(tp: Floats, fp: Floats, fn: Floats, tn: Floats) -> Floats:
    """Return TN / (TN + FP); undefined without negatives."""
    return ratio(tn, tn + fp)


def ppv(tp: Floats, fp: Floats, fn: Floats, tn: Floats) -> Floats:
    """Return TP / (TP + FP), at the sample's own prevalence; undefined where nothing is called positive."""
    return ratio(tp, tp + fp)


def npv(tp: Floats, fp: Floats, fn: Floats, tn: Floats) -> Floats:
    """Return TN / (TN + FN), at the sample's own prevalence; undefined where nothing is called negative."""
    return ratio(tn, tn + fn)


def accuracy(tp: Floats, fp: Floats, fn: Floats, tn: Floats) -> Floats:
    """Return (TP + TN) / n."""
    return ratio(tp + tn, tp + fp + fn + tn)


def balanced_accuracy(tp: Floats, fp: Floats, fn: Floats, tn: Floats) -> Floats:
    """Return the mean of sensitivity and specificity; undefined where either is."""
    return (ratio(tp, tp + fn) + ratio(tn, tn + fp)) / 2


def f1(tp: Floats, fp: Floats, fn: Floats, tn: Floats) -> Floats:
    """Return 2 TP / (2 TP + FP + FN); undefined where nothing is positive and nothing is called so."""
    return ratio(2 * tp, 2 * tp + fp + fn)


def kappa(tp: Floats, fp: Floats, fn: Floats, tn: Floats) -> Floats:
    """Return Cohen's kappa, (po - pe) / (1 - pe), in [-1, 1]; 0 where chance agreement pe is 1 (one class only).

    Cohen (1960), Educ Psychol Meas 20:37. The form below has no rounding: its terms are products of counts.
    """
    chance = (tp + fp) * (fp + tn) + (tp + fn) * (fn + tn)
    return np.nan_to_num(ratio(2 * (tp * tn - fp * fn), chance))


def multiclass_kappa(table: Floats) -> Floats:
    """Return Cohen's kappa of (classes, classes, replicates) tables, unweighted; 0 where chance agreement is 1."""
    count = table.sum((0, 1))
    chance = (table.sum(0) * table.sum(1)).sum(0)
    return np.nan_to_num(ratio(count * np.trace(table) - chance, count**2 - chance))


def multiclass_accuracy(table: Floats) -> Floats:
    """Return the share of units on the diagonal."""
    return ratio(np.trace(table), table.sum((0, 1)))


def multiclass_balanced_accuracy(table: Floats) -> Floats:
    """Return the mean recall over the classes present."""
    recalls = ratio(np.einsum("kkr->kr", table), table.sum(1))
    return ratio(np.nansum(recalls, axis=0), (~np.isnan(recalls)).sum(0) * 1.0)


def recall(index: int) -> Several:
    """Return the formula of one class's recall; undefined where the class is absent."""
    return lambda table: ratio(table[index, index], table[index].sum(0))
