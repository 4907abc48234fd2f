"""One task calibrated: everything fitted on the units of val, everything measured on those of test."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from osteon.errors import OsteonError
from osteon.predictions import TaskFacts
from osteon.scoring.calibrated import inconclusive, points, reliability
from osteon.scoring.calibrated.inconclusive import Band
from osteon.scoring.calibrated.temperature import Temperature, apply, fit
from osteon.scoring.thresholds import Threshold

NOT_BINARY = "predictive values at a prevalence are of a question with two answers: none here"


@dataclass(frozen=True)
class TaskCalibration:
    """One task calibrated.

    Attributes:
        task: its name.
        facts: of the task.
        source: real or phantom.
        temperature: fitted on val.
        threshold: the operating point that the band lies round: the frozen one, else the protocol's; None for classes.
        scores: Brier, log loss and ECE on test, before and after.
        before: bins of reliability as predicted.
        after: calibrated.
        points: operating points fitted on val, measured on test; binary tasks only.
        band: the inconclusive one, fitted on val.
        curve: coverage and accuracy on test, for bands fitted on val.
        notes: what could not be measured, and why.
    """

    task: str
    facts: TaskFacts
    source: str
    temperature: Temperature
    threshold: float | None
    scores: pd.DataFrame
    before: pd.DataFrame
    after: pd.DataFrame
    points: pd.DataFrame
    band: Band
    band_rows: pd.DataFrame
    curve: pd.DataFrame
    notes: tuple[str, ...]


def calibrate(
    task: str,
    facts: TaskFacts,
    val: pd.DataFrame,
    test: pd.DataFrame,
    temperature: Temperature | None = None,
    threshold: Threshold | None = None,
    *,
    prevalences: Sequence[float] = (),
    share: float = 0.1,
    replicates: int = 1000,
    seed: int = 0,
) -> TaskCalibration:
    """Calibrate one task.

    Args:
        task: its name.
        facts: of the task.
        val: its units of val, as `units` makes them.
        test: those of test.
        temperature: frozen by the run; None: fitted here, on val.
        threshold: frozen by the run.
        prevalences: at which predictive values are asked for.
        share: of val that may be inconclusive.
        replicates: bootstrap replicates behind an interval.
        seed: the same seed gives the same intervals.

    Raises:
        OsteonError: the head has no probabilities, val has one outcome only, or test has no labelled unit.
    """
    found = temperature or fit(val, facts)
    test = test[test["target"].notna()]
    if test.empty:
        raise OsteonError("test has no labelled unit: there is nothing to measure calibration on.")
    binary = facts.head == "binary"
    cut = threshold.value if threshold is not None else facts.protocol_threshold
    after, band = apply(test, facts, found), inconclusive.fit_band(val, facts, cut, share)
    rows: list[dict[str, object]] = []
    if binary:
        rows = list(points.point_rows(test, facts, points.thresholds_of(val, facts, threshold), prevalences))
    return TaskCalibration(
        task,
        facts,
        "+".join(sorted(set(test["source"]))) if "source" in test else "real",
        found,
        cut if binary else None,
        pd.DataFrame(reliability.score_rows(test, after, facts, replicates, seed)),
        reliability.bins(test, facts),
        reliability.bins(after, facts),
        pd.DataFrame(rows, columns=list(points.COLUMNS)),
        band,
        pd.DataFrame(inconclusive.band_rows(test, facts, cut, band)),
        inconclusive.curve(val, test, facts, cut),
        (*_notes(test, facts, found), *([] if binary or not prevalences else [NOT_BINARY])),
    )


def _notes(test: pd.DataFrame, facts: TaskFacts, temperature: Temperature) -> tuple[str, ...]:
    present = np.unique(test["target"].to_numpy(np.intp))
    lacking = [name for index, name in enumerate(facts.classes) if index not in present]
    notes = [f"test has no {', '.join(lacking)}: what leans on it has no value"] if lacking else []
    return (*notes, *([f"temperature {temperature.note}"] if temperature.note else []))
