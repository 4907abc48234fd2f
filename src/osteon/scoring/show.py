"""The score table for people: one row a group, the headline metrics with their intervals."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from osteon.scoring.sheets import Sheet, sheets

if TYPE_CHECKING:
    from rich.table import Table

WIDTH = 100
# So many metrics have room beside each other with their bounds in the same line.
MOST = 4
NO_TEST = "no test row: nothing was scored on a test set"


def rich_tables(table: pd.DataFrame, width: int = WIDTH, encoding: str = "utf-8") -> "list[Table]":
    """Return one rich table a run, task, split and operating point, `width` columns wide at most.

    Below 100 columns, or where there are more than four metrics, the intervals go on a line of their own; metrics that
    still find no room are left to the score file. What `encoding` cannot say becomes "?".
    """
    tables = []
    for sheet in sheets(table):
        crowded = sheet.metrics > MOST
        fitting = _fitting(sheet, width) if crowded else len(sheet.header)
        tables.append(rich_table(sheet, fitting, crowded or (width < WIDTH and sheet.metrics > 1), encoding))
    return tables


def rich_table(sheet: Sheet, columns: int, apart: bool, encoding: str = "utf-8") -> "Table":
    """Return the first `columns` columns of a sheet as a rich table; `apart` puts intervals on a line of their own."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    def plain(text: str, style: str = "") -> Text:
        # Brackets are rich's markup, so names are given as plain text.
        return Text(said(text, encoding), style=style)

    shown = Table(box=box.SIMPLE_HEAD, padding=0, show_edge=False, expand=True)
    shown.title = plain(sheet.title, "table.title")
    shown.caption = plain(sheet.caption, "table.caption") if sheet.caption else None
    shown.title_justify = shown.caption_justify = "left"
    for index, name in enumerate(sheet.header[:columns]):
        shown.add_column(plain(name), justify="left" if index == 0 else "right", no_wrap=index > 0, overflow="fold")
    for row in sheet.rows:
        shown.add_row(*(plain(text.replace(" [", "\n[") if apart else text) for text in row[:columns]))
    return shown


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


def _fitting(sheet: Sheet, width: int) -> int:
    """Return how many columns find room, with bounds below their values."""
    columns = zip(sheet.header, *sheet.rows, strict=True)
    widths = [max(len(part) for text in column for part in text.split(" [")) + 2 for column in columns]
    return max(3, int((np.cumsum(widths) <= width + 1).sum()))


def said(text: str, encoding: str) -> str:
    """Return text as a terminal of that encoding can print it."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.replace("·", "|").encode(encoding, "replace").decode(encoding)
    return text


def to_markdown(table: pd.DataFrame) -> str:
    """Return the same tables as Markdown."""
    return markdown(sheets(table))


def markdown(several: Iterable[Sheet]) -> str:
    """Return sheets as Markdown tables."""
    blocks = []
    for sheet in several:
        lines = [f"**{sheet.title}**", "", _line(sheet.header), _line(["---"] + ["---:"] * (len(sheet.header) - 1))]
        lines += [_line(row) for row in sheet.rows]
        blocks.append("\n".join(lines + (["", sheet.caption] if sheet.caption else [])))
    return "\n\n".join(blocks) + "\n"


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(text.replace("|", "\\|") for text in cells) + " |"
