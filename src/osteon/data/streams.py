"""From rows, weights and tasks to the batches of an epoch."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from torch.utils.data import Sampler

from osteon.config import Data
from osteon.data.batching import LEAST, MixedBatches, TaskBatches, batches
from osteon.data.samplers import Draw, ShuffledSampler, WeightedSampler
from osteon.data.sampling import labelled, row_weights, shares, sizes

# (seed, epoch, rank, world) -> the batches of that process.
Made = Callable[[int, Callable[[], int], int, int], MixedBatches | TaskBatches]


@dataclass(frozen=True)
class Mixture:
    """How the tasks of a run share the draws (`data.sampling`) and the batches (`data.batching`).

    Attributes:
        parts: task -> its share of the draws.
        even: whether every row is simply drawn once an epoch.
        per_task: whether a batch is made of one part a task.
    """

    parts: Mapping[str, float]
    even: bool
    per_task: bool


def mixture(targets: Mapping[str, np.ndarray], train: np.ndarray, data: Data) -> Mixture:
    """Return how the tasks are mixed.

    Args:
        targets: task -> targets of all rows, NaN where absent.
        train: (N,) bool, rows that are trained on; no other label is counted.
        data: the settings.
    """
    counts = {task: int(known.sum()) for task, known in labelled(targets, np.flatnonzero(train)).items()}
    several = len(counts) > 1
    return Mixture(
        shares(counts, data), not several or data.sampling == "proportional", several and data.batching == "per_task"
    )


def train_batches(
    targets: Mapping[str, np.ndarray],
    weights: np.ndarray | None,
    mixed: Mixture | None,
    size: int,
    epoch_length: int | None,
) -> Made:
    """Return what makes the batches of an epoch.

    Args:
        targets: task -> targets of the n rows that are trained on.
        weights: (n,) how often a row is drawn relative to the others; None: each once.
        mixed: how the tasks share the draws; None: all rows alike.
        size: images a batch, over all processes.
        epoch_length: batches an epoch; None for as many draws as there are rows.
    """
    rows = len(next(iter(targets.values())))
    taken = rows if epoch_length is None else epoch_length * size
    if mixed is not None and mixed.per_task:
        return _per_task(targets, weights, mixed, size, batches(taken, size))
    if mixed is not None and not mixed.even:
        known = labelled(targets, np.arange(rows))
        weights = row_weights(known, mixed.parts, np.ones(rows) if weights is None else weights)

    def make(seed: int, epoch: Callable[[], int], rank: int, world: int) -> MixedBatches:
        stream: Sampler[Draw] = (
            ShuffledSampler(rows, seed, epoch, taken)
            if weights is None
            else WeightedSampler(weights, seed, epoch, taken)
        )
        return MixedBatches(stream, size, rank, world)

    return make


def _per_task(
    targets: Mapping[str, np.ndarray], weights: np.ndarray | None, mixed: Mixture, size: int, steps: int
) -> Made:
    rows = len(next(iter(targets.values())))
    own = {task: np.flatnonzero(known) for task, known in labelled(targets, np.arange(rows)).items()}
    each = sizes(mixed.parts, size, LEAST)

    def make(seed: int, epoch: Callable[[], int], rank: int, world: int) -> TaskBatches:
        streams: list[Sampler[Draw]] = []
        for number, (positions, images) in enumerate(zip(own.values(), each, strict=True)):
            taken = steps * images
            stream: Sampler[Draw] = (
                ShuffledSampler(len(positions), seed, epoch, taken, number)
                if weights is None
                else WeightedSampler(weights[positions], seed, epoch, taken, number)
            )
            streams.append(_Placed(stream, positions, number))
        return TaskBatches(streams, each, rank, world)

    return make


class _Placed(Sampler[Draw]):
    """The draws of one task's rows, as positions in the whole dataset and marked as that task's."""

    def __init__(self, stream: Sampler[Draw], positions: np.ndarray, task: int) -> None:
        self.stream, self.positions, self.task = stream, positions, task

    def __len__(self) -> int:
        return len(self.stream)  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[Draw]:
        return (draw._replace(position=int(self.positions[draw.position]), task=self.task) for draw in self.stream)
