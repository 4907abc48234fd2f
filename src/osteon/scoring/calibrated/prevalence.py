"""Predictive values where the condition is as frequent as the user says, not as it is in a test set.

Kim and MacKinnon (2018), Clin Radiol 73:439, ask for this: half of their test films were fractured.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osteon.errors import OsteonError
from osteon.scoring.proportions import clustered
from osteon.scoring.sample import Codes

METHOD = "mover, wilson"


def check_prevalence(value: float) -> float:
    """Return a prevalence that lies between 0 and 1.

    Raises:
        OsteonError: it does not.
    """
    if not 0 < value < 1:
        raise OsteonError(f"--prevalence: found {value:g}, expected a share above 0 and below 1, such as 0.05.")
    return value


def predictive_values(sensitivity: float, specificity: float, prevalence: float) -> tuple[float | None, float | None]:
    """Return (PPV, NPV) by Bayes' theorem; None where no unit would be called so."""
    found, false = sensitivity * prevalence, (1 - specificity) * (1 - prevalence)
    right, missed = specificity * (1 - prevalence), (1 - sensitivity) * prevalence
    return (found / (found + false) if found + false else None), (right / (right + missed) if right + missed else None)


def interval_of(
    hit: NDArray[np.bool_],
    of_hit: Codes,
    right: NDArray[np.bool_],
    of_right: Codes,
    prevalence: float,
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the 95 % intervals of PPV and NPV at a prevalence that is taken as known.

    On the log odds of a predictive value, which are a difference: log sensitivity - log(1 - specificity) + log odds of
    the prevalence (of the NPV alike). Its sides come from Wilson's intervals of sensitivity and specificity, joined as
    the sides of a right angle: Zou and Donner (2008), Stat Med 27:1693 (MOVER). The delta method on this scale is that
    of Mercaldo, Lau and Zhou (2007), Stat Med 26:2170; it has no variance where a share is 0 or 1, and with their
    adjustment a PPV at a prevalence of 0.05 was covered as little as 66 % of the time (this one: above 93 % in tests).
    Units of one patient count as the effective number of independent ones.

    Args:
        hit: (p,) whether each positive unit was called positive.
        of_hit: (p,) their patients.
        right: (q,) whether each negative unit was called negative.
        of_right: (q,) their patients.
        prevalence: between 0 and 1.
    """
    se, sp = (_logs(*one) for one in ((hit, of_hit), (right, of_right)))
    odds = float(np.log(prevalence / (1 - prevalence)))
    return _bounds(se.found, sp.missed, odds), _bounds(sp.found, se.missed, -odds)


@dataclass(frozen=True)
class _Logs:
    """Logs of a share and of the rest, each as (value, low, high); -inf where it is 0."""

    found: tuple[float, float, float]
    missed: tuple[float, float, float]


def _logs(success: NDArray[np.bool_], cluster: Codes) -> _Logs:
    low, high, _ = clustered(success, cluster)
    share = float(success.mean())
    with np.errstate(divide="ignore"):
        found, missed = np.log([share, low, high]), np.log([1 - share, 1 - high, 1 - low])
    return _Logs(tuple(map(float, found)), tuple(map(float, missed)))  # type: ignore[arg-type]


def _bounds(one: tuple[float, float, float], other: tuple[float, float, float], odds: float) -> tuple[float, float]:
    """Return the bounds of expit(one - other + odds); a log of nothing leaves its side open."""
    from scipy.special import expit

    (a, a_low, a_high), (b, b_low, b_high) = one, other
    low = _side(a, a_low, b, b_high, odds)
    high = -_side(b, b_low, a, a_high, -odds)
    return float(expit(low)), float(expit(high))


def _side(a: float, a_low: float, b: float, b_high: float, odds: float) -> float:
    """Return the lower bound of a - b + odds; where a or b is -inf, the one that a smaller share would have."""
    if np.isinf(a) or np.isinf(a_low):
        return -np.inf
    if np.isinf(b):
        return a_low - b_high + odds
    return a - b + odds - float(np.hypot(a - a_low, b_high - b))
