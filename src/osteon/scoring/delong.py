"""DeLong's interval of the AUROC, and Obuchowski's extension of it to units that share a patient."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from osteon.scoring.sample import Codes, Floats


def midranks(values: Floats) -> Floats:
    """Return the ranks 1..n of (n,) values; equal values share the mean of their ranks."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    ranks: Floats = ((2 * last - count + 1) / 2)[place]
    return ranks


def components(score: Floats, positive: NDArray[np.bool_]) -> Floats:
    """Return the (n,) structural components of the AUROC.

    For a positive it is the share of negatives below it (ties count half), for a negative that of positives above it.
    Ranks among all minus ranks among the own kind (Sun and Xu 2014, IEEE Signal Process Lett 21:1389).
    """
    ranks = midranks(score)
    m, n = int(positive.sum()), int((~positive).sum())
    found = np.empty(len(score))
    found[positive] = (ranks[positive] - midranks(score[positive])) / n
    found[~positive] = 1 - (ranks[~positive] - midranks(score[~positive])) / m
    return found


def variance(score: Floats, positive: NDArray[np.bool_]) -> float:
    """Return the variance of the AUROC over independent units; needs two of each kind.

    DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44:837.
    """
    parts = components(score, positive)
    kinds = (parts[positive], parts[~positive])
    return float(sum(np.var(kind, ddof=1) / len(kind) for kind in kinds))


def clustered_variance(score: Floats, positive: NDArray[np.bool_], cluster: Codes) -> float:
    """Return the variance of the AUROC over patients, each with any number of units of either kind.

    The sum over patients of the squared `shares`, times patients / (patients - 1). Obuchowski (1997), Biometrics
    53:567, with one such factor for both kinds.
    """
    sums = shares(score, positive, cluster, int(cluster.max()) + 1)
    return float(len(sums) / (len(sums) - 1) * (sums**2).sum())


def shares(score: Floats, positive: NDArray[np.bool_], cluster: Codes, clusters: int) -> Floats:
    """Return the (clusters,) parts that patients have in the AUROC's deviation: sum 0.

    The sum of their units' components about the AUROC, each kind over its count.
    """
    parts = components(score, positive)
    parts = (parts - parts[positive].mean()) / np.where(positive, positive.sum(), (~positive).sum())
    found: Floats = np.bincount(cluster, parts, clusters).astype(np.float64)
    return found


def interval(
    score: Floats, positive: NDArray[np.bool_], cluster: Codes, level: float = 0.95
) -> tuple[float | None, float | None, str]:
    """Return (low, high, method) of an AUROC that is neither 0 nor 1, without bounds where it shows no spread.

    On the logit scale, which stays inside (0, 1) and keeps its coverage near 1 where the symmetric interval falls short
    (Pepe 2003, The Statistical Evaluation of Medical Tests, 5.2), with the t quantile of patients - 1.
    """
    patients = int(cluster.max()) + 1
    alone = patients == len(score) and 1 < positive.sum() < len(score) - 1
    if patients < 2:
        return None, None, "none"
    found = variance(score, positive) if alone else clustered_variance(score, positive, cluster)
    if found < 1e-15:
        return None, None, "none"
    area = float(components(score, positive)[positive].mean())
    low, high = _on_logits(area, found, patients, level)
    return low, high, "delong" if alone else "delong, clustered"


def interval_of_mean(
    curves: Sequence[tuple[Floats, NDArray[np.bool_], Codes]], level: float = 0.95
) -> tuple[float | None, float | None, str]:
    """Return (low, high, method) of the mean AUROC of several curves, such as findings, that share patients.

    A patient's part in the mean is the mean of its parts in the curves, so that their covariances are counted
    (DeLong 1988, of several curves); as `interval` otherwise.

    Args:
        curves: (score, positive, cluster) of each; clusters are coded alike in all, and some have units of both kinds.
        level: how often the interval should hold the truth.
    """
    known = np.unique(np.concatenate([cluster for _, _, cluster in curves]))
    if len(known) < 2:
        return None, None, "none"
    sums = np.mean([shares(*curve, int(known[-1]) + 1) for curve in curves], axis=0)
    found = float(len(known) / (len(known) - 1) * (sums**2).sum())
    area = float(np.mean([components(score, positive)[positive].mean() for score, positive, _ in curves]))
    if found < 1e-15 or not 0 < area < 1:
        return None, None, "none"
    low, high = _on_logits(area, found, len(known), level)
    return low, high, "delong of the mean, clustered"


def _on_logits(area: float, variance: float, patients: int, level: float) -> tuple[float, float]:
    from scipy.special import expit, logit, stdtrit

    half = stdtrit(patients - 1, (1 + level) / 2) * np.sqrt(variance) / (area * (1 - area))
    low, high = expit([logit(area) - half, logit(area) + half])
    return float(low), float(high)
