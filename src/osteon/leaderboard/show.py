"""The board on the terminal and as Markdown."""

from collections.abc import Iterator
from typing import Any

from osteon.leaderboard.board import Board
from osteon.leaderboard.panels import Panel, panels
from osteon.scoring.sheets import Sheet
from osteon.scoring.show import markdown, rich_table, said

WIDEST = 140


def show_board(board: Board, console: Any = None) -> None:
    """Print a board to the terminal (or to a rich console); columns that find no room go into a further table."""
    from rich.console import Console

    console = console or Console()
    width = min(console.width, WIDEST)
    for panel in panels(board):
        for sheet in _sheets(panel, width):
            console.print(rich_table(sheet, len(sheet.header), True, console.encoding), width=width)
            console.print()
    for note in board.notes:
        console.print(said(f"note: {note}.", console.encoding), markup=False, highlight=False, width=width)


def to_markdown(board: Board) -> str:
    """Return a board as Markdown tables."""
    sheets = [sheet for panel in panels(board) for sheet in _sheets(panel, None)]
    return markdown(sheets) + "".join(f"\nnote: {note}.\n" for note in board.notes)


def _sheets(panel: Panel, width: int | None) -> Iterator[Sheet]:
    """Yield a panel's scores, then its groups; `width` columns wide at most, None: however wide."""
    caption = "; ".join(panel.captions)
    scores, groups = (_chosen(panel, part) for part in ("score", "group"))
    names = [place for place, column in enumerate(panel.columns) if column.part == "name"]
    for number, places in enumerate(_parts(panel, names, scores, width)):
        yield _sheet(panel, panel.title if not number else "", names + places, "" if number else caption)
    stamp = "PHANTOM · " if panel.stamped else ""
    names = names[-1:]
    for places in _parts(panel, names, groups, width) if groups else []:
        yield _sheet(panel, stamp + panel.by_group, names + places, "")


def _chosen(panel: Panel, part: str) -> list[int]:
    return [place for place, column in enumerate(panel.columns) if column.part == part]


def _sheet(panel: Panel, title: str, places: list[int], caption: str) -> Sheet:
    header = [panel.columns[place].heading for place in places]
    rows = [[row[place].text for place in places] for row in panel.rows]
    return Sheet(title, caption, header, rows, len(places) - 1)


def _parts(panel: Panel, names: list[int], places: list[int], width: int | None) -> list[list[int]]:
    """Return the columns of each table, as many as find room beside the names; one at least."""
    if width is None:
        return [places]
    room = width - max(24, width // 4)
    parts: list[list[int]] = [[]]
    used = 0
    for place in places:
        need = max(map(len, _lines(panel, place))) + 1
        if parts[-1] and used + need > room:
            parts.append([])
            used = 0
        parts[-1].append(place)
        used += need
    return parts


def _lines(panel: Panel, place: int) -> Iterator[str]:
    yield panel.columns[place].heading
    for row in panel.rows:
        yield from row[place].text.split(" [")
