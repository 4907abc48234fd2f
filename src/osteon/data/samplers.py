"""Which rows, in which order: the draws of a whole epoch, the same whatever the number of processes."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from torch.utils.data import Sampler

from osteon.errors import OsteonError

SILENT = -1  # the turn of an image that only fills a batch up: it is not augmented and carries no label
ALL_TASKS = -1


class Draw(NamedTuple):
    """One image of a training batch; its epoch travels with it.

    Attributes:
        epoch: number of the pass, or of the epoch, that its augmentation is seeded by.
        position: in the dataset.
        turn: earlier draws of the row in this epoch, over all processes; `SILENT` for one that fills a batch up.
        task: number of the one task whose label it carries here; `ALL_TASKS` for every label that it has.
    """

    epoch: int
    position: int
    turn: int = 0
    task: int = ALL_TASKS


class ShuffledSampler(Sampler[Draw]):
    """Train rows in an order drawn from (seed, pass over the rows).

    Epochs are cut from one endless stream of passes, each in its own order; by default an epoch is a pass.

    Args:
        length: rows of the dataset.
        seed: of the run.
        epoch: called at every start; must come from the batches processed (`current_epoch` is stale on resume).
        taken: rows an epoch; None for all of them once.
        stream: tells streams of one run apart.
    """

    def __init__(
        self, length: int, seed: int, epoch: Callable[[], int], taken: int | None = None, stream: int | None = None
    ) -> None:
        self.length, self.epoch = length, epoch
        self.seed = (seed,) if stream is None else (seed, stream)
        self.taken = length if taken is None else taken

    def __len__(self) -> int:
        return self.taken

    def __iter__(self) -> Iterator[Draw]:
        start = self.epoch() * self.taken
        stop = start + self.taken
        for number in range(start // self.length, (stop - 1) // self.length + 1):
            order = np.random.default_rng((*self.seed, number)).permutation(self.length)
            before = number * self.length
            for place in range(max(start, before), min(stop, before + self.length)):
                yield Draw(number, int(order[place - before]))


class WeightedSampler(Sampler[Draw]):
    """Train rows drawn with replacement from (seed, epoch); each draw of a row is augmented in its own way.

    Args:
        weights: (N,) chance of every row of the dataset to be drawn, relative to the others; 0 is never drawn.
        seed: of the run.
        epoch: called at every start, as in `ShuffledSampler`.
        taken: draws an epoch; None for as many as there are rows.
        stream: tells streams of one run apart.

    Raises:
        OsteonError: weights that are negative or not finite, or none above 0.
    """

    def __init__(
        self,
        weights: np.ndarray,
        seed: int,
        epoch: Callable[[], int],
        taken: int | None = None,
        stream: int | None = None,
    ) -> None:
        if not (np.isfinite(weights).all() and (weights >= 0).all() and weights.any()):
            raise OsteonError("sampler: row weights must be finite and not negative, and one of them above 0.")
        self.shares = np.asarray(weights, dtype=np.float64) / np.sum(weights, dtype=np.float64)
        self.seed = (seed,) if stream is None else (seed, stream)
        self.epoch = epoch
        self.taken = len(weights) if taken is None else taken

    def __len__(self) -> int:
        return self.taken

    def __iter__(self) -> Iterator[Draw]:
        epoch = self.epoch()
        drawn = np.random.default_rng((*self.seed, epoch)).choice(len(self.shares), self.taken, p=self.shares)
        return (Draw(epoch, int(row), int(turn)) for row, turn in zip(drawn, _turns(drawn), strict=True))


def _turns(drawn: np.ndarray) -> np.ndarray:
    """Return for each draw how often its row was drawn before."""
    order = np.argsort(drawn, kind="stable")
    grouped = drawn[order]
    first = np.searchsorted(grouped, grouped)
    turns = np.empty(len(drawn), dtype=np.int64)
    turns[order] = np.arange(len(drawn)) - first
    return turns


class OrderedSampler(Sampler[Draw]):
    """Evaluation rows in order, unpadded; a rank that would be empty evaluates row 0 again (it is dropped later)."""

    def __init__(self, length: int, rank: int = 0, world: int = 1) -> None:
        self.positions = list(range(rank, length, world)) or [0]

    def __len__(self) -> int:
        return len(self.positions)

    def __iter__(self) -> Iterator[Draw]:
        return (Draw(0, position) for position in self.positions)
