"""The interval of Cohen's kappa: cluster-robust on Fisher's z scale, chosen by simulated coverage.

At kappa 0.85 the percentile bootstrap covers 91 % instead of 95 % with 100 units and 87 % with 50, BCa 94-96 % and
89-94 %; this interval covers 94.7-96.7 % from 50 to 1,199 units with 1-4 studies a patient
(benchmarks/results/kappa_coverage.md, by `benchmarks/kappa_coverage.py`).
"""

import numpy as np

from osteon.scoring.counts import cells, multiclass_kappa
from osteon.scoring.proportions import wilson
from osteon.scoring.sample import Floats, Sample

METHOD = "fisher z, clustered"


def interval(sample: Sample, level: float = 0.95) -> tuple[float | None, float | None, str]:
    """Return (low, high, method) of kappa, without bounds where the sample shows no spread.

    The standard error is the linearised one over patients (each patient's sum of influences; Liang and Zeger 1986,
    Biometrika 73:13), carried to z = artanh(kappa), with the t quantile of patients - 1 degrees of freedom. A kappa of
    1 has no spread: there Wilson's bound of the agreement for as many trials as patients, at the margins found,
    takes its place.
    """
    from scipy.special import stdtrit

    table = cells(sample)
    clusters, counts = len(table), table.sum(0)
    value = float(multiclass_kappa(counts.reshape(sample.classes, sample.classes, 1))[0])
    if value == 1:
        return (*perfect(sample), "wilson, n = patients")
    spread = table @ influence(counts, sample.classes) if clusters > 1 else np.zeros(1)
    if np.allclose(spread, 0) or value == -1:
        return None, None, "none"
    error = np.sqrt(clusters / (clusters - 1) * (spread**2).sum()) / (1 - value**2)
    half = stdtrit(clusters - 1, (1 + level) / 2) * error
    return float(np.tanh(np.arctanh(value) - half)), float(np.tanh(np.arctanh(value) + half)), METHOD


def influence(counts: Floats, classes: int) -> Floats:
    """Return the (classes^2,) derivative of kappa by each confusion count (row = target); 0 where degenerate."""
    table = counts.reshape(classes, classes)
    n, agreed = table.sum(), np.trace(table)
    chance = table.sum(0) @ table.sum(1)
    if chance == n**2:
        return np.zeros(classes**2)
    slope = table.sum(0)[:, None] + table.sum(1)[None, :]
    value = (n * agreed - chance) / (n**2 - chance)
    top = agreed + n * np.eye(classes) - slope
    result: Floats = ((top - value * (2 * n - slope)) / (n**2 - chance)).ravel()
    return result


def perfect(sample: Sample) -> tuple[float, float]:
    """Return (low, 1) of a kappa of 1; weighted kappa has the same, if grades were confused as by chance."""
    share = np.bincount(sample.target, minlength=sample.classes) / len(sample.target)
    chance = float((share**2).sum())
    low = wilson(sample.clusters, sample.clusters)[0]
    return max((low - chance) / (1 - chance), -1.0), 1.0
