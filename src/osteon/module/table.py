"""From what the heads say of manifest rows to the table of predictions."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from osteon.data import Canvas
from osteon.errors import OsteonError
from osteon.module.boxes_table import WholeImage, box_columns, whole_columns
from osteon.predictions import TaskFacts

KEYS = ("image_id", "group_id", "patient_id", "study_id", "dataset", "split", "laterality")


@dataclass(frozen=True)
class PredictionTable:
    """Joins decoded outputs with the ids, units and targets of their manifest rows.

    Attributes:
        manifest: index 0..N-1, with `split`, `group_id` and the columns that tasks group by.
        targets: task -> (N,) target, NaN where nobody looked; of a multilabel task (N, labels).
        members: task -> (N,) bool, whether the row belongs to the task at all.
        facts: task -> unit, pooling and thresholds; for a multilabel task those of its labels, in their order, each
            of which is a task of its own here.
        source: `real` or `phantom`.
        canvas: where images lie in their canvas; None where no task has boxes.
        wholes: task -> which boxes of which task its one answer an image is made of.
    """

    manifest: pd.DataFrame
    targets: Mapping[str, np.ndarray]
    members: Mapping[str, np.ndarray]
    facts: Mapping[str, TaskFacts]
    source: str
    canvas: Canvas | None = None
    wholes: Mapping[str, WholeImage] = field(default_factory=dict)

    @property
    def watched(self) -> dict[str, TaskFacts]:
        """The tasks that an epoch is chosen by: not what is made of another's boxes."""
        return {name: facts for name, facts in self.facts.items() if name not in self.wholes}

    def build(self, rows: np.ndarray, decoded: Mapping[str, Mapping[str, np.ndarray]]) -> pd.DataFrame:
        """Return one row an image and task, duplicates of an image dropped.

        Args:
            rows: (B,) manifest rows.
            decoded: task -> column -> (B,) or (B, K) values; of a multilabel task (B, labels); boxes are objects (B,)
                of (n, 6) numbers in canvas pixels.
        """
        first = np.unique(rows, return_index=True)[1]
        parts = []
        for task, columns in decoded.items():
            mine = self.members[task][rows[first]]
            at, order = rows[first][mine], first[mine]
            chosen = {name: values[order] for name, values in columns.items()}
            if self.targets[task].ndim == 3:
                parts += self._of_boxes(task, at, chosen["boxes"])
                continue
            if self.targets[task].ndim == 1:
                parts.append(self._of_task(task, at, self.targets[task][at], chosen))
                continue
            for place, label in enumerate(self.labels(task)):
                one = {name: values[:, place] for name, values in chosen.items()}
                parts.append(self._of_task(label, at, self.targets[task][at, place], one))
        return pd.concat(parts, ignore_index=True)

    def _of_boxes(self, task: str, rows: np.ndarray, boxes: np.ndarray) -> list[pd.DataFrame]:
        assert self.canvas is not None
        columns = box_columns(rows, boxes, self.targets[task][rows], self.canvas)
        parts = [self._keyed(task, rows).assign(**{name: pd.Series(cells) for name, cells in columns.items()})]
        for name, whole in self.wholes.items():
            if whole.owner == task:
                told = whole_columns(columns, whole.classes)
                told |= {} if whole.truth is None else {"target": whole.truth[rows]}
                parts.append(self._keyed(name, rows).assign(**told))
        return parts

    def labels(self, task: str) -> list[str]:
        """Return the tasks that the labels of a multilabel task are written as, in their order."""
        return [name for name, facts in self.facts.items() if facts.of == task]

    def _of_task(
        self, task: str, rows: np.ndarray, target: np.ndarray, columns: Mapping[str, np.ndarray]
    ) -> pd.DataFrame:
        frame = self._keyed(task, rows)
        frame["target"] = target.astype(np.float64)
        for name, values in columns.items():
            frame[name] = list(values.astype(np.float64)) if values.ndim > 1 else values.astype(np.float64)
        return frame

    def _keyed(self, task: str, rows: np.ndarray) -> pd.DataFrame:
        """Return what says whose the rows are."""
        groups = [name for name in self.facts[task].groups if name not in KEYS]
        frame = self.manifest.iloc[rows][[*KEYS, *groups]].reset_index(drop=True)
        frame.insert(0, "task", task)
        return frame.assign(unit_id=unit_ids(frame, self.facts[task].unit), source=self.source)


def unit_ids(frame: pd.DataFrame, unit: str) -> pd.Series:
    """Return what is scored as one: the image, the exam, the exam's side, or the patient.

    Where a dataset does not know patients, the exam stands alone within its dataset. `check_units` has made sure that
    the columns which the unit needs are there.
    """
    if unit == "image":
        return frame["image_id"]
    owner = _part(frame["patient_id"]).fillna(_part(frame["dataset"]))
    if unit == "patient":
        return owner
    study = owner + "/" + _part(frame["study_id"])
    return study if unit == "study" else study + "/" + _part(frame["laterality"])


def check_units(frame: pd.DataFrame, unit: str, key: str) -> None:
    """Refuse a unit that rows cannot be told apart by, rather than score something else under its name.

    Raises:
        OsteonError: rows lack the exam, side or patient that `unit` is made of.
    """
    needed = {"study": ["study_id"], "joint": ["study_id", "laterality"], "patient": ["patient_id"]}.get(unit, [])
    for column in needed:
        lacking = frame[frame[column].isna()]
        if len(lacking):
            raise OsteonError(
                f"{key}: found {unit!r}, but {len(lacking):,} of {len(frame):,} images have no {column} "
                f"(first: {lacking['image_id'].iloc[0]}). Fill the column, or score another unit: {key}=image"
            )


def _part(ids: pd.Series) -> pd.Series:
    """Escape the separator, so that `p1/2` + `1` and `p1` + `2/1` stay two units."""
    return ids.str.replace("%", "%25").str.replace("/", "%2F")
