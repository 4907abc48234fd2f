"""The score table as sheets of text, one a run, task, split and operating point: a row a group, headline metrics."""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from osteon.scoring.boxes import OF_A_CLASS
from osteon.scoring.cells import BESIDE, HEADLINES, cell, decimals_in_units, headlines, line, notes
from osteon.scoring.precision import FREQUENT

# A metric that one head alone has tells the head of a task's rows.
MARKS = {
    "auroc": "binary",
    "quadratic_kappa": "ordinal",
    "rmse": "regression",
    "macro_average_precision": "multilabel",
    "map50": "detection",
}
# The mean over findings stands where a finding's own score does.
MEANS = {"macro_auroc": "auroc", "macro_average_precision": "average_precision"}
SAID = ("optimistic", "not compared", "left out", "positive:", "called:", "in ", "hit:")


@dataclass(frozen=True)
class Sheet:
    """A table of text.

    Attributes:
        title: run, task, split, unit and operating point.
        caption: what to know of the figures; may be empty.
        header: the columns' headings.
        rows: cells; an interval stands behind its value, " [" between them.
        metrics: how many of the columns are metrics, the last ones.
    """

    title: str
    caption: str
    header: list[str]
    rows: list[list[str]]
    metrics: int


def sheets(table: pd.DataFrame) -> Iterator[Sheet]:
    """Yield the sheets of a score table; the findings of a multilabel task share one."""
    keys = [name for name in ("run", "split", "split_name") if name in table]
    for _, part in table.groupby(keys, sort=False):
        tasks = {str(task): rows for task, rows in part.groupby("task", sort=False)}
        several = tuple(f"{task}." for task, rows in tasks.items() if _head(rows) == "multilabel")
        for task, rows in tasks.items():
            if f"{task}." in several:
                yield from _of_findings(rows, [found for name, found in tasks.items() if name.startswith(f"{task}.")])
            elif not task.startswith(several):
                yield from _of_task(rows, _head(rows))
                yield from _of_boxes(rows[rows["group"] == "all"]) if _head(rows) == "detection" else ()


def _head(rows: pd.DataFrame) -> str:
    metrics = set(rows["metric"])
    return next((head for mark, head in MARKS.items() if mark in metrics), "multiclass")


def _of_task(part: pd.DataFrame, head: str) -> Iterator[Sheet]:
    for point, rows in _by_point(part):
        columns = {name.partition("=")[0] for name in rows["group"]} - {"all"}
        first = columns.pop() if len(columns) == 1 else "group"
        shown = headlines(rows, head)
        header = [first, "n", *([BESIDE[head]] if head in BESIDE else []), *shown.values()]
        names, digits = list(shown), decimals_in_units(rows) if head == "regression" else None
        lines = [line(some, head, names, first != "group", digits) for _, some in rows.groupby("group", sort=False)]
        yield Sheet(_title(rows, point), _caption(rows, names), header, lines, len(shown))


def _of_boxes(rows: pd.DataFrame) -> Iterator[Sheet]:
    """Yield the average precision of each class, with its true boxes, and the FROC curve, of all images."""
    found = {str(row["metric"]): row for _, row in rows.iterrows()}
    names = {name: name.removeprefix(OF_A_CLASS) for name in found if name.startswith(OF_A_CLASS)}
    if len(names) > 1:
        names["map50"] = f"mean of {sum(pd.notna(found[name]['value']) for name in names)}"
        if found["map50_frequent"]["n_positive"] != found["map50"]["n_positive"]:
            names["map50_frequent"] = f"mean, {FREQUENT} boxes or more"
    rates = {name: name.removeprefix("froc_") for name in found if name.startswith("froc_")} | {"froc": "mean"}
    lines = [[text, str(found[name]["n_positive"]), cell(found[name])] for name, text in names.items()]
    yield _listed(rows, list(names), ["class", "boxes", "AP50"], lines)
    lines = [[text, cell(found[name])] for name, text in rates.items()]
    yield _listed(rows, list(rates), ["FROC: FP/image", "sensitivity"], lines)


def _listed(rows: pd.DataFrame, shown: list[str], header: list[str], lines: list[list[str]]) -> Sheet:
    """Return a sheet with a line a score, marked where its sample is small."""
    small = notes(rows.set_index("metric")).eq("small sample").groupby(level=0).any()
    marked = [[cells[0] + ("*" if small[name] else ""), *cells[1:]] for name, cells in zip(shown, lines, strict=True)]
    return Sheet(_title(rows, ""), _caption(rows, shown), header, marked, 1)


def _of_findings(means: pd.DataFrame, findings: list[pd.DataFrame]) -> Iterator[Sheet]:
    """Yield a sheet a point: the mean over findings, each finding, the mean by group."""
    means = means.assign(metric=means["metric"].replace(MEANS))
    shown, task = HEADLINES["multilabel"], str(means["task"].iloc[0])
    overall = pd.concat([found[found["group"] == "all"] for found in findings])
    groups = [_mean(some, str(name)) for name, some in means.groupby("group", sort=False)]
    for point, rows in _by_point(overall):
        lines = {str(name): line(some, "binary", list(shown), True) for name, some in rows.groupby("task", sort=False)}
        own = [[name.removeprefix(f"{task}.") + all_[3:], *cells] for name, (all_, *cells) in lines.items()]
        title = _title(rows.assign(task=task), point)
        caption = _caption(pd.concat([means, rows]), list(shown))
        header = ["finding", "n", BESIDE["binary"], *shown.values()]
        yield Sheet(title, caption, header, [groups[0], *own, *groups[1:]], len(shown))


def _mean(rows: pd.DataFrame, group: str) -> list[str]:
    found = {str(row["metric"]): row for _, row in rows.iterrows()}
    cells = [cell(found[name]) if name in found else "" for name in HEADLINES["multilabel"]]
    mark = "*" if notes(rows).eq("small sample").any() else ""
    return [("macro" if group == "all" else f"macro, {group}") + mark, str(next(iter(found.values())).n), "", *cells]


def _by_point(part: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield each operating point with its rows and those that need none; heads without a threshold have one."""
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
        value = rows["threshold"].dropna().unique()
        parts.append(f"{point} threshold" + (f" {value[0]:.3g}" if len(value) == 1 else f", {_whose(rows)} own"))
    stamp = "PHANTOM · " if rows["source"].str.contains("phantom").any() else ""
    return stamp + " · ".join(parts)


def _whose(rows: pd.DataFrame) -> str:
    return "each fold's" if rows["threshold"].isna().all() else "each finding's"


def _caption(rows: pd.DataFrame, shown: list[str]) -> str:
    said = set(notes(rows[rows["metric"].isin(shown)]))
    lines = ["* small sample: intervals may be too short"] if "small sample" in said else []
    lines += sorted(note for note in said if note.startswith(SAID))
    lines += ["phantom: drawn images, not patients"] if rows["source"].str.contains("phantom").any() else []
    return "; ".join(lines)
