"""What the images of a run's manifest are labelled with, train among them: predictions hold val and test only."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteon.errors import OsteonError
from osteon.manifest import asked_of
from osteon.predictions import TaskFacts, owner

Floats = NDArray[np.float64]
_NEEDED = "Audits need the folder of a training of Osteon; of an ensemble audit its members."


def tasks_of(folder: Path) -> dict[str, Any]:
    """Return what `config.yaml` of a run says of its tasks, as plain containers.

    Raises:
        OsteonError: the file is missing or says nothing of tasks.
    """
    import yaml

    file = folder / "config.yaml"
    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
        tasks = found["tasks"]
        return {str(name): dict(task) for name, task in tasks.items()}
    except FileNotFoundError as fault:
        raise OsteonError(f"{file}: no such file. {_NEEDED}") from fault
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as fault:
        raise OsteonError(
            f"{file}: not the settings of a run ({fault}). Restore the file that the run left."
        ) from fault


def manifest_of(folder: Path) -> pd.DataFrame:
    """Return `manifest.parquet` of a run.

    Raises:
        OsteonError: it is missing, unreadable or lacks `image_id` or `split`.
    """
    file = folder / "manifest.parquet"
    if not file.is_file():
        raise OsteonError(f"{file}: no such file. {_NEEDED}")
    try:
        found = pd.read_parquet(file)
    except (OSError, ValueError) as fault:
        raise OsteonError(
            f"{file}: not a readable parquet file ({fault}). Restore the file that the run left."
        ) from fault
    if lacking := [name for name in ("image_id", "split", "dataset") if name not in found]:
        raise OsteonError(f"{file}: lacks column {', '.join(lacking)}. Restore the file that the run left.")
    return found


def truth_of(name: str, known: Mapping[str, TaskFacts], manifest: pd.DataFrame, tasks: Mapping[str, Any]) -> Floats:
    """Return (N,) labels of the manifest's rows for a task of the predictions; NaN where nobody looked or asked.

    Args:
        name: the task: one of the config, a finding of one, or the whole-image answer of one with boxes.
        known: the facts of all tasks of the predictions.
        manifest: N rows.
        tasks: of the config, as `tasks_of` returns them.

    Raises:
        OsteonError: the config has no such task, or the manifest no such column.
    """
    mine = owner(name, tasks)
    if mine is None:
        raise OsteonError(f"task {name}: config.yaml has {', '.join(tasks)}. Restore the file that the run left.")
    task, label = tasks[mine], bool(known[name].of)
    whole = {} if label or mine == name else task.get("whole") or {}
    column = name.removeprefix(f"{mine}.") if label else whole.get("target") or task["target"]
    if column not in manifest:
        raise OsteonError(
            f"task {name}: manifest.parquet has no column {column!r}. Restore the file that the run left."
        )
    if mine != name and not label and not whole.get("target"):
        values = _of_boxes(manifest[column], task, known[mine].classes)
    else:
        values = manifest[column].to_numpy(np.float64, copy=True)
    where = {column: value for column, value in (task.get("where") or {}).items() if column in manifest}
    values[~asked_of(manifest, _dataset_names(task), where)] = np.nan
    return values


def _dataset_names(task: Mapping[str, Any]) -> list[str]:
    return [one["name"] for one in (task["dataset"], *(task.get("also") or {}).values())]


def _of_boxes(cells: pd.Series, task: Mapping[str, Any], classes: Sequence[str]) -> Floats:
    """Return 1 where an image has a box that counts, 0 where it has none, NaN where nobody looked."""
    wanted = (task.get("whole") or {}).get("classes") or classes
    counted = {classes.index(one) for one in wanted if one in classes}
    return np.array([_counts(cell, counted) for cell in cells], np.float64)


def _counts(cell: Any, counted: set[int]) -> float:
    if cell is None or np.ndim(cell) == 0:
        return float("nan")
    return float(any(int(box[4]) in counted for box in cell))
