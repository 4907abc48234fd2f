"""The score table: every metric of every task, split and group, with its interval, at both operating points."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from osteon.predictions import Predictions, TaskFacts
from osteon.scoring.macro import owners, score_labels
from osteon.scoring.rows import COLUMNS, Point, check_replicates, score_units
from osteon.scoring.thresholds import THRESHOLDED, Threshold
from osteon.scoring.units import units

__all__ = ["COLUMNS", "Point", "check_replicates", "points", "score", "score_units", "to_records"]


def score(
    predictions: Predictions,
    thresholds: Mapping[str, Threshold] | None,
    *,
    replicates: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Score every task and split of a table of predictions.

    Args:
        predictions: checked image predictions.
        thresholds: the thresholds frozen on val, by task; without one a task has the protocol's operating point only.
        replicates: bootstrap replicates behind an interval, 100 or more.
        seed: the same seed gives the same intervals.

    Returns:
        Tidy rows: task, split, split_name, unit, group ("all" or "body_part=wrist"), operating_point ("protocol",
        "frozen", null for metrics without a threshold), threshold, metric, value, lo, hi (missing where undefined),
        n (labelled units), n_positive (of boxes: true boxes that the score is of), n_clusters (patients), method, note,
        source. The findings of a multilabel task are tasks of their own; its macro scores follow under its own name.

    Raises:
        OsteonError: images of a unit disagree where truth is "same", or there are too few replicates.
    """
    pooled: dict[tuple[str, str], pd.DataFrame] = {}
    parts = []
    for (name, half), frame in predictions.frame.groupby(["task", "split"], sort=False):
        task, split = str(name), str(half)
        facts, frozen = predictions.tasks[task], (thresholds or {}).get(task)
        pooled[task, split] = units(frame, facts)
        operating = points(facts, frozen, split)
        labels = _labels(predictions, task, split)
        parts.append(score_units(pooled[task, split], facts, labels, operating, replicates, seed))
    for owner, names in owners(predictions.tasks).items():
        for split in dict.fromkeys(split for task, split in pooled if task in names):
            tables = {task: pooled[task, split] for task in names if (task, split) in pooled}
            labels = _labels(predictions, names[0], split) | {"task": owner}
            parts.append(score_labels(tables, predictions.tasks, labels, replicates, seed))
    return pd.concat(parts, ignore_index=True)


def points(facts: TaskFacts, frozen: Threshold | None, split: str) -> list[Point]:
    """Return a task's operating points; a head without a threshold has one without a name."""
    if facts.head not in THRESHOLDED:
        return [Point("")]
    found = [Point("protocol", facts.protocol_threshold)]
    if frozen is not None:
        fitted = "optimistic: threshold fitted on this split" if split == frozen.split else ""
        found.append(Point("frozen", frozen.value, fitted))
    return found


def to_records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows as plain JSON values; what is missing is None."""
    plain = table.astype(object)
    return [
        {str(key): value for key, value in row.items()} for row in plain.where(plain.notna(), None).to_dict("records")
    ]


def _labels(predictions: Predictions, task: str, split: str) -> dict[str, Any]:
    return {"task": task, "split": split, "split_name": predictions.split_name(task, split)}
