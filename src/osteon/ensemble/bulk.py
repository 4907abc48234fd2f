"""One score of many ensembles at once, to the last digit what `scoring` gives each alone."""

import warnings

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteon.predictions import TaskFacts
from osteon.scoring import counts
from osteon.scoring.metrics import Metric, estimate, sample_of
from osteon.scoring.sample import Floats, ratio

# Metrics that are a formula of the confusion counts.
COUNTED = {
    formula.__name__: formula
    for formula in (
        counts.kappa,
        counts.sensitivity,
        counts.specificity,
        counts.ppv,
        counts.npv,
        counts.accuracy,
        counts.balanced_accuracy,
        counts.f1,
    )
}


def scores_of(item: Metric, score: Floats, value: Floats, table: pd.DataFrame, facts: TaskFacts) -> Floats:
    """Return the metric of each of s ensembles on the labelled units, NaN where it is undefined.

    Calls are made at the protocol's threshold.

    Args:
        item: the metric.
        score: (s, u) or (s, classes, u) scores of u units.
        value: (s, u) expected grades; of no units where the head has none.
        table: the u units: target, group_id.
        facts: of the task.
    """
    known = table["target"].notna().to_numpy()
    if facts.head == "binary" and (item.name == "auroc" or item.name in COUNTED):
        positive = table["target"].to_numpy(np.float64)[known] == 1
        if item.name == "auroc":
            return auroc(score[:, known], positive)
        called = score[:, known] > facts.protocol_threshold
        tp, fp = (called[:, kind].sum(1).astype(np.float64) for kind in (positive, ~positive))
        return COUNTED[item.name](tp, fp, positive.sum() - tp, (~positive).sum() - fp)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = [_alone(item, one, value[at] if value.size else None, table, facts) for at, one in enumerate(score)]
    return np.array([np.nan if one is None else one for one in found])


def _alone(item: Metric, score: Floats, value: Floats | None, table: pd.DataFrame, facts: TaskFacts) -> float | None:
    if facts.head in ("binary", "regression"):
        columns = {"probability" if facts.head == "binary" else "value": score}
    else:
        columns = {f"p{index}": column for index, column in enumerate(score)}
        columns |= {} if value is None else {"value": value}
    return estimate(item, sample_of(table.assign(**columns), facts), facts.head)


def auroc(score: Floats, positive: NDArray[np.bool_]) -> Floats:
    """Return the (s,) areas of (s, u) scores by the positives' midranks (Hanley and McNeil 1982, Radiology 143:29)."""
    order = np.argsort(score, axis=1)
    ranked, found = np.take_along_axis(score, order, axis=1), positive[order]
    place = np.arange(score.shape[1])
    fresh = np.diff(ranked, axis=1) != 0
    edge = np.ones((len(score), 1), bool)
    start = np.maximum.accumulate(np.where(np.concatenate([edge, fresh], axis=1), place, 0), axis=1)
    last = np.where(np.concatenate([fresh, edge], axis=1), place, len(place))
    end = np.minimum.accumulate(last[:, ::-1], axis=1)[:, ::-1]
    # Twice the midranks from 1: whole numbers, so that no sum is rounded.
    twice = ((start + end + 2) * found).sum(1)
    m, n = int(positive.sum()), int((~positive).sum())
    wins = (twice - m * (m + 1)) / 2
    return ratio(wins, np.full(len(score), float(m * n)))
