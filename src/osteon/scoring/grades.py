"""Which grade is called, and metrics of ordered classes. Kappa, accuracy and off-by-one are of the called grade."""

import numpy as np
from numpy.typing import NDArray

from osteon.scoring.ranking import auroc
from osteon.scoring.sample import Codes, Evaluate, Floats, Sample, mean_of, ratio


def called(score: Floats, value: Floats, rule: str) -> Codes:
    """Return the grades called (n,), counted from 0.

    The likeliest grade errs least often, the median least in mean absolute and the expected one least in mean squared
    difference, where the probabilities are right; quadratic kappa weighs squared differences.

    Args:
        score: (n, grades) probabilities.
        value: (n,) expected grades.
        rule: likeliest (of equal ones the lowest); median, the highest k with P(grade >= k) > 0.5; expected, rounded
            with halves upwards.
    """
    if rule == "median":
        reached = score[:, ::-1].cumsum(1)[:, -2::-1]  # P(grade >= k) for k = 1, 2, ...
        return np.asarray((reached > 0.5).sum(1), np.intp)
    if rule == "expected":
        return np.asarray(np.floor(value + 0.5).clip(0, score.shape[1] - 1), np.intp)
    return np.asarray(score.argmax(1), np.intp)


def quadratic_kappa(table: Floats) -> Floats:
    """Return Cohen's kappa with weights (i - j)^2 of (classes, classes, replicates) tables, in [-1, 1].

    1 - observed / expected weighted disagreement; 0 where none is expected (all of one and the same grade). The number
    of classes is fixed: a grade that is absent keeps its place between the others. Cohen (1968), Psychol Bull 70:213.
    """
    grade = np.arange(len(table))
    weight = np.subtract.outer(grade, grade) ** 2.0
    observed = np.tensordot(weight, table, 2) * table.sum((0, 1))
    expected = (table.sum(1) * (weight @ table.sum(0))).sum(0)
    return np.nan_to_num(1 - ratio(observed, expected))


def off_by_one(sample: Sample) -> NDArray[np.bool_]:
    """Return which units are called their own grade or a neighbouring one."""
    return np.asarray(np.abs(sample.call - sample.target) <= 1)


def class_mae(sample: Sample) -> Evaluate:
    """Prepare the mean absolute difference of the called and the true grade."""
    return mean_of(sample, np.abs(sample.call - sample.target).astype(np.float64))


def class_mse(sample: Sample) -> Evaluate:
    """Prepare the mean squared difference of the called and the true grade."""
    return mean_of(sample, ((sample.call - sample.target) ** 2).astype(np.float64))


def at_cut(sample: Sample) -> Sample:
    """Return the binary sample of grade >= cut, scored by the sum of the probabilities of these grades."""
    score = sample.score[:, sample.cut :].sum(1)
    target = (sample.target >= sample.cut).astype(np.intp)
    return Sample(target, score, (score > 0.5).astype(np.intp), sample.cluster)


def auroc_at_cut(sample: Sample) -> Evaluate:
    """Prepare the AUROC of grade >= cut, such as KL >= 2: osteoarthritis. Undefined without a cut."""
    return auroc(at_cut(sample))
