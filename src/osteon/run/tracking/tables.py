"""What a run found, as the plain tables that W&B shows: predictions and scores."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from osteon.predictions import TaskFacts
from osteon.scoring.grades import called as grade_called
from osteon.scoring.thresholds import Threshold

SCORES = ("task", "split", "group", "operating_point", "metric", "value", "lo", "hi", "n")


def called(frame: pd.DataFrame, facts: TaskFacts, threshold: Threshold | None) -> pd.DataFrame:
    """Return the predictions of one task with what was called.

    Args:
        frame: one row an image; `image_id`, `unit_id`, `split`, `target`, and the columns of its head.
        facts: of the task.
        threshold: frozen on val; without one the protocol's. A binary call is positive strictly above it.

    Returns:
        image_id, unit_id, split, target and call (class names, target null where nobody looked), probability (of the
        positive class; of the class called where there are several), p_truth (of the true class, NaN without one).
        Of a regression: target and call are numbers, and instead of probabilities there is their error (call - target).
    """
    table = frame[["image_id", "unit_id", "split"]].astype("object").reset_index(drop=True)
    binary, target = facts.head == "binary", frame["target"].to_numpy(np.float64)
    if facts.head == "regression":
        value = frame["value"].to_numpy(np.float64)
        return table.assign(target=target, call=value, error=value - target)
    if binary:
        positive = frame["probability"].to_numpy(np.float64)
        matrix = np.column_stack([1 - positive, positive])
        call = (positive > (facts.protocol_threshold if threshold is None else threshold.value)).astype(int)
    else:
        matrix = np.stack(frame["probabilities"].to_list()).astype(np.float64)
        call = matrix.argmax(1)
    if facts.head == "ordinal":
        call = grade_called(matrix, frame["value"].to_numpy(np.float64), facts.call)
    names, rows, known = np.array(facts.classes, dtype=object), np.arange(len(frame)), ~np.isnan(target)
    truth = np.where(known, target, 0).astype(int)
    table["target"] = pd.Series(names[truth], dtype="object").where(known, None)
    table["call"] = names[call]
    table["probability"] = matrix[:, 1] if binary else matrix[rows, call]
    table["p_truth"] = np.where(known, matrix[rows, truth], np.nan)
    return table


def sampled(table: pd.DataFrame, rows: int) -> pd.DataFrame:
    """Return at most `rows` rows in their order, drawn by chance and alike on every call."""
    return table if len(table) <= rows else table.sample(rows, random_state=0).sort_index()


def score_rows(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the score table's columns that a reader compares runs by, missing values as None."""
    chosen = scores[list(SCORES)].astype("object")
    return chosen.where(chosen.notna(), None)


def summary(scores: pd.DataFrame) -> dict[str, float]:
    """Return the overall scores by name, `result/test/<task>/auroc` or `.../kappa@frozen`: what runs are sorted by."""
    whole = scores[(scores["group"] == "all") & scores["value"].notna()]
    points = whole["operating_point"].fillna("")
    names = whole["split"] + "/" + whole["task"] + "/" + whole["metric"] + points.where(points == "", "@" + points)
    return {f"result/{name}": float(value) for name, value in zip(names, whole["value"], strict=True)}


def plain(table: pd.DataFrame) -> Mapping[str, Any]:
    """Return the arguments of `wandb.Table`: names of columns, and rows of plain Python values."""
    rows = table.astype("object").to_numpy(dtype=object).tolist()
    return {"columns": [str(name) for name in table.columns], "data": rows}
