"""The audit of a run, from its files: predictions, thresholds, manifest, config and margins."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from osteon.audit.compared import MEASURE, Asked, compared
from osteon.audit.features import baselines
from osteon.audit.groups import group_rows
from osteon.audit.truths import manifest_of, tasks_of, truth_of
from osteon.audit.words import warnings
from osteon.errors import OsteonError, nearest
from osteon.files import aside
from osteon.predictions import Predictions
from osteon.scoring.table import to_records
from osteon.scoring.thresholds import Threshold

MARGINS = "margins.parquet"
COLUMNS = {
    **dict.fromkeys(("task", "kind", "name", "shown", "unit", "metric"), "object"),
    **dict.fromkeys(
        ("value", "lo", "hi", "model", "difference", "difference_lo", "difference_hi", "chance"), "Float64"
    ),
    "share": "Float64",
    **dict.fromkeys(("n", "n_clusters"), "Int64"),
    **dict.fromkeys(("verdict", "method", "note", "source"), "object"),
}


@dataclass(frozen=True)
class Audited:
    """What an audit found.

    Attributes:
        table: a row a task and baseline, then a row a task, group and score.
        warnings: in plain words; empty where nothing is to be said.
        notes: what could not be judged, and why.
    """

    table: pd.DataFrame
    warnings: tuple[str, ...]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return what `result.json` holds under `audit`."""
        return {"warnings": list(self.warnings), "notes": list(self.notes), "rows": to_records(self.table)}

    def write(self, folder: Path) -> None:
        """Write `audit.csv`, whole or not at all."""
        with aside(folder / "audit.csv") as draft:
            self.table.to_csv(draft, index=False)


def audit_run(
    folder: Path,
    predictions: Predictions,
    thresholds: Mapping[str, Threshold],
    *,
    task: str | None = None,
    replicates: int = 1000,
) -> Audited:
    """Hold a run's model to baselines that see no bone, and score it by group. Nothing is fitted on test.

    Args:
        folder: the run's, with `manifest.parquet`, `config.yaml` and, unless it is an older run, `margins.parquet`.
        predictions: of it.
        thresholds: frozen by it.
        task: this one only; None: all but boxes, whose whole-image answers stand for them.
        replicates: bootstrap replicates behind the interval of a difference.

    Raises:
        OsteonError: a file is missing or damaged, or there is no such task.
    """
    names = [name for name, facts in predictions.tasks.items() if facts.head in MEASURE]
    if task is not None and task not in names:
        boxes = " Boxes are audited by their whole-image answer." if task in predictions.tasks else ""
        raise OsteonError(f"--task: found {task!r}, expected one of {', '.join(names)}.{boxes or nearest(task, names)}")
    manifest, config = manifest_of(folder), tasks_of(folder)
    file = folder / MARGINS
    margins = pd.read_parquet(file) if file.is_file() else None
    rows: list[dict[str, Any]] = []
    notes = [] if margins is not None else [f"no {MARGINS} in the run: size and margin of the films were not looked at"]
    train, targets = (manifest["split"] == "train").to_numpy(), _targets(config)
    shown = list(baselines(manifest, margins, train, targets))
    for name in [task] if task is not None else names:
        rows += _of_task(name, predictions, manifest, config, shown, targets, thresholds, replicates)
    table = empty(rows)
    table["source"] = "+".join(sorted(set(predictions.frame["source"])))
    said = warnings(table, predictions.tasks)
    left = table[(table["kind"] == "baseline") & (table["verdict"] == "not judged")]
    notes += [f"{row.task}, {row.name}: not judged, {row.note}" for row in left.itertuples(name="Row", index=False)]
    return Audited(table, tuple(said), tuple(notes))


def _of_task(
    name: str,
    predictions: Predictions,
    manifest: pd.DataFrame,
    config: Mapping[str, Any],
    shown: list[Any],
    targets: set[str],
    thresholds: Mapping[str, Threshold],
    replicates: int,
) -> Iterator[dict[str, Any]]:
    facts, frame = predictions.tasks[name], predictions.frame
    test = frame[(frame["task"] == name) & (frame["split"] == "test")].reset_index(drop=True)
    if test.empty:
        return
    if lost := sorted(set(test["image_id"]) - set(manifest["image_id"])):
        raise OsteonError(
            f"task {name}: {len(lost)} images of predictions/test.parquet are not in manifest.parquet, first "
            f"{lost[0]}. "
            "Restore the files that the run left."
        )
    truth = truth_of(name, predictions.tasks, manifest, config)
    train = (manifest["split"] == "train").to_numpy() & ~np.isnan(truth)
    asked = Asked(name, facts, test, truth, train, manifest["image_id"], replicates)
    yield from (compared(asked, baseline) for baseline in shown)
    yield from group_rows(name, facts, test, manifest, thresholds.get(name), targets)


def empty(rows: Sequence[Mapping[str, Any]] = ()) -> pd.DataFrame:
    """Return rows as a table of an audit; none by default."""
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def read_audit(folder: Path) -> pd.DataFrame | None:
    """Return the rows of a run's `audit.csv`; None where there is none.

    Raises:
        OsteonError: the file is not one that an audit wrote.
    """
    file = folder / "audit.csv"
    if not file.is_file():
        return None
    try:
        return empty(pd.read_csv(file, keep_default_na=False, na_values=[""])[list(COLUMNS)].to_dict("records"))  # type: ignore[arg-type]
    except (OSError, ValueError, KeyError) as fault:
        raise OsteonError(
            f"{file}: not the table of an audit ({fault}). Make it again: osteon audit {folder}"
        ) from fault


def _targets(config: Mapping[str, Any]) -> set[str]:
    found = [task.get("target") or [] for task in config.values()]
    found += [(task.get("whole") or {}).get("target") or [] for task in config.values()]
    return {name for one in found for name in ([one] if isinstance(one, str) else one)}
