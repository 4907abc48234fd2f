"""The interval of a metric that is a smooth formula of sums over patients: the jackknife, leaving out one at a time."""

from collections.abc import Callable

import numpy as np

from osteon.scoring.sample import Floats, Moments

# name -> (scale, its slope, back): where an interval is symmetric.
SCALES: dict[str, tuple[Callable[[float], float], Callable[[float], float], Callable[[Floats], Floats]]] = {
    "plain": (float, lambda value: 1.0, lambda found: found),
    # Errors, above 0 with a long tail.
    "log": (lambda value: float(np.log(value)), lambda value: 1 / value, np.exp),
    # Correlations: Fisher's z.
    "fisher z": (lambda value: float(np.arctanh(value)), lambda value: 1 / (1 - value**2), np.tanh),
    # Shares of variance explained, 1 at most: the log of what is left.
    "log of the rest": (
        lambda value: float(-np.log(1 - value)),
        lambda value: 1 / (1 - value),
        lambda found: 1 - np.exp(-found),
    ),
}


def interval(metric: Moments, value: float, scale: str, level: float = 0.95) -> tuple[float | None, float | None, str]:
    """Return (low, high, method) around `value`, without bounds where the sample shows no spread.

    The standard error over patients, sqrt((c - 1) / c * sum of squares of the c values without one patient about their
    mean; Efron and Stein 1981, Ann Stat 9:586), carried to the scale by its slope, with the t quantile of c - 1.

    Args:
        metric: the prepared metric.
        value: its value of the whole sample.
        scale: a key of `SCALES`, on which the interval is symmetric.
        level: how often the interval should hold the truth.
    """
    from scipy.special import stdtrit

    clusters = metric.sums.shape[1]
    parts = metric.without() if clusters > 2 else np.full(1, np.nan)
    if not np.isfinite(parts).all():
        return None, None, "none"
    error = float(np.sqrt((clusters - 1) / clusters * ((parts - parts.mean()) ** 2).sum()))
    if error <= 1e-12 * max(abs(value), 1.0):
        return None, None, "none"
    to, slope, back = SCALES[scale]
    half = stdtrit(clusters - 1, (1 + level) / 2) * error * slope(value)
    low, high = back(np.array([to(value) - half, to(value) + half]))
    return float(low), float(high), "jackknife" if scale == "plain" else f"jackknife, {scale}"
