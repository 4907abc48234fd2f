"""The score table as sheets of text, one a run, task, split and operating point: a row a group, headline metrics."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

# A metric that only one head has, to know the head of a task's rows by.
MARKS = {"auroc": "binary", "quadratic_kappa": "ordinal", "rmse": "regression", "macro_average_precision": "multilabel"}

@dataclass(frozen=True)
class Sheet:
    """A table of text.

    Attributes:
        title: run, task, split, unit and operating point.
        caption: what to know of the figures; may be empty.
        header: the columns' headings.
        rows: cells as text; an interval stands behind its value, " [" between them.
    """

    title: str
    caption: str
    header: list[str]
    rows: list[list[str]]


def sheets(table: pd.DataFrame) -> Iterator[Sheet]:
    """Yield the sheets of a score table; the findings of a multilabel task share one, without their groups."""
    keys = [name for name in ("run", "split", "split_name") if name in table]
    for _, part in table.groupby(keys, sort=False):
        tasks = {str(task): rows for task, rows in part.groupby("task", sort=False)}
        several = [task for task, rows in tasks.items() if _head(rows) == "multilabel"]
        for task, rows in tasks.items():
            if task in several:
                findings = {name: found for name, found in tasks.items() if name.startswith(f"{task}.")}
                yield from _of_findings(rows, findings)
            elif not any(task.startswith(f"{owner}.") for owner in several):
                yield from _of_task(rows, _head(rows))


def _head(rows: pd.DataFrame) -> str:
    metrics = set(rows["metric"])
    return next((head for mark, head in MARKS.items() if mark in metrics), "multiclass")


def _of_task(part: pd.DataFrame, head: str) -> Iterator[Sheet]:
    for point, rows in _by_point(part):
        columns = {name.partition("=")[0] for name in rows["group"]} - {"all"}
        first = columns.pop() if len(columns) == 1 else "group"
        shown = {name: text for name, text in _headlines(rows, head).items() if name in _OWN or _has(rows, name)}
        header = [first, "n", *_second(head), *shown.values()]
        short = first != "group"
        lines = [_row(some, head, list(shown), short) for _, some in rows.groupby("group", sort=False)]
        yield Sheet(_title(rows, point), _caption(rows, list(shown)), header, lines)


def _of_findings(macro: pd.DataFrame, findings: dict[str, pd.DataFrame]) -> Iterator[Sheet]:
    """Yield a sheet a point: the mean over findings, each finding, and the mean by group."""
    renamed = {"macro_auroc": "auroc", "macro_average_precision": "average_precision"}
    macro = macro.assign(metric=macro["metric"].replace(renamed))
    overall = pd.concat([found[found["group"] == "all"] for found in findings.values()])
    shown = HEADLINES["multilabel"]
    for point, rows in _by_point(overall):
        lines = [_mean(macro[macro["group"] == "all"], "macro")]
        lines += [
            [str(task).partition(".")[2], *_row(some, "binary", list(shown), True)[1:]]
            for task, some in rows.groupby("task", sort=False)
        ]
        groups = macro[macro["group"] != "all"].groupby("group", sort=False)
        lines += [_mean(some, f"macro, {group}") for group, some in groups]
        both = pd.concat([macro, rows])
        title = _title(rows.assign(task=macro["task"].iloc[0]), point)
        yield Sheet(title, _caption(both, list(shown)), ["finding", "n", "pos", *shown.values()], lines)


def _mean(rows: pd.DataFrame, name: str) -> list[str]:
    found = {str(row["metric"]): row for _, row in rows.iterrows()}
    first = next(iter(found.values()))
    return [name, str(first.n), "", *(cell(found[m]) if m in found else "" for m in HEADLINES["multilabel"])]


def _by_point(part: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield each operating point with its rows and those that need none; a number has no point."""
    points = part["operating_point"].dropna().unique()
    for point in points if len(points) else [""]:
        yield str(point), part[part["operating_point"].isna() | (part["operating_point"] == point)]


def _title(rows: pd.DataFrame, point: str) -> str:
    first = rows.iloc[0]
    parts = [str(first[name]) for name in ("run", "task") if name in rows]
    named = first["split"] != first["split_name"]
    parts.append(f"{first['split']} ({first['split_name']})" if named else first["split"])
    parts.append(f"per {first['unit']}")
    if point:
        value = rows["threshold"].dropna()
        parts.append(f"{point} threshold" + (f" {value.iloc[0]:.3g}" if len(value) else ", each fold's own"))
    stamp = "PHANTOM · " if rows["source"].str.contains("phantom").any() else ""
    return stamp + " · ".join(parts)


def _caption(rows: pd.DataFrame, shown: list[str]) -> str:
    notes = set(_notes(rows[rows["metric"].isin(shown)]))
    lines = ["* small sample: intervals may be too short"] if "small sample" in notes else []
    lines += sorted(note for note in notes if note.startswith(("optimistic", "not compared", "left out")))
    lines += ["phantom: drawn images, not patients"] if rows["source"].str.contains("phantom").any() else []
    return "; ".join(lines)


