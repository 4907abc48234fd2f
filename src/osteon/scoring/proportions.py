"""The interval of a proportion of units, some of which share a patient."""

import numpy as np
from numpy.typing import NDArray

from osteon.scoring.sample import Codes


def wilson(successes: float, trials: float, level: float = 0.95) -> tuple[float, float]:
    """Return the Wilson score interval of a proportion, also of fractional trials (1927, J Am Stat Assoc 22:209)."""
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(successes, trials, alpha=1 - level, method="wilson")
    return (0.0 if successes == 0 else float(low)), (1.0 if successes == trials else float(high))


def clustered(success: NDArray[np.bool_], cluster: Codes) -> tuple[float, float, str]:
    """Return (low, high, method) of the share of successes among (n,) units of (n,) clusters.

    Wilson's interval for the effective number of units. Where a patient has one unit this is Wilson's own. A share of 0
    or 1 has no variance to measure: there n is the number of patients.
    """
    n, patients, share = len(success), len(np.unique(cluster)), float(success.mean())
    if n == patients:
        return (*wilson(int(success.sum()), n), "wilson")
    units = effective(success, cluster)
    return (
        *wilson(share * units, units),
        f"wilson, {'n = patients' if share in (0, 1) or patients == 1 else 'clustered'}",
    )


def effective(success: NDArray[np.bool_], cluster: Codes) -> float:
    """Return how many independent units would tell a share as well as (n,) units of (n,) clusters do.

    n / design effect (Rao and Scott 1992, Biometrics 48:577): the design effect is the variance over patients against
    that of independent units, at least 1. Of a share of 0 or 1, and of one patient, the number of patients.
    """
    _, place = np.unique(cluster, return_inverse=True)
    n, patients, share = len(success), int(place.max()) + 1, float(success.mean())
    if n == patients or share in (0, 1) or patients == 1:
        return float(patients)
    spread = np.bincount(place, success - share) / n
    effect = patients / (patients - 1) * (spread**2).sum() / (share * (1 - share) / n)
    return float(n / max(effect, 1.0))
