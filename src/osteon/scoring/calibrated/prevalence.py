"""Predictive values where the condition is as frequent as the user says, not as it is in a test set.

Kim and MacKinnon (2018), Clin Radiol 73:439, ask for this: half of their test films were fractured.
"""

import numpy as np
from numpy.typing import NDArray

from osteon.errors import OsteonError
from osteon.scoring.proportions import effective
from osteon.scoring.sample import Codes

METHOD = "mercaldo logit"


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
    level: float = 0.95,
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the 95 % intervals of PPV and NPV at a prevalence that is taken as known.

    Mercaldo, Lau and Zhou (2007), Stat Med 26:2170: normal on the logit scale, its variance by the delta method from
    those of sensitivity and specificity, with z^2 / 2 successes and failures added to each (their adjusted logit
    interval, which also serves where one of them is 0 or 1). Units of one patient count as the effective number of
    independent ones (`proportions.effective`).

    Args:
        hit: (p,) whether each positive unit was called positive.
        of_hit: (p,) their patients.
        right: (q,) whether each negative unit was called negative.
        of_right: (q,) their patients.
        prevalence: between 0 and 1.
        level: how often the interval should hold the truth.
    """
    from scipy.special import expit, ndtri

    z = float(ndtri((1 + level) / 2))
    (se, positives), (sp, negatives) = (_adjusted(*one, z) for one in ((hit, of_hit), (right, of_right)))
    odds = np.log(prevalence / (1 - prevalence))
    centres = (np.log(se / (1 - sp)) + odds, np.log(sp / (1 - se)) - odds)
    variances = (
        (1 - se) / se / positives + sp / (1 - sp) / negatives,
        se / (1 - se) / positives + (1 - sp) / sp / negatives,
    )
    halves = [z * np.sqrt(variance) for variance in variances]
    bounds = [(float(expit(c - h)), float(expit(c + h))) for c, h in zip(centres, halves, strict=True)]
    return bounds[0], bounds[1]


def _adjusted(success: NDArray[np.bool_], cluster: Codes, z: float) -> tuple[float, float]:
    """Return the share and the number of units with z^2 / 2 successes and as many failures added."""
    count = effective(success, cluster)
    return (float(success.mean()) * count + z**2 / 2) / (count + z**2), count + z**2
