"""The leaderboard of one task: a block a test set, its recipes ranked; published rows in blocks of their own."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from osteon.errors import OsteonError, nearest
from osteon.leaderboard.best import Best, judged
from osteon.leaderboard.gather import Gathered
from osteon.leaderboard.rows import Cell, Key, Row, drawn_apart, look_alike, rows_of
from osteon.predictions import TaskFacts
from osteon.predictions.facts import MONITOR
from osteon.scoring.comparison.words import plural
from osteon.scoring.macro import HEAD
from osteon.scoring.metrics import METRICS, direction
from osteon.scoring.rows import check_replicates
from osteon.scoring.thresholds import THRESHOLDED

POINTS = ("protocol", "frozen")
# What stands beside the metric that ranks, by head.
BESIDE = {
    "binary": ("kappa", "auroc", "sensitivity", "specificity"),
    "multiclass": ("accuracy", "kappa", "macro_auroc"),
    "ordinal": ("quadratic_kappa", "mse", "accuracy", "auroc_at_cut"),
    "regression": ("mae", "rmse", "bias"),
    "detection": ("map50", "map50_95", "froc"),
    HEAD: ("macro_auroc", "macro_average_precision"),
}


@dataclass(frozen=True)
class Ranking:
    """What ranks the recipes of a task.

    Attributes:
        task: its name.
        head: of the task; "multilabel" for several findings.
        metric: that ranks.
        higher: whether higher is better.
        point: the operating point of metrics of calls; "" where the head has none.
        unit_name: of a number that is predicted, such as months.
    """

    task: str
    head: str
    metric: str
    higher: bool
    point: str
    unit_name: str = ""

    def key(self, metric: str, group: str = "all") -> Key:
        """Return where a score lies in the cells of a row."""
        item = METRICS.get(metric)
        needs = item.needs_threshold if item else metric.startswith("recall_")
        return metric, group, self.point if needs and self.head in THRESHOLDED else ""

    @property
    def shown(self) -> list[str]:
        """The metrics to show, the one that ranks first."""
        return [self.metric, *(name for name in BESIDE[self.head] if name != self.metric)]


@dataclass(frozen=True)
class Block:
    """Recipes on identical test units, best first; `best` says whether the first may be called best."""

    rows: list[Row]
    digest: str
    best: Best | None

    @property
    def first(self) -> Cell:
        """The overall score of any row: n, positives and patients are the same in all."""
        return next(iter(self.rows[0].cells.values()))

    @property
    def source(self) -> str:
        """Return phantom where any row says so: predictions made by hand call themselves real."""
        return "phantom" if any("phantom" in row.source for row in self.rows) else "real"

    @property
    def split_name(self) -> str:
        """What the owners of the data call the test; what a file without a name calls it last."""
        names = [training.split_name for row in self.rows for training in row.trainings]
        return next((name for name in names if name != "test"), "test")

    @property
    def datasets(self) -> str:
        """Where the units come from."""
        names = [training.units.datasets for row in self.rows for training in row.trainings]
        return next((name for name in names if name != "unknown"), "unknown")


@dataclass(frozen=True)
class Board:
    """The leaderboard of one task; `faults` is what was left out because it is wrong, `notes` what else to know."""

    ranking: Ranking
    blocks: list[Block]
    faults: list[str]
    notes: list[str]


def leaderboard(
    given: Sequence[str | Path],
    task: str | None = None,
    *,
    metric: str | None = None,
    point: str | None = None,
    replicates: int = 1000,
    seed: int = 0,
) -> Board:
    """Rank recipes of one task.

    Args:
        given: run folders, folders of them (of any depth up to four), patterns, predictions of other frameworks.
        task: its name; None where all runs have the same one.
        metric: that ranks; None: the one that the runs chose their epochs by.
        point: protocol or frozen; None: protocol where the metric that ranks is of calls, as published rows are, else
            frozen.
        replicates: draws behind the paired difference, and behind scores that no result.json holds.
        seed: of the draws.

    Raises:
        OsteonError: nothing could be read, or there is no such metric, point or task.
    """
    check_replicates(replicates)
    if not given:
        raise OsteonError("no run given. Give run folders, or a folder of them, such as runs.")
    if point not in (None, *POINTS):
        raise OsteonError(f"--point: found {point!r}, expected {' or '.join(POINTS)}.{nearest(str(point), POINTS)}")
    gathered = Gathered(given)
    task = task or gathered.the_task()
    gathered.read(task, replicates, seed)
    rows, twice = rows_of(gathered.trainings)
    ranking = _ranking(task, rows, metric, point)
    whole = [row for row in rows if row.cells.get(ranking.key(ranking.metric)) is not None]
    lost = [f"{row.trainings[0].places[0]}: its scores have no {ranking.metric}." for row in rows if row not in whole]
    if not whole:
        raise OsteonError(f"--metric {ranking.metric}: no run has it. {' '.join(lost)}")
    blocks, doubts = _blocks(whole, ranking, replicates, seed)
    notes = [f"left out, of other tasks: {plural(len(gathered.others), 'run')}"] if gathered.others else []
    if len(blocks) > 1:
        notes.append(f"{len(blocks)} test sets: rows are ranked only among those of identical units and targets")
    apart = {block.digest[:8]: drawn_apart(block.rows) for block in blocks if block.source == "phantom"}
    notes += [
        f"set {one}: the phantoms have the same ids, but not the same images: {keys}"
        for one, keys in apart.items()
        if keys
    ]
    notes += look_alike([row for block in blocks for row in block.rows])
    return Board(ranking, blocks, [*gathered.faults, *twice, *lost, *doubts], notes)


def _ranking(task: str, rows: Sequence[Row], metric: str | None, point: str | None) -> Ranking:
    told = [training for row in rows for training in row.trainings if not training.guessed]
    facts: TaskFacts = (told or rows[0].trainings)[0].facts
    head = HEAD if facts.of == task else facts.head
    monitors = {training.facts.monitor for training in told} if head != HEAD else {"macro_auroc"}
    chosen = metric or (monitors.pop() if len(monitors) == 1 else MONITOR[head])
    options = sorted({key[0] for row in rows for key in row.cells if not _directionless(key[0])})
    if chosen not in options:
        raise OsteonError(f"--metric {chosen}: the runs have {', '.join(options)}.{nearest(chosen, options)}")
    called = METRICS[chosen].needs_threshold if chosen in METRICS else chosen.startswith("recall_")
    at = "" if head not in THRESHOLDED else point or ("protocol" if called else "frozen")
    return Ranking(task, head, chosen, direction(chosen) == "max", at, facts.unit_name)


def _directionless(metric: str) -> bool:
    return metric in METRICS and not METRICS[metric].monitored


def _blocks(rows: Sequence[Row], ranking: Ranking, replicates: int, seed: int) -> tuple[list[Block], list[str]]:
    sets: dict[str, list[Row]] = {}
    for row in rows:
        sets.setdefault(row.trainings[0].units.digest, []).append(row)
    key = ranking.key(ranking.metric)
    ranked = {
        digest: sorted(some, key=lambda row: _place(row.cells[key], ranking.higher)) for digest, some in sets.items()
    }
    best, doubts = judged(list(ranked.values()), ranking.task, key, replicates, seed)
    blocks = [Block(some, digest, one) for (digest, some), one in zip(ranked.items(), best, strict=True)]
    blocks.sort(key=lambda block: (block.source != "real", -len(block.rows)))
    return blocks, doubts


def _place(cell: Cell, higher: bool) -> float:
    """Return what sorts a row; undefined scores come last."""
    return float(np.inf) if cell.value is None else -cell.value if higher else cell.value
