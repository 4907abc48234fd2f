"""Units that a model had better not answer: between two thresholds fitted on val, for a person to look at.

Kim and MacKinnon (2018), Clin Radiol 73:439, suggest an inconclusive class; El-Yaniv and Wiener (2010), J Mach Learn
Res 11:1605, describe what is gained in accuracy for what is lost in coverage.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from osteon.errors import OsteonError
from osteon.predictions import TaskFacts
from osteon.scoring.calibrated.points import share_row
from osteon.scoring.calibrated.temperature import EDGE
from osteon.scoring.metrics import sample_of
from osteon.scoring.sample import Floats
from osteon.scoring.units import scores

SHARES = tuple(round(0.05 * step, 2) for step in range(11))


@dataclass(frozen=True)
class Band:
    """Two thresholds: a unit is positive above `high`, negative at or below `low`, inconclusive between them.

    Of several classes `low` is 0 and a unit is inconclusive where its highest probability is not above `high`.

    Attributes:
        low: lower threshold.
        high: upper threshold.
        asked: the share of val that may be inconclusive.
        found: the share of val that is; ties can make it smaller.
    """

    low: float
    high: float
    asked: float
    found: float


def check_share(value: float) -> float:
    """Return a share of units that may be left inconclusive.

    Raises:
        OsteonError: it is not in [0, 1).
    """
    if not 0 <= value < 1:
        raise OsteonError(f"--inconclusive: found {value:g}, expected a share from 0 to below 1, such as 0.1.")
    return value


def fit_band(val: pd.DataFrame, facts: TaskFacts, threshold: float, asked: float) -> Band:
    """Return the band that leaves at most `asked` of the labelled units of val inconclusive.

    The units nearest to the threshold in log odds; of several classes those with the lowest highest probability.

    Args:
        val: units of val.
        facts: of the task; binary, multiclass or ordinal.
        threshold: the operating point that the band lies round; of no meaning for several classes.
        asked: share of val, in [0, 1).
    """
    score = scores(val[val["target"].notna()], facts)
    away = _away(score, threshold)
    order = np.sort(away)
    count = int(asked * len(order) + 1e-9)
    inside = order[order < order[count]] if count else order[:0]
    reach = float((inside[-1] + order[count]) / 2) if len(inside) else (0.0 if score.ndim == 1 else -1.0)
    if score.ndim > 1:
        cut = max(reach, 0.0)
        return Band(0.0, cut, asked, float((away <= cut).mean()) if len(away) else 0.0)
    if not len(inside):
        return Band(threshold, threshold, asked, 0.0)
    from scipy.special import expit

    middle = _log_odds(np.array([threshold]))[0]
    low, high = float(expit(middle - reach)), float(expit(middle + reach))
    return Band(low, high, asked, float(((score > low) & (score <= high)).mean()))


def _log_odds(score: Floats) -> Floats:
    from scipy.special import logit

    found: Floats = logit(np.clip(score, EDGE, 1 - EDGE))
    return found


def _away(score: Floats, threshold: float) -> Floats:
    if score.ndim > 1:
        highest: Floats = score.max(1)
        return highest
    away: Floats = np.abs(_log_odds(score) - _log_odds(np.array([threshold])))
    return away


def band_rows(test: pd.DataFrame, facts: TaskFacts, threshold: float, band: Band) -> Iterator[dict[str, Any]]:
    """Yield coverage, and accuracy, sensitivity and specificity of what is answered, on the labelled units of test."""
    sample = sample_of(test, facts, threshold if facts.head == "binary" else None)
    score = sample.score
    decided = score.max(1) > band.high if score.ndim > 1 else (score > band.high) | (score <= band.low)
    call = sample.call if score.ndim > 1 else (score > band.high).astype(np.intp)
    right = (call == sample.target)[decided]
    base = {"asked": band.asked, "low": band.low, "high": band.high}
    yield base | {"metric": "coverage"} | share_row(decided, sample.cluster)
    yield base | {"metric": "accuracy"} | share_row(right, sample.cluster[decided])
    if facts.head == "binary":
        for name, kind in (("sensitivity", 1), ("specificity", 0)):
            of = decided & (sample.target == kind)
            yield base | {"metric": name} | share_row((call == sample.target)[of], sample.cluster[of])


def curve(val: pd.DataFrame, test: pd.DataFrame, facts: TaskFacts, threshold: float) -> pd.DataFrame:
    """Return `band_rows` for shares of val from 0 to 0.5: every band is fitted on val, and measured on test."""
    bands = [fit_band(val, facts, threshold, share) for share in SHARES]
    return pd.DataFrame([row for band in bands for row in band_rows(test, facts, threshold, band)])
