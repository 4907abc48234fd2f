"""Which rows, in which order, on which rank. Every index travels with its epoch."""

from collections.abc import Callable, Iterator

import numpy as np
from torch.utils.data import Sampler

Index = tuple[int, int]


class ShuffledSampler(Sampler[Index]):
    """Train rows in an order drawn from (seed, epoch), sharded over ranks to equal lengths.

    Args:
        length: rows of the dataset.
        seed: of the run.
        epoch: called at every start; must come from the batches processed (`current_epoch` is stale on resume).
        rank: of this process.
        world: number of processes; the last few rows of an epoch's order are left out where it does not divide.
    """

    def __init__(self, length: int, seed: int, epoch: Callable[[], int], rank: int = 0, world: int = 1) -> None:
        self.length, self.seed, self.epoch, self.rank, self.world = length, seed, epoch, rank, world

    def __len__(self) -> int:
        return self.length // self.world

    def __iter__(self) -> Iterator[Index]:
        epoch = self.epoch()
        order = np.random.default_rng((self.seed, epoch)).permutation(self.length)
        mine = order[self.rank : len(self) * self.world : self.world]
        return ((epoch, int(position)) for position in mine)


class OrderedSampler(Sampler[Index]):
    """Evaluation rows in order, unpadded; a rank that would be empty evaluates row 0 again (it is dropped later)."""

    def __init__(self, length: int, rank: int = 0, world: int = 1) -> None:
        self.positions = list(range(rank, length, world)) or [0]

    def __len__(self) -> int:
        return len(self.positions)

    def __iter__(self) -> Iterator[Index]:
        return ((0, position) for position in self.positions)
