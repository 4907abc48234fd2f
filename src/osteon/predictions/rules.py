"""The rules every table of predictions keeps; a breach names the first rows at fault."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from osteon.errors import OsteonError, nearest
from osteon.predictions.boxes import array_of, check_boxes, missing, with_arrays
from osteon.predictions.facts import TaskFacts

# The columns that a head's answers stand in.
SCORES = {
    "binary": ("probability",),
    "multiclass": ("probabilities",),
    "ordinal": ("probabilities", "value"),
    "regression": ("value",),
    "detection": ("boxes", "truth"),
}
REQUIRED = ("task", "split", "image_id", "group_id", "unit_id", "dataset", "source", "target")


def drop_repeats(frame: pd.DataFrame) -> pd.DataFrame:
    """Keep the first row of each (task, split, image_id): samplers repeat images, scores must not.

    Raises:
        OsteonError: the repeats of an image disagree on its target or on its true boxes.
    """
    key = ["task", "split", "image_id"]
    repeated = frame.duplicated(key, keep=False)
    if not repeated.any():
        return frame
    some = frame[repeated]
    differ = some.groupby(key)["target"].transform("nunique", dropna=False) > 1
    _refuse(some, differ.to_numpy(), "merged predictions", "the same image with different targets")
    if "truth" in some:
        drawn = pd.Series(
            [None if missing(cell) else array_of(cell, 5).tobytes() for cell in some["truth"]], some.index
        )
        differ = drawn.groupby([some[name] for name in key]).transform("nunique", dropna=False) > 1
        _refuse(some, differ.to_numpy(), "merged predictions", "the same image with different true boxes")
    return frame.drop_duplicates(key, ignore_index=True)


def check(
    frame: pd.DataFrame,
    tasks: Mapping[str, TaskFacts],
    where: str = "predictions",
    held: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Return `frame` with ids as strings, numbers as float64 and boxes as arrays, or say what is wrong with it.

    Args:
        frame: the table.
        tasks: what it says of its tasks.
        where: what it is, for what is said of it.
        held: the columns that the file itself has, where `frame` has had others added.

    Raises:
        OsteonError: a column is missing; an id is null; a split, source or task is unknown; a probability is outside
            [0, 1] or not finite; a value or a target is outside the scale or no class; a box has no meaning
            (`check_boxes`); an image repeats; a unit has two groups; a group two splits.
    """
    frame = _typed(frame, tasks, where, [str(name) for name in frame] if held is None else held)
    for name, options in (("split", ("val", "test")), ("source", ("real", "phantom")), ("task", tuple(tasks))):
        _refuse(frame, ~frame[name].isin(options), where, f"{name} is not one of {', '.join(options)}")
    for name, facts in tasks.items():
        rows = frame[frame["task"] == name]
        if len(rows):
            _check_numbers(rows, facts, f"{where}, task {name}")
    _refuse(frame, frame.duplicated(["task", "split", "image_id"]), where, "image_id repeats within its task and split")
    _refuse(frame, _varies(frame, ["task", "unit_id"], "group_id"), where, "one unit in two groups (group_id)")
    _refuse(frame, _varies(frame, ["task", "group_id"], "split"), where, "one group (patient) in two splits")
    return frame


def _typed(frame: pd.DataFrame, tasks: Mapping[str, TaskFacts], where: str, held: Sequence[str]) -> pd.DataFrame:
    needed = [*REQUIRED, *(column for facts in tasks.values() for column in SCORES[facts.head])]
    needed += [column for facts in tasks.values() for column in facts.groups]
    missing = [name for name in dict.fromkeys(needed) if name not in frame]
    if missing:
        hint = nearest(missing[0], held)
        raise OsteonError(
            f"{where}: no column {', '.join(missing)}; found {', '.join(held)}.{hint} "
            "unit_id is what is scored (repeat image_id to score images); group_id is the patient (or repeat unit_id)."
        )
    if frame.empty:
        raise OsteonError(f"{where}: no row. Nothing was predicted, so nothing can be scored.")
    frame = frame.copy(deep=False)
    for name in REQUIRED[:-1]:
        _refuse(frame, frame[name].isna(), where, f"{name} is empty")
        if not pd.api.types.is_string_dtype(frame[name]):
            frame[name] = frame[name].astype(str)
    for name in {"target", "probability", "value"} & set(frame.columns):
        number = pd.to_numeric(frame[name], errors="coerce")
        _refuse(frame, (number.isna() & frame[name].notna()), where, f"{name} is not a number")
        frame[name] = number.astype("float64")
    drawn = frame["task"].isin([name for name, facts in tasks.items() if facts.head == "detection"]).to_numpy()
    return with_arrays(frame, drawn, where) if drawn.any() else frame


def _check_numbers(rows: pd.DataFrame, facts: TaskFacts, where: str) -> None:
    if facts.head == "detection":
        _check_drawn(rows, facts, where)
        return
    target, count = rows["target"].to_numpy(), len(facts.classes)
    low, high = (facts.low, facts.high) if facts.head == "regression" else (0.0, count - 1.0)
    if "value" in SCORES[facts.head]:
        _check_scale(rows, "value", low, high, where)
    if facts.head == "regression":
        _check_scale(rows[rows["target"].notna()], "target", low, high, where)
        return
    wrong = ~np.isnan(target) & ~np.isin(target, np.arange(count))
    _refuse(rows, wrong, where, f"target is not empty and not one of 0..{count - 1}")
    if facts.head == "binary":
        score = rows["probability"].to_numpy()
        _refuse(rows, ~((score >= 0) & (score <= 1)), where, "probability is not in [0, 1]")
        return
    _check_shares(rows, count, where)


def _check_drawn(rows: pd.DataFrame, facts: TaskFacts, where: str) -> None:
    """Refuse boxes without a meaning, an image without an answer, and a count that is not that of its true boxes."""
    lacking = [missing(cell) for cell in rows["boxes"]]
    _refuse(rows, lacking, where, "boxes is empty; an image on which nothing is found has the list []")
    check_boxes(rows, facts.classes, where)
    count = np.array([np.nan if missing(cell) else len(cell) for cell in rows["truth"]], np.float64)
    wrong = ~np.isclose(rows["target"].to_numpy(), count, rtol=0, atol=0, equal_nan=True)
    _refuse(rows, wrong, where, "target is not the number of boxes in truth (both are null where nobody looked)")


def _check_scale(rows: pd.DataFrame, column: str, low: float | None, high: float | None, where: str) -> None:
    """Refuse what is not a finite number from `low` to `high`, each None where nobody has said."""
    least, most = -np.inf if low is None else low, np.inf if high is None else high
    found = rows[column].to_numpy()
    close = 1e-6 * max(1.0, *(abs(edge) for edge in (least, most) if np.isfinite(edge)), 1.0)
    inside = np.isfinite(found) & (found >= least - close) & (found <= most + close)
    _refuse(rows, ~inside, where, f"{column} is not a number from {least:g} to {most:g}")


def _check_shares(rows: pd.DataFrame, count: int, where: str) -> None:
    sizes = np.array([len(value) if isinstance(value, (list, np.ndarray)) else 0 for value in rows["probabilities"]])
    _refuse(rows, sizes != count, where, f"probabilities has not {count} entries, one a class")
    scores = _matrix(rows["probabilities"].to_list())
    if scores is None:  # asked cell by cell only then: a million of them take seconds
        odd = [not _is_flat(cell) for cell in rows["probabilities"]]
        _refuse(rows, odd, where, f"probabilities is not a list of {count} numbers")
    assert scores is not None
    inside = ((scores >= 0) & (scores <= 1)).all(1) & (np.abs(scores.sum(1) - 1) < 1e-3)
    _refuse(rows, ~inside, where, "probabilities are not in [0, 1] with sum 1")


def _matrix(cells: list[Any]) -> np.ndarray | None:
    try:
        found = np.stack(cells).astype(float)
    except (ValueError, TypeError):
        return None
    return found if found.ndim == 2 else None


def _is_flat(cell: Any) -> bool:
    try:
        return np.asarray(cell, dtype=float).ndim == 1
    except (ValueError, TypeError):
        return False


def _varies(frame: pd.DataFrame, key: list[str], column: str) -> np.ndarray:
    """Return a mask of the rows whose key meets more than one value of `column`."""
    pairs = frame[[*key, column]].drop_duplicates()
    repeated = pairs[pairs.duplicated(key, keep=False)]
    if repeated.empty:
        return np.zeros(len(frame), bool)
    return pd.MultiIndex.from_frame(frame[key]).isin(pd.MultiIndex.from_frame(repeated[key]))


def _refuse(frame: pd.DataFrame, wrong: Any, where: str, what: str) -> None:
    wrong = np.asarray(wrong, dtype=bool)
    if not wrong.any():
        return
    shown = ["task", "split", "image_id", "unit_id", "group_id", "target", "probability", "value"]
    first = frame.loc[wrong, [name for name in shown if name in frame]].head(3)
    rows = "; ".join(", ".join(f"{name}={value}" for name, value in row.items()) for row in first.to_dict("records"))
    raise OsteonError(f"{where}: {what} in {int(wrong.sum())} of {len(frame)} rows. First: {rows}.")
