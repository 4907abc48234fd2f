"""The board on the terminal and as Markdown."""

from collections.abc import Iterator
from typing import Any

from osteon.leaderboard.board import Board
from osteon.leaderboard.panel import BEST, Panel
from osteon.leaderboard.panels import panels
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
    every = list(range(len(panel.rows)))
    for number, places in enumerate(_parts(panel, "score", width)):
        yield _sheet(panel, panel.title if not number else "", places, every, "" if number else caption)
    parts = _parts(panel, "group", width)
    first = not _chosen(panel, "score")  # groups alone: the first table tells what all are of
    stamp = "PHANTOM · " if panel.stamped else ""
    for number, places in enumerate(parts, 1):
        held = [row for row in every if any(panel.rows[row][place].text for place in places)]
        title = f"{panel.title} · {panel.by_group}" if first and number == 1 else stamp + panel.by_group
        below = [caption if first and number == 1 else "", panel.sizes if number == len(parts) else ""]
        yield _sheet(panel, title, places, held, "; ".join(filter(None, below)))


def _sheet(panel: Panel, title: str, places: list[int], kept: list[int], caption: str) -> Sheet:
    names = _chosen(panel, "name")
    header = [panel.columns[names[-1]].heading, *(panel.columns[place].heading for place in places)]
    rows = [
        [_name([row[place].text for place in names]), *(row[place].text for place in places)]
        for row in (panel.rows[one] for one in kept)
    ]
    return Sheet(title, caption, header, rows, len(places))


def _name(parts: list[str]) -> str:
    """Return "1 best: densenet169", "2 resnet50"."""
    rank = f"{parts[0]}:" if parts[0].endswith(BEST) else parts[0]
    return " ".join([rank, *parts[1:]])


def _chosen(panel: Panel, part: str) -> list[int]:
    return [place for place, column in enumerate(panel.columns) if column.part == part]


def _parts(panel: Panel, part: str, width: int | None) -> list[list[int]]:
    """Return the columns of each table, as many as find room beside the names; one at least."""
    places = _chosen(panel, part)
    if width is None or not places:
        return [places] if places else []
    words = [len(word) for row in panel.rows for one in _chosen(panel, "name") for word in row[one].text.split()]
    room = width - max(24, width // 4, min(max(words, default=0) + 1, width // 2))  # no word of a name is broken
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
