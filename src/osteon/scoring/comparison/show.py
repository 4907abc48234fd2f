"""A comparison on the terminal: who is A and B, the tables, what may be claimed."""

from typing import Any

from osteon.scoring.comparison.claims import claims
from osteon.scoring.comparison.sheets import sheets
from osteon.scoring.comparison.table import Comparison
from osteon.scoring.comparison.words import plural
from osteon.scoring.sheets import Sheet
from osteon.scoring.show import WIDTH, rich_table, said


def show_comparison(found: Comparison, asked: bool = False, console: Any = None) -> None:
    """Print a comparison to the terminal (or to a rich console); `asked`: only the metrics that were asked for."""
    from rich.console import Console

    console = console or Console()
    width = min(console.width, WIDTH)

    def line(text: str) -> None:
        console.print(said(text, console.encoding), markup=False, highlight=False, width=width)

    for side in (found.a, found.b):
        count = len(side.trainings)
        line(f"{side.letter}: {side.name}" + (f" ({plural(count, 'training')}, their mean)" if count > 1 else ""))
    console.print()
    for sheet in sheets(found, asked):
        console.print(rich_table(sheet, len(sheet.header), _needed(sheet) > width, console.encoding), width=width)
        console.print()
    for text in [*(f"note: {note}." for note in found.notes), *claims(found)]:
        line(text)


def _needed(sheet: Sheet) -> int:
    """Return how wide the sheet is with intervals beside their values."""
    columns = zip(sheet.header, *sheet.rows, strict=True)
    return sum(max(map(len, column)) + 1 for column in columns) - 1
