"""Predictions on disk: parquet of ours, or parquet and CSV of another framework."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from osteon.errors import OsteonError
from osteon.files import aside
from osteon.predictions.boxes import COLUMNS, array_of, missing
from osteon.predictions.columns import from_arrow, to_arrow
from osteon.predictions.facts import Predictions, TaskFacts
from osteon.predictions.metadata import KEY, About, check_run, parse
from osteon.predictions.rules import check, drop_repeats
from osteon.predictions.spreadsheet import SUFFIXES, read_csv

# A foreign table may leave these out; ids may not be guessed, because a wrong unit or cluster changes every number.
DEFAULTS = {"task": "task", "split": "test", "dataset": "unknown", "source": "real"}
# An index of a class above this is a fault, not a class.
MOST = 999
SHEETS = (".xlsx", ".xls", ".xlsm", ".ods")


def write(
    path: Path,
    frame: pd.DataFrame,
    tasks: Mapping[str, TaskFacts],
    run: Mapping[str, Any],
    split_names: Mapping[str, str],
) -> None:
    """Check `frame` and write it as parquet, whole or not at all, with its metadata as JSON under one key.

    Raises:
        OsteonError: the table breaks a rule of `check`, the run's facts have no meaning, or the file cannot be written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    frame = check(frame, tasks, str(path))
    check_run(run, str(path))
    facts = {name: item.to_json() for name, item in tasks.items()}
    about = {"version": 1, "tasks": facts, "run": dict(run), "split_names": dict(split_names)}
    drawn = list(COLUMNS) if any(item.head == "detection" for item in tasks.values()) else []
    table = pa.Table.from_pandas(frame.drop(columns=drawn), preserve_index=False)
    for name in drawn:
        table = table.append_column(name, to_arrow(frame[name].to_list(), len(COLUMNS[name])))
    table = table.replace_schema_metadata(
        {**(table.schema.metadata or {}), KEY.encode(): json.dumps(about, default=str).encode()}
    )
    with aside(path) as draft:
        pq.write_table(table, draft)


def read(path: Path, *, guess: bool = True) -> Predictions:
    """Read predictions from parquet or CSV, ours or another framework's.

    Without our metadata a task is binary, pooled by mean, called at 0.5, thresholded by Youden's index; multiclass
    where it has `probabilities`, ordinal where it has `value` too, a regression where it has `value` alone, a detection
    where it has `boxes`, whose `target` may be absent beside `truth`. In a CSV `probabilities`, `boxes` and `truth` are
    JSON lists.

    Args:
        path: the file.
        guess: whether facts and columns that the file lacks are filled in as above; a run folder's files lack none.

    Raises:
        OsteonError: the file is missing, unreadable, breaks a rule of `check`, has metadata of another kind, or lacks
            a fact that may not be guessed.
    """
    if not path.is_file():
        raise OsteonError(f"{path}: no such predictions file. A run leaves predictions/val.parquet and test.parquet.")
    frame, about = _read_any(path)
    _check_parted(path, frame)
    described = parse(about, str(path), whole=not guess)
    if not guess:
        return _described(frame, described, path)
    held = [str(name) for name in frame]
    for name, value in DEFAULTS.items():
        if name not in frame:
            frame[name] = value
    if "target" not in frame and "truth" in frame:
        frame["target"] = [float(len(cell)) if hasattr(cell, "__len__") else np.nan for cell in frame["truth"]]
    if "group_id" not in frame and "patient_id" in frame and frame["patient_id"].notna().all():
        frame["group_id"] = "patient:" + frame["patient_id"].astype(str)
    tasks = dict(described.tasks)
    for name in frame["task"].dropna().unique():
        tasks.setdefault(str(name), _guess(frame[frame["task"] == name]))
    guessed = frozenset(tasks) - frozenset(described.tasks)
    return _described(frame, About(tasks, described.run, described.split_names), path, guessed, held)


def _check_parted(path: Path, frame: pd.DataFrame) -> None:
    """Refuse a CSV whose fields are parted by something else, of which one column is read."""
    if path.suffix.lower() in SUFFIXES and len(frame.columns) == 1:
        raise OsteonError(
            f"{path}: one column alone, {str(frame.columns[0])[:60]!r}. Part the fields by commas, semicolons or tabs; "
            "the columns stand in docs/predictions.md."
        )


def _described(
    frame: pd.DataFrame,
    about: About,
    path: Path,
    guessed: frozenset[str] = frozenset(),
    held: Sequence[str] | None = None,
) -> Predictions:
    checked = check(frame, about.tasks, str(path), held)
    return Predictions(checked, about.tasks, about.run, about.split_names, guessed)


def merge(tables: Sequence[Predictions]) -> Predictions:
    """Join tables of one run (val and test, or one a rank); an image repeated in a task and split counts once.

    Raises:
        OsteonError: two tables describe one task differently, or together break a rule of `check`.
    """
    tasks: dict[str, TaskFacts] = {}
    names: dict[str, str] = {}
    for table in tables:
        for name, facts in table.tasks.items():
            if tasks.setdefault(name, facts) != facts:
                raise OsteonError(f"task {name}: the tables to merge describe it differently: {tasks[name]}, {facts}.")
        names |= table.split_names
    frame = drop_repeats(pd.concat([table.frame for table in tables], ignore_index=True))
    guessed = frozenset().union(*(table.guessed for table in tables))
    return Predictions(check(frame, tasks, "merged predictions"), tasks, dict(tables[0].run), names, guessed)


def _guess(rows: pd.DataFrame) -> TaskFacts:
    if "boxes" in rows and not all(missing(cell) for cell in rows["boxes"]):
        return TaskFacts(head="detection", classes=_labels(rows))
    graded = "value" in rows and bool(rows["value"].notna().any())
    if "probabilities" in rows and rows["probabilities"].notna().any():
        sizes = Counter(len(cell) for cell in rows["probabilities"] if isinstance(cell, (list, np.ndarray)))
        count = sizes.most_common(1)[0][0] if sizes else 0  # `check` names those of another length
        classes = tuple(str(index) for index in range(max(count, 2)))
        return TaskFacts(head="ordinal" if graded else "multiclass", classes=classes)
    without = "probability" not in rows or rows["probability"].isna().all()
    return TaskFacts(head="regression" if graded and without else "binary")


def _labels(rows: pd.DataFrame) -> tuple[str, ...]:
    """Return names of as many classes as the boxes show; what is no box is left for `check` to name."""
    highest = 0.0
    for name, parts in COLUMNS.items():
        for cell in rows.get(name, ()):
            try:
                found = array_of(cell, len(parts))[:, 4]
            except ValueError:
                continue
            highest = max([highest, *found[np.isfinite(found)]])
    return tuple(str(index) for index in range(int(min(highest, MOST)) + 1))


def _read_any(path: Path) -> tuple[pd.DataFrame, Any]:
    if path.suffix.lower() in SUFFIXES:
        return read_csv(path), {}
    if path.suffix.lower() in SHEETS:
        raise OsteonError(f"{path}: a workbook is not read. Save its sheet as CSV (UTF-8), or as parquet.")
    return _read_parquet(path)


def _read_parquet(path: Path) -> tuple[pd.DataFrame, Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError, ValueError) as fault:
        raise OsteonError(f"{path}: not a readable parquet file ({fault}). Write it again with the run.") from fault
    try:
        about = json.loads((table.schema.metadata or {}).get(KEY.encode(), b"{}"))
    except ValueError as fault:
        raise OsteonError(
            f"{path}: its metadata ({KEY!r}) is not JSON ({fault}). Write it again with the run."
        ) from fault
    flat = {name: from_arrow(table[name], len(COLUMNS[name])) for name in COLUMNS if name in table.column_names}
    made = {name: cells for name, cells in flat.items() if cells is not None}
    frame = table.drop_columns(list(made)).to_pandas()
    return frame.assign(**{name: pd.Series(cells, frame.index, dtype=object) for name, cells in made.items()}), about
