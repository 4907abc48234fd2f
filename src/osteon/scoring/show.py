"""The score table for people: one row a group, the headline metrics with their intervals."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from rich.table import Table

HEADLINES = {
    "binary": {"auroc": "AUROC", "kappa": "kappa", "sensitivity": "sensitivity", "specificity": "specificity"},
    "multiclass": {"macro_auroc": "macro AUROC", "kappa": "kappa", "accuracy": "accuracy", "log_loss": "log loss"},
}
WIDTH = 100
NO_TEST = "no test row: nothing was scored on a test set"


def cell(row: Any) -> str:
    """Return "0.705 [0.60, 0.80]" of a row with value, lo and hi; "n/a" where the value is missing."""
    if row is None or pd.isna(row.value):
        return "n/a"
    if pd.isna(row.lo):
        return f"{row.value:.3f}"
    return f"{row.value:.3f} [{row.lo:.2f}, {row.hi:.2f}]"


def rich_tables(table: pd.DataFrame, width: int = WIDTH, encoding: str = "utf-8") -> "list[Table]":
    """Return one rich table a run, task, split and operating point, `width` columns wide at most.

    Below 100 columns the intervals go on a line of their own. What `encoding` cannot say becomes "?".
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    def plain(text: str, style: str = "") -> Text:
        # Brackets are rich's markup, so names are given as plain text.
        return Text(_said(text, encoding), style=style)

    tables = []
    for title, caption, header, rows in _sheets(table):
        shown = Table(box=box.SIMPLE_HEAD, padding=0, show_edge=False, expand=True)
        shown.title = plain(title, "table.title")
        shown.caption = plain(caption, "table.caption") if caption else None
        shown.title_justify = shown.caption_justify = "left"
        for index, name in enumerate(header):
            shown.add_column(plain(name), justify="left" if index == 0 else "right", no_wrap=index > 0, overflow="fold")
        for row in rows:
            shown.add_row(*(plain(text if width >= WIDTH else text.replace(" [", "\n[")) for text in row))
        tables.append(shown)
    return tables


def show(table: pd.DataFrame, console: Any = None) -> None:
    """Print the score table to the terminal (or to a rich console)."""
    from rich.console import Console

    console = console or Console()
    width = min(console.width, WIDTH)
    for shown in rich_tables(table, width, console.encoding):
        console.print(shown, width=width)
        console.print()
    if not (table["split"] == "test").any():
        console.print(NO_TEST, markup=False)


def _said(text: str, encoding: str) -> str:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.replace("·", "|").encode(encoding, "replace").decode(encoding)
    return text


def to_markdown(table: pd.DataFrame) -> str:
    """Return the same tables as Markdown."""
    blocks = []
    for title, caption, header, rows in _sheets(table):
        lines = [f"**{title}**", "", _line(header), _line(["---"] + ["---:"] * (len(header) - 1))]
        lines += [_line(row) for row in rows]
        blocks.append("\n".join(lines + (["", caption] if caption else [])))
    return "\n\n".join(blocks) + "\n"


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(text.replace("|", "\\|") for text in cells) + " |"


def _sheets(table: pd.DataFrame) -> Iterator[tuple[str, str, list[str], list[list[str]]]]:
    """Yield title, caption, header and rows of each run, task, split and operating point."""
    keys = [name for name in ("run", "task", "split", "split_name") if name in table]
    for _, part in table.groupby(keys, sort=False):
        head = "binary" if (part["metric"] == "auroc").any() else "multiclass"
        called = part[part["metric"].isin(["kappa", "accuracy"])]
        for point in called["operating_point"].fillna("").unique():
            rows = part[part["operating_point"].isna() | (part["operating_point"] == point)]
            columns = {name.partition("=")[0] for name in rows["group"]} - {"all"}
            first = columns.pop() if len(columns) == 1 else "group"
            header = [first, "n", "pos" if head == "binary" else "pat", *HEADLINES[head].values()]
            short = first != "group"
            lines = [_row(some, head, short) for _, some in rows.groupby("group", sort=False)]
            yield _title(rows, point), _caption(rows), header, lines


def _row(rows: pd.DataFrame, head: str, short: bool) -> list[str]:
    """Return a group's cells; `short` leaves the column's name to the header."""
    found: dict[str, Any] = {str(row["metric"]): row for _, row in rows.iterrows()}
    first = next(iter(found.values()))
    share = f"{first.n_positive / first.n:.0%}" if head == "binary" and first.n else str(first.n_clusters)
    headline = rows[rows["metric"].isin(list(HEADLINES[head]))]
    mark = "*" if _notes(headline).eq("small sample").any() else ""
    name = str(first.group).rpartition("=")[2] if short else str(first.group)
    return [name + mark, str(first.n), share, *(cell(found.get(metric)) for metric in HEADLINES[head])]


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


def _caption(rows: pd.DataFrame) -> str:
    notes = set(_notes(rows[rows["metric"].isin(list(HEADLINES["binary"] | HEADLINES["multiclass"]))]))
    lines = ["* small sample: intervals may be too short"] if "small sample" in notes else []
    lines += sorted(note for note in notes if note.startswith(("optimistic", "not compared")))
    lines += ["phantom: drawn images, not patients"] if rows["source"].str.contains("phantom").any() else []
    return "; ".join(lines)


def _notes(rows: pd.DataFrame) -> "pd.Series[str]":
    return rows["note"].str.split("; ").explode()
