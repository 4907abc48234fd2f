"""A run calibrated from its files: which tasks can be, and `calibration.json`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from osteon.errors import OsteonError, nearest
from osteon.files import write_json
from osteon.predictions import Predictions
from osteon.scoring.calibrated.inconclusive import check_share
from osteon.scoring.calibrated.prevalence import check_prevalence
from osteon.scoring.calibrated.table import TaskCalibration, calibrate
from osteon.scoring.calibrated.temperature import HEADS, Temperature
from osteon.scoring.rows import check_replicates
from osteon.scoring.table import to_records
from osteon.scoring.thresholds import Threshold
from osteon.scoring.units import units

CALIBRATION, TEMPERATURES = "calibration.json", "temperatures.json"
TABLES = ("scores", "before", "after", "points", "band_rows", "curve")


@dataclass(frozen=True)
class Calibrated:
    """A run's tasks calibrated, and what to say of those that could not be."""

    tasks: dict[str, TaskCalibration]
    left_out: dict[str, str]

    def write(self, path: Path) -> None:
        """Write everything as JSON, whole or not at all; what has no value is null."""
        found = {name: _plain(one) for name, one in self.tasks.items()}
        write_json(path, {"fitted_on": "val", "measured_on": "test", "tasks": found, "left_out": self.left_out})


def _plain(one: TaskCalibration) -> dict[str, Any]:
    tables = {name: to_records(getattr(one, name)) for name in TABLES}
    about = {"source": one.source, "unit": one.facts.unit, "threshold": one.threshold, "notes": list(one.notes)}
    return about | {"temperature": asdict(one.temperature), "band": asdict(one.band)} | tables


def calibrate_run(
    predictions: Predictions,
    thresholds: Mapping[str, Threshold],
    temperatures: Mapping[str, Temperature],
    *,
    task: str | None = None,
    prevalences: Sequence[float] = (),
    share: float = 0.1,
    replicates: int = 1000,
    strict: bool = True,
) -> Calibrated:
    """Calibrate the tasks of a run that have probabilities.

    Args:
        predictions: of val and test.
        thresholds: frozen by the run.
        temperatures: frozen by the run; a task without one is fitted on val here.
        task: this one only; None: all that have probabilities.
        prevalences: at which predictive values are asked for, each between 0 and 1.
        share: of val that may be inconclusive, in [0, 1).
        replicates: bootstrap replicates behind an interval, 100 or more.
        strict: whether it is an error that no task can be calibrated.

    Raises:
        OsteonError: an argument is out of its range, there is no such task, it cannot be calibrated, or none can.
    """
    check_replicates(replicates)
    check_share(share)
    asked = tuple(dict.fromkeys(check_prevalence(one) for one in prevalences))
    if task is not None and task not in predictions.tasks:
        names = ", ".join(predictions.tasks)
        raise OsteonError(f"--task: found {task!r}, the run has {names}.{nearest(task, predictions.tasks)}")
    found, left_out = {}, {}
    for name, facts in predictions.tasks.items():
        if task is not None and name != task:
            continue
        try:
            if facts.head not in HEADS:
                raise OsteonError(f"a {facts.head} head gives no probability to calibrate; {', '.join(HEADS)} do.")
            val, test = (_units(predictions, name, split) for split in ("val", "test"))
            held, cut = temperatures.get(name), thresholds.get(name)
            more: dict[str, Any] = {"prevalences": asked, "share": share, "replicates": replicates}
            found[name] = calibrate(name, facts, val, test, held, cut, **more)
        except OsteonError as fault:
            left_out[name] = str(fault)
    if strict and not found:
        raise OsteonError("; ".join(f"task {name}: {why}" for name, why in left_out.items()))
    return Calibrated(found, left_out)


def _units(predictions: Predictions, task: str, split: str) -> pd.DataFrame:
    frame = predictions.frame
    rows = frame[(frame["task"] == task) & (frame["split"] == split)]
    if rows.empty:
        raise OsteonError(
            f"no predictions of {split}: predictions/{split}.parquet is missing or has no row of it. Calibration is "
            "fitted on val and measured on test; restore the file that the run left, or train the run again."
        )
    return units(rows, predictions.tasks[task])
