"""The table of differences for people: all metrics of a task, then its chosen ones by group."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from osteon.scoring.cells import notes
from osteon.scoring.comparison.table import Comparison
from osteon.scoring.comparison.words import chance, decimals_of, difference, named, plural, small
from osteon.scoring.sheets import Sheet

SAID = ("optimistic", "left out", "positive:", "in ", "no interval and no p")


def sheets(found: Comparison, asked: bool) -> Iterator[Sheet]:
    """Yield the sheets: unless metrics were asked for, all of a task; then each chosen one by group."""
    for task, rows in found.table.groupby("task", sort=False):
        overall = rows[rows["group"] == "all"]
        if not asked and len(overall):
            yield _overall(overall)
        chosen = rows[rows["metric"].isin(found.chosen[str(task)])]
        for _, part in chosen.groupby(["metric", chosen["operating_point"].fillna("")], sort=False):
            if asked or len(part) > 1:
                yield _by_group(part)


def _overall(rows: pd.DataFrame) -> Sheet:
    labels = [
        named(row.metric) + ("" if pd.isna(row.operating_point) else f", {row.operating_point}") for row in _of(rows)
    ]
    first = rows.iloc[0]
    size = f"{plural(int(first['n']), first['unit'])}, {plural(int(first['n_clusters']), 'patient')}"
    digits = [decimals_of(rows[rows["metric"] == row.metric]) for row in _of(rows)]
    return _sheet(rows, [_title(rows), size], "metric", [[label] for label in labels], digits)


def _by_group(rows: pd.DataFrame) -> Sheet:
    columns = {name.partition("=")[0] for name in rows["group"]} - {"all"}
    short = columns.pop() if len(columns) == 1 else ""
    labels = [[row.group.partition("=")[2] if short and row.group != "all" else row.group] for row in _of(rows)]
    point = rows["operating_point"].iloc[0]
    title = [_title(rows), named(rows["metric"].iloc[0]) + ("" if pd.isna(point) else f", {point} threshold")]
    sizes = [[str(row.n), str(row.n_clusters)] for row in _of(rows)]
    cells = [label + size for label, size in zip(labels, sizes, strict=True)]
    return _sheet(rows, title, short or "group", cells, [decimals_of(rows)] * len(rows))


def _sheet(rows: pd.DataFrame, title: list[str], first: str, labels: list[list[str]], digits: list[int]) -> Sheet:
    several = bool((rows["p_holm"] > rows["p"]).any())
    names = [str(name) for name in rows["test"].dropna().unique()]
    sizes = ["n", "pat"] if len(labels[0]) > 1 else []
    header = [
        first,
        *sizes,
        "A",
        "B",
        "B - A [95 %]",
        "p",
        *(["p Holm"] if several else []),
        *(f"p {n}" for n in names),
    ]
    lines = []
    for row, label, decimals in zip(_of(rows), labels, digits, strict=True):
        mark = "*" if small(row) else ""
        own = [chance(row.test_p) if row.test == name else "" for name in names]
        adjusted = [chance(row.p_holm)] if several else []
        sides = [_value(row.a, row.a_sd, decimals), _value(row.b, row.b_sd, decimals)]
        lines.append([label[0] + mark, *label[1:], *sides, difference(row, decimals), chance(row.p), *adjusted, *own])
    return Sheet(" · ".join(title), _caption(rows), header, lines, 0)


def _of(rows: pd.DataFrame) -> Iterator[Any]:
    return iter(rows.itertuples())


def _value(value: Any, spread: Any, decimals: int) -> str:
    if pd.isna(value):
        return "n/a"
    return f"{value:.{decimals}f}" + ("" if pd.isna(spread) else f" ({spread:.{decimals}f})")


def _title(rows: pd.DataFrame) -> str:
    first = rows.iloc[0]
    split = first["split"] if first["split"] == first["split_name"] else f"{first['split']} ({first['split_name']})"
    stamp = "PHANTOM · " if rows["source"].str.contains("phantom").any() else ""
    return stamp + " · ".join([first["task"], split, f"per {first['unit']}"])


def _caption(rows: pd.DataFrame) -> str:
    said = list(dict.fromkeys(notes(rows)))
    lines = ["* small sample: intervals may be too short"] if "small sample" in said else []
    lines += ["in brackets: sd over trainings"] if rows[["a_sd", "b_sd"]].notna().any(axis=None) else []
    if any("too few for an interval" in note for note in said):
        lines.append("no interval where fewer than 6 patients differ")
    for name in ("DeLong", "McNemar"):
        lines += [note for note in said if note.startswith(name)][:1]
    lines += [note for note in said if note.startswith(SAID)]
    lines += ["phantom: drawn images, not patients"] if rows["source"].str.contains("phantom").any() else []
    return "; ".join(lines)
