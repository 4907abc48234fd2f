"""Metrics of a predicted number against the true one, in the target's unit; of grades, of the expected grade."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from osteon.scoring.sample import Evaluate, Floats, Moments, Sample, mean_of, ratio

# Bland and Altman's limits hold 95 % of normal differences.
LIMIT = 1.96


def mae(sample: Sample) -> Evaluate:
    """Prepare the mean absolute error: what the bone-age challenge called the mean absolute distance."""
    return mean_of(sample, np.abs(sample.value - sample.truth))


def mse(sample: Sample) -> Evaluate:
    """Prepare the mean squared error, in the unit squared."""
    return mean_of(sample, (sample.value - sample.truth) ** 2)


def rmse(sample: Sample) -> Evaluate:
    """Prepare the square root of the mean squared error."""
    return _moments(sample, _columns(sample), lambda totals: np.sqrt(ratio(totals[2], totals[0])))


def bias(sample: Sample) -> Evaluate:
    """Prepare the mean of prediction minus truth: above 0 where it reads too high."""
    return mean_of(sample, sample.value - sample.truth)


def spread(sample: Sample) -> Evaluate:
    """Prepare the standard deviation of prediction minus truth over units, n - 1 below; undefined with one unit."""
    return _moments(sample, _columns(sample), _deviation)


def limit(side: int) -> Callable[[Sample], Evaluate]:
    """Return the metric of a limit of agreement: bias + side * 1.96 `spread`; undefined with one unit.

    Bland and Altman (1999), Stat Methods Med Res 8:135.
    """

    def formula(totals: Floats) -> Floats:
        return ratio(totals[1], totals[0]) + side * LIMIT * _deviation(totals)

    return lambda sample: _moments(sample, _columns(sample), formula)


def within(margin: float) -> Callable[[Sample], NDArray[np.bool_]]:
    """Return which units are at most `margin` of the unit off the truth."""
    return lambda sample: np.abs(sample.value - sample.truth) <= margin


def pearson(sample: Sample) -> Evaluate:
    """Prepare Pearson's correlation of prediction and truth; undefined where either does not vary."""
    one, truth, value = _centred(sample)
    columns = np.column_stack([one, truth, value, truth * value, truth**2, value**2])

    def formula(totals: Floats) -> Floats:
        n, a, b, ab, aa, bb = totals
        varies = (n * aa - a**2 > _LEAST * n * aa) & (n * bb - b**2 > _LEAST * n * bb)
        product = np.where(varies, (n * aa - a**2) * (n * bb - b**2), 0.0)
        return np.clip(ratio(n * ab - a * b, np.sqrt(product)), -1, 1)

    return _moments(sample, columns, formula)


def r2(sample: Sample) -> Evaluate:
    """Prepare the coefficient of determination, 1 - sum of squared errors / sum of squares about the mean truth.

    1 is perfect, 0 the mean's own, below 0 worse than that; undefined where the truth does not vary.
    """
    one, truth, _ = _centred(sample)
    columns = np.column_stack([one, truth, truth**2, (sample.value - sample.truth) ** 2])

    def formula(totals: Floats) -> Floats:
        n, a, aa, wrong = totals
        squares = np.where(n * aa - a**2 > _LEAST * n * aa, n * aa - a**2, 0.0)
        return 1 - ratio(n * wrong, squares)

    return _moments(sample, columns, formula)


# Below this share of the sum of squares a variance is rounding.
_LEAST = 1e-12


def _deviation(totals: Floats) -> Floats:
    count, first, second = totals
    variance = ratio(second - count * ratio(first, count) ** 2, count - 1)
    return np.sqrt(np.maximum(variance, 0))


def _columns(sample: Sample) -> Floats:
    wrong = sample.value - sample.truth
    return np.column_stack([np.ones(len(wrong)), wrong, wrong**2])


def _centred(sample: Sample) -> tuple[Floats, Floats, Floats]:
    """Return ones, truth and value about their means: sums of squares of ages would lose digits."""
    truth, value = sample.truth - sample.truth.mean(), sample.value - sample.value.mean()
    return np.ones(len(truth)), truth, value


def _moments(sample: Sample, columns: Floats, formula: Callable[[Floats], Floats]) -> Evaluate:
    return Moments(sample.by_cluster(columns).T.copy(), formula)
