"""Published rows: figures of papers and competitions, each with its data, split and source (`references.csv`)."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from osteon.leaderboard.board import Block, Board
from osteon.leaderboard.rows import Cell

_TEXTS = ("system", "kind", "backbone", "pretrained", "full_data", "citation", "note")


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
def references() -> tuple[dict[str, str], ...]:
    """Return every published figure as its line says: one a system, metric and group; shares in [0, 1], months."""
    text = files("osteon.leaderboard").joinpath("references.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


def published(board: Board) -> list[PublishedBlock]:
    """Return the published rows of a board's task, a block a dataset and split; comparable ones first."""
    parts: dict[tuple[str, str, str], dict[str, list[dict[str, str]]]] = {}
    for line in references():
        if line["task"] == board.ranking.task:
            systems = parts.setdefault((line["dataset"], line["split"], line["n"]), {})
            systems.setdefault(line["system"], []).append(line)
    found = []
    for (dataset, split, size), systems in parts.items():
        n = int(size) if size else None
        beside, why = _beside(board.blocks, dataset, split, n)
        found.append(PublishedBlock(dataset, split, n, _ranked(systems.values(), board), beside, why))
    return sorted(found, key=lambda block: block.beside is None)


def _ranked(systems: Iterable[list[dict[str, str]]], board: Board) -> list[Published]:
    sign = -1 if board.ranking.higher else 1

    def place(one: Published) -> tuple[bool, float]:
        cell = one.cells.get((board.ranking.metric, "all"))
        return cell is None, 0.0 if cell is None or cell.value is None else sign * cell.value

    return sorted(map(_system, systems), key=place)


def _system(lines: Sequence[Mapping[str, str]]) -> Published:
    cells = {
        (line["metric"], line["group"]): Cell(_number(line["value"]), _number(line["lo"]), _number(line["hi"]))
        for line in lines
    }
    return Published(**{name: lines[0][name] for name in _TEXTS}, cells=cells)


def _number(text: str) -> float | None:
    return float(text) if text else None


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
