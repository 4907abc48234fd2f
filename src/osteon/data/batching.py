"""Batches of an epoch, and each process' share of them: the batch is the same whatever the number of processes."""

from collections.abc import Iterator, Sequence
from itertools import chain, islice

from torch.utils.data import Sampler

from osteon.data.samplers import SILENT, Draw

LEAST = 2  # images of a batch on a process, where the batch size allows: batch norm cannot use one


class MixedBatches(Sampler[list[Draw]]):
    """Batches of a stream of draws, of all tasks together; a last batch of one row is dropped.

    Args:
        stream: the draws of an epoch.
        size: images a batch, over all processes.
        rank: of this process, which gets every `world`-th draw of each batch.
        world: number of processes.
    """

    def __init__(self, stream: Sampler[Draw], size: int, rank: int = 0, world: int = 1) -> None:
        self.stream, self.size, self.rank, self.world = stream, size, rank, world

    def __len__(self) -> int:
        return batches(len(self.stream), self.size)  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[list[Draw]]:
        draws = iter(self.stream)
        for _ in range(len(self)):
            yield share(list(islice(draws, self.size)), self.rank, self.world, self.size)


class TaskBatches(Sampler[list[Draw]]):
    """Batches made of one part a task, in the order of the tasks; a draw of a part carries that task's label alone.

    Args:
        streams: of every task its draws, positions in the whole dataset; as many batches of `sizes` as an epoch has.
        sizes: images of every task in a batch, over all processes.
        rank: of this process, which gets every `world`-th draw of each part.
        world: number of processes.
    """

    def __init__(self, streams: Sequence[Sampler[Draw]], sizes: Sequence[int], rank: int = 0, world: int = 1) -> None:
        self.streams, self.sizes, self.rank, self.world = list(streams), list(sizes), rank, world

    def __len__(self) -> int:
        return len(self.streams[0]) // self.sizes[0]  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[list[Draw]]:
        running = [iter(stream) for stream in self.streams]
        for _ in range(len(self)):
            parts = [list(islice(draws, size)) for draws, size in zip(running, self.sizes, strict=True)]
            yield list(chain(*(share(part, self.rank, self.world, LEAST * self.world) for part in parts)))


def batches(rows: int, size: int) -> int:
    """Return the batches of `rows` draws: the last may be smaller, but no single row after whole batches."""
    whole, left = divmod(rows, size)
    return whole + int(left > 1 or (left == 1 and whole == 0))


def share(batch: Sequence[Draw], rank: int, world: int, size: int) -> list[Draw]:
    """Return a process' part of a batch.

    The last batch of an epoch may not reach all: a process that is short of images gets silent ones, which count for
    nothing in any loss, so that none waits for another and batch norm has something to see.
    """
    mine = list(batch[rank::world])
    short = min(LEAST, max(1, size // world)) - len(mine) if world > 1 else 0
    return [*mine, *(batch[(rank + place) % len(batch)]._replace(turn=SILENT) for place in range(short))]
