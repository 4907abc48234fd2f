"""Operating points frozen on val, each by a rule of its own, and what they give on test."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteon.predictions import TaskFacts
from osteon.scoring.calibrated import prevalence as bayes
from osteon.scoring.intervals import interval
from osteon.scoring.metrics import METRICS, estimate, sample_of
from osteon.scoring.proportions import clustered
from osteon.scoring.sample import Codes, Floats, Sample
from osteon.scoring.thresholds import RULES, Threshold, fit

COLUMNS = ("rule", "threshold", "metric", "prevalence", "value", "lo", "hi", "n", "method")
CALLED = ("sensitivity", "specificity")
NONE: Floats = np.empty(0)


def thresholds_of(val: pd.DataFrame, facts: TaskFacts, frozen: Threshold | None) -> dict[str, float]:
    """Return rule -> threshold: the protocol's, the one that the run froze, and every rule fitted on val.

    Raises:
        OsteonError: val has no labelled positive or no labelled negative unit.
    """
    found = {"protocol": facts.protocol_threshold}
    if frozen is not None:
        found[f"{frozen.rule} (frozen)"] = frozen.value
    for rule in RULES:
        if frozen is None or rule != frozen.rule:
            found[rule] = fit(val, replace(facts, rule=rule)).value
    return found


def point_rows(
    test: pd.DataFrame, facts: TaskFacts, thresholds: Mapping[str, float], prevalences: Sequence[float]
) -> Iterator[dict[str, Any]]:
    """Yield sensitivity, specificity and predictive values of each threshold on the labelled units of test.

    PPV and NPV at the prevalence of test (with Wilson's interval), and at each that is asked for. A metric without a
    unit has no value.
    """
    for rule, value in thresholds.items():
        sample = sample_of(test, facts, value)
        own = float(sample.target.mean()) if len(sample.target) else None
        base = {"rule": rule, "threshold": value}
        for name in (*CALLED, "ppv", "npv"):
            found = estimate(METRICS[name], sample, "binary")
            bounds = interval(METRICS[name], sample, found, NONE)
            said = {"metric": name, "value": found, "lo": bounds.low, "hi": bounds.high, "method": bounds.method}
            yield base | said | {"prevalence": None if name in CALLED else own, "n": _counted(name, sample)}
        for asked in prevalences:
            yield from (base | row for row in _at(sample, asked))


def _at(sample: Sample, asked: float) -> Iterator[dict[str, Any]]:
    (hit, of_hit), (right, of_right) = _parts(sample)
    base = {"prevalence": asked, "n": len(sample.target)}
    if not len(hit) or not len(right):
        yield from (
            base | {"metric": name, "value": None, "lo": None, "hi": None, "method": "none"} for name in ("ppv", "npv")
        )
        return
    values = bayes.predictive_values(float(hit.mean()), float(right.mean()), asked)
    bounds = bayes.interval_of(hit, of_hit, right, of_right, asked)
    for name, value, (low, high) in zip(("ppv", "npv"), values, bounds, strict=True):
        told = {"metric": name, "value": value, "lo": None, "hi": None, "method": "none"}
        if value is not None:
            told |= {"lo": min(low, value), "hi": max(high, value), "method": bayes.METHOD}
        yield base | told


def _parts(sample: Sample) -> tuple[tuple[NDArray[np.bool_], Codes], tuple[NDArray[np.bool_], Codes]]:
    positive, right = sample.target == 1, sample.call == sample.target
    return (right[positive], sample.cluster[positive]), (right[~positive], sample.cluster[~positive])


def _counted(name: str, sample: Sample) -> int:
    given = sample.call if name in ("ppv", "npv") else sample.target
    return int((given == (1 if name in ("sensitivity", "ppv") else 0)).sum())


def share_row(success: NDArray[np.bool_], cluster: Codes) -> dict[str, Any]:
    """Return value, lo, hi and n of a share of units; without a unit there is none."""
    if not len(success):
        return {"value": None, "lo": None, "hi": None, "n": 0}
    low, high, _ = clustered(success, cluster)
    return {"value": float(success.mean()), "lo": low, "hi": high, "n": len(success)}
