"""Whether the first row of a test set may be called best: its paired difference to the runner-up, on the same units."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from osteon.errors import OsteonError
from osteon.leaderboard.rows import Key, Row
from osteon.leaderboard.trainings import only
from osteon.scoring.comparison import compare, side_of
from osteon.scoring.comparison.claims import beyond
from osteon.scoring.comparison.holm import holm
from osteon.scoring.foreign import open_place
from osteon.scoring.runs import Run

# result.json holds what the predictions give, to the last digits.
_LEAST = 1e-6
_NUMBERS = ("difference", "lo", "hi", "p")


@dataclass(frozen=True)
class Best:
    """The first row beside the runner-up.

    Attributes:
        difference: first minus runner-up.
        lo: lower bound of 95 %; None where there is none.
        hi: upper bound.
        p: of the paired test (`osteon compare`), by Holm over the test sets of the board.
        why: why there is no p; "" where there is one.
        family: over how many test sets p is adjusted.
    """

    difference: float | None = None
    lo: float | None = None
    hi: float | None = None
    p: float | None = None
    why: str = ""
    family: int = 1

    @property
    def marked(self) -> bool:
        """Whether the first row may be called better than the runner-up."""
        return beyond(self.p, self.lo, self.hi)


def judged(
    blocks: Sequence[Sequence[Row]], task: str, key: Key, replicates: int, seed: int
) -> tuple[list[Best | None], list[str]]:
    """Judge the first row of each test set against its runner-up.

    Returns:
        One a block, None where it has one row; and runs whose result.json does not agree with their predictions.
    """
    found: list[Best | None] = []
    doubts: list[str] = []
    for rows in blocks:
        best, said = _against(rows[0], rows[1], task, key, replicates, seed) if len(rows) > 1 else (None, [])
        found.append(best)
        doubts += said
    tested = {place: best for place, best in enumerate(found) if best is not None and best.p is not None}
    if tested:
        adjusted = holm(np.array([best.p for best in tested.values()], np.float64))
        for (place, best), p in zip(tested.items(), adjusted, strict=True):
            found[place] = replace(best, p=float(p), family=len(tested))
    return found, doubts


def _against(first: Row, second: Row, task: str, key: Key, replicates: int, seed: int) -> tuple[Best, list[str]]:
    try:
        sides = [side_of(letter, row.name, _runs(row, task)) for letter, row in (("A", second), ("B", first))]
        table = compare(sides[0], sides[1], metrics=[key[0]], replicates=replicates, seed=seed).table
    except OsteonError as fault:
        return Best(why=str(fault)), []
    rows = table[(table["task"] == task) & (table["group"] == "all")]
    rows = rows[rows["operating_point"].fillna("") == key[2]]
    if rows.empty:
        return Best(why=f"{key[0]} cannot be compared at the {key[2]} threshold"), []
    found = rows.iloc[0]
    doubts = [text for row, value in ((second, found["a"]), (first, found["b"])) if (text := _doubt(row, key, value))]
    if doubts:
        return Best(why="result.json and predictions do not agree"), doubts
    difference, lo, hi, p = (None if pd.isna(found[name]) else float(found[name]) for name in _NUMBERS)
    return Best(difference, lo, hi, p, "" if p is not None else str(found["note"])), []


def _runs(row: Row, task: str) -> list[Run]:
    """Open a recipe again, with one task and no groups: nothing else is compared."""
    facts = row.trainings[0].facts
    runs = [only(open_place(place), task, facts) for training in row.trainings for place in training.places]
    return [_ungrouped(run) for run in runs]


def _ungrouped(run: Run) -> Run:
    told = run.predictions
    tasks = {name: replace(facts, groups=()) for name, facts in told.tasks.items()}
    return replace(run, predictions=replace(told, tasks=tasks))


def _doubt(row: Row, key: Key, value: Any) -> str:
    told = row.cells[key].value
    if told is None or pd.isna(value) or abs(told - float(value)) <= _LEAST:
        return ""
    return (
        f"{row.trainings[0].places[0]}: result.json says {key[0]} {told:.4f}, the predictions of this recipe give "
        f"{float(value):.4f}. Nothing is called best; see `osteon score`."
    )
