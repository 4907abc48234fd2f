"""Published rows: figures of papers and competitions, each with its data, split and source (`references.csv`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import pandas as pd

from osteon.leaderboard.board import Block, Board
from osteon.leaderboard.rows import Cell

_TEXTS: tuple[str, ...] = (
    "task",
    "dataset",
    "split",
    "system",
    "kind",
    "backbone",
    "metric",
    "group",
    "pretrained",
    "full_data",
)
_TEXTS += ("citation", "note")


@dataclass(frozen=True)
class Published:
    """One published system: its figures by metric and group."""

    system: str
    kind: str
    backbone: str
    pretrained: str
    full_data: str
    citation: str
    note: str
    cells: dict[tuple[str, str], Cell]


@dataclass(frozen=True)
class PublishedBlock:
    """Published systems on one split of one dataset.

    Attributes:
        dataset: as our adapters call it, or another name.
        split: as its owners call it.
        n: units; None where it is not stated.
        rows: best first, by the metric that ranks the board.
        beside: the block of ours that was scored on the same split of the same data; None: not comparable.
        why: why not.
    """

    dataset: str
    split: str
    n: int | None
    rows: list[Published]
    beside: Block | None
    why: str = ""


@cache
def references() -> pd.DataFrame:
    """Return every published figure: a row a system, metric and group; shares in [0, 1], ages in months."""
    file = files("osteon.leaderboard").joinpath("references.csv")
    with file.open(encoding="utf-8") as handle:
        return pd.read_csv(
            handle,
            dtype=dict.fromkeys(_TEXTS, str) | {"n": "Int64"},
            keep_default_na=False,
            na_values={name: [""] for name in ("n", "value", "lo", "hi")},
        )


def published(board: Board) -> list[PublishedBlock]:
    """Return the published rows of a board's task, a block a dataset and split; comparable ones first."""
    frame = references()
    frame = frame[frame["task"] == board.ranking.task]
    found = []
    for (dataset, split, _), rows in frame.groupby(["dataset", "split", frame["n"].fillna(0)], sort=False):
        n = None if pd.isna(rows["n"].iloc[0]) else int(rows["n"].iloc[0])
        beside, why = _beside(board.blocks, str(dataset), str(split), n)
        found.append(PublishedBlock(str(dataset), str(split), n, _ranked(rows, board), beside, why))
    return sorted(found, key=lambda block: block.beside is None)


def _ranked(rows: pd.DataFrame, board: Board) -> list[Published]:
    made = [_system(part) for _, part in rows.groupby("system", sort=False)]
    sign = -1 if board.ranking.higher else 1

    def place(one: Published) -> tuple[bool, float]:
        cell = one.cells.get((board.ranking.metric, "all"))
        return cell is None, 0.0 if cell is None or cell.value is None else sign * cell.value

    return sorted(made, key=place)


def _system(rows: pd.DataFrame) -> Published:
    first = rows.iloc[0]
    cells = {
        (str(row.metric), str(row.group)): Cell(float(row.value), *(None if pd.isna(x) else float(x) for x in bounds))  # type: ignore[arg-type]
        for row in rows.itertuples()
        for bounds in [(row.lo, row.hi)]
    }
    said = {
        name: str(first[name]) for name in ("system", "kind", "backbone", "pretrained", "full_data", "citation", "note")
    }
    return Published(**said, cells=cells)


def _beside(blocks: Sequence[Block], dataset: str, split: str, n: int | None) -> tuple[Block | None, str]:
    """Return the block that was scored on the same split of real images, or why there is none."""
    mine = [block for block in blocks if block.source == "real" and block.datasets == dataset]
    if not mine:
        phantoms = all(block.source == "phantom" for block in blocks)
        return None, f"published on other data, not comparable{' (ours are phantoms)' if phantoms else ''}"
    same = [block for block in mine if block.split_name == split]
    if not same:
        ours = ", ".join(dict.fromkeys(block.split_name for block in mine))
        return None, f"published on another split, not comparable (ours: {ours})"
    whole = [block for block in same if block.first.n == n]
    if not whole:
        sizes = ", ".join(f"{block.first.n:,}" for block in same)
        return None, f"published on another number of units, not comparable (ours: {sizes})"
    return whole[0], ""
