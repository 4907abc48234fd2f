"""The LightningDataModule: a manifest with its cache, as loaders of train, val and test."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pytorch_lightning import LightningDataModule, Trainer
from torch.utils.data import DataLoader

from osteon.data.batch import Batch, Sample, collate
from osteon.data.batching import MixedBatches, TaskBatches
from osteon.data.radiographs import Augmenter, Radiographs
from osteon.data.samplers import OrderedSampler
from osteon.data.sampling import labelled
from osteon.data.streams import Mixture, train_batches


class RadiographData(LightningDataModule):
    """Loaders over one manifest.

    Args:
        manifest: validated, split; its index is 0..N-1 and `slot` is the row's place in the pixel store.
        pixels: the uint8 store.
        targets: task -> (N,), (N, labels) or boxes (N, M, 5) in canvas pixels, aligned with the manifest; NaN where
            absent or of another task.
        batch_size: images a step, over all ranks together.
        workers: loader processes a rank.
        augment: for train rows.
        seed: of the run.
        epoch_length: batches an epoch, None for every row once.
        row_weights: (N,) how often a manifest row is drawn for training, relative to the others; None for each once.
        limit: batches after which Lightning ends an epoch of training early; None for none.
        mixture: how the tasks share the draws and the batches; None: all rows alike.
        mirror: (N,) bool, manifest rows whose image is turned left to right before anything else; None for none.
        predicted: splits that are predicted after training, in that order.
    """

    def __init__(
        self,
        manifest: pd.DataFrame,
        pixels: Path,
        targets: Mapping[str, np.ndarray],
        batch_size: int,
        workers: int,
        augment: Augmenter | None,
        seed: int,
        epoch_length: int | None = None,
        row_weights: np.ndarray | None = None,
        limit: int | None = None,
        mirror: np.ndarray | None = None,
        mixture: Mixture | None = None,
        predicted: Sequence[str] = ("val", "test"),
    ) -> None:
        super().__init__()
        self.rows = {split: np.flatnonzero(manifest["split"] == split) for split in ("train", "val", "test")}
        self.slots = manifest["slot"].to_numpy(dtype=np.int64)
        self.targets = dict(targets)
        self.pixels, self.batch_size, self.workers, self.seed = pixels, batch_size, workers, seed
        self.augment, self.row_weights = augment, row_weights
        self.epoch_length, self.limit, self.mixture = epoch_length, limit, mixture
        self.predicted = tuple(predicted)
        self.mirror = np.zeros(len(manifest), bool) if mirror is None else mirror

    def dataset(self, split: str) -> Radiographs:
        """Return the images of `split`; only train rows that carry a label of some task are trained on."""
        rows = self.rows[split]
        if split == "train":
            rows = rows[np.any(list(labelled(self.targets, rows).values()), axis=0)]
        augment = self.augment if split == "train" else None
        targets = {name: values[rows] for name, values in self.targets.items()}
        return Radiographs(self.pixels, self.slots[rows], rows, targets, augment, self.seed, self.mirror[rows])

    def train_dataloader(self) -> DataLoader[Sample]:
        """Return this process' part of shuffled, augmented batches."""
        data, (rank, world) = self.dataset("train"), self._place()
        return self._loader(data, batch_sampler=self._batches(data, rank, world))

    def steps_an_epoch(self) -> int:
        """Return the batches of an epoch, the same on every process and for any number of them.

        Counted here, as asking Lightning makes its loaders before a resumed run knows its epoch.
        """
        steps = len(self._batches(self.dataset("train"), 0, 1))
        return steps if self.limit is None else min(steps, self.limit)

    def _batches(self, data: Radiographs, rank: int, world: int) -> MixedBatches | TaskBatches:
        weights = None if self.row_weights is None else self.row_weights[data.rows]
        made = train_batches(data.targets, weights, self.mixture, self.batch_size, self.epoch_length)
        return made(self.seed, self._epoch, rank, world)

    def val_dataloader(self) -> DataLoader[Sample]:
        """Return the val images in order."""
        return self._evaluation("val")

    def test_dataloader(self) -> DataLoader[Sample]:
        """Return the test images in order."""
        return self._evaluation("test")

    def predict_dataloader(self) -> list[DataLoader[Sample]]:
        """Return loaders of the splits that are predicted: val and, unless it is left out, test; in that order."""
        return [self._evaluation(split) for split in self.predicted]

    def transfer_batch_to_device(self, batch: Batch, device: object, dataloader_idx: int) -> Batch:
        """Move a batch; overlapped with compute where the memory is pinned."""
        return batch.to(device, non_blocking=True)  # type: ignore[arg-type]

    def _evaluation(self, split: str) -> DataLoader[Sample]:
        data = self.dataset(split)
        rank, world = self._place()
        size = max(1, 2 * self.batch_size // world)
        return self._loader(data, batch_size=size, sampler=OrderedSampler(len(data), rank, world))

    def _loader(self, data: Radiographs, **drawn: Any) -> DataLoader[Sample]:
        pinned = self.trainer is not None and self.trainer.strategy.root_device.type == "cuda"
        return DataLoader(
            data,
            num_workers=self.workers,
            collate_fn=collate,
            pin_memory=pinned,
            persistent_workers=self.workers > 0,
            **drawn,
        )

    def _place(self) -> tuple[int, int]:
        return (self.trainer.global_rank, self.trainer.world_size) if self.trainer is not None else (0, 1)

    def _epoch(self) -> int:
        return 0 if self.trainer is None else epoch_of(self.trainer, self.steps_an_epoch())


def mirrored(manifest: pd.DataFrame, side: str | None) -> np.ndarray:
    """Return (N,) bool, the rows of the other side than `side` (L or R); none where no side is asked for."""
    if side is None:
        return np.zeros(len(manifest), bool)
    other = {"L": "R", "R": "L"}[side]
    return (manifest["laterality"] == other).fillna(False).to_numpy(dtype=bool)


def epoch_of(trainer: Trainer, steps_an_epoch: int) -> int:
    """Count epochs from the batches processed: right also in the first epoch after a resume."""
    return int(trainer.fit_loop.epoch_loop.batch_progress.total.ready // steps_an_epoch)
