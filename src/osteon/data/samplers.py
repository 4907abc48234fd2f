"""Which rows, in which order, on which rank. Every index travels with its epoch, a repeated one with its turn."""

from collections.abc import Callable, Iterator

import numpy as np
from torch.utils.data import Sampler

from osteon.errors import OsteonError

Index = tuple[int, int]
Draw = tuple[int, int, int]


class ShuffledSampler(Sampler[Index]):
    """Train rows in an order drawn from (seed, pass over the rows), sharded over ranks to equal lengths.

    An index is (pass, position). Epochs are cut from one endless stream of passes, each in its own order; by default
    an epoch is a pass.

    Args:
        length: rows of the dataset.
        seed: of the run.
        epoch: called at every start; must come from the batches processed (`current_epoch` is stale on resume).
        rank: of this process.
        world: number of processes; the last few rows of an epoch are left out where it does not divide.
        taken: rows an epoch over all ranks; None for all of them once.
    """

    def __init__(
        self,
        length: int,
        seed: int,
        epoch: Callable[[], int],
        rank: int = 0,
        world: int = 1,
        taken: int | None = None,
    ) -> None:
        self.length, self.seed, self.epoch, self.rank, self.world = length, seed, epoch, rank, world
        self.taken = length if taken is None else taken

    def __len__(self) -> int:
        return self.taken // self.world

    def __iter__(self) -> Iterator[Index]:
        start = self.epoch() * self.taken
        stop = start + len(self) * self.world
        first, last = start // self.length, (stop - 1) // self.length
        for number in range(first, last + 1):
            order = np.random.default_rng((self.seed, number)).permutation(self.length)
            before = number * self.length
            for place in range(max(start, before), min(stop, before + self.length)):
                if (place - start) % self.world == self.rank:
                    yield number, int(order[place - before])


class WeightedSampler(Sampler[Draw]):
    """Train rows drawn with replacement from (seed, epoch), sharded to equal lengths.

    Yields (epoch, position, turn): the turn counts earlier draws of the row in this epoch, over all ranks, so that
    each of them is augmented in its own way.

    Args:
        weights: (N,) chance of every row of the dataset to be drawn, relative to the others; 0 is never drawn.
        seed: of the run.
        epoch: called at every start, as in `ShuffledSampler`.
        rank: of this process.
        world: number of processes; the last few draws of an epoch are left out where it does not divide.
        taken: draws an epoch over all ranks; None for as many as there are rows.

    Raises:
        OsteonError: weights that are negative or not finite, or none above 0.
    """

    def __init__(
        self,
        weights: np.ndarray,
        seed: int,
        epoch: Callable[[], int],
        rank: int = 0,
        world: int = 1,
        taken: int | None = None,
    ) -> None:
        if not (np.isfinite(weights).all() and (weights >= 0).all() and weights.any()):
            raise OsteonError("sampler: row weights must be finite and not negative, and one of them above 0.")
        self.shares = np.asarray(weights, dtype=np.float64) / np.sum(weights, dtype=np.float64)
        self.seed, self.epoch, self.rank, self.world = seed, epoch, rank, world
        self.taken = len(weights) if taken is None else taken

    def __len__(self) -> int:
        return self.taken // self.world

    def __iter__(self) -> Iterator[Draw]:
        epoch = self.epoch()
        drawn = np.random.default_rng((self.seed, epoch)).choice(len(self.shares), self.taken, p=self.shares)
        turns = _turns(drawn)
        mine = slice(self.rank, len(self) * self.world, self.world)
        return ((epoch, int(row), int(turn)) for row, turn in zip(drawn[mine], turns[mine], strict=True))


def _turns(drawn: np.ndarray) -> np.ndarray:
    """Return for each draw how often its row was drawn before."""
    order = np.argsort(drawn, kind="stable")
    grouped = drawn[order]
    first = np.searchsorted(grouped, grouped)
    turns = np.empty(len(drawn), dtype=np.int64)
    turns[order] = np.arange(len(drawn)) - first
    return turns


class OrderedSampler(Sampler[Index]):
    """Evaluation rows in order, unpadded; a rank that would be empty evaluates row 0 again (it is dropped later)."""

    def __init__(self, length: int, rank: int = 0, world: int = 1) -> None:
        self.positions = list(range(rank, length, world)) or [0]

    def __len__(self) -> int:
        return len(self.positions)

    def __iter__(self) -> Iterator[Index]:
        return ((0, position) for position in self.positions)
