"""What one training step sees: images, and for every task its targets and who has them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor


@dataclass
class Sample:
    """One image, and for every task its target, (labels,) targets where a task has several, or (M, 5) boxes.

    `row` is its row in the manifest; ids never travel through the loader. `lost` counts boxes that augmentation pushed
    out of the image, or cut to a sliver. `task` is the number of the task that it was drawn for, -1 for all.
    """

    image: np.ndarray
    row: int
    targets: dict[str, float | np.ndarray]
    lost: int = 0
    task: int = -1


@dataclass
class Batch:
    """A batch of images and any subset of their labels.

    Attributes:
        images: (B, 1, H, W) uint8.
        rows: (B,) int64, rows of the manifest.
        targets: task -> (B,) float32, (B, labels) where a task has several, (B, M, 5) boxes; 0 where absent.
        present: task -> bool of the same shape; False where nobody looked or the row belongs to another task.
        lost: (B,) int64, boxes that augmentation took.
        drawn_for: number of the task that each row was drawn for, in stretches; all -1 where tasks are mixed.
    """

    images: Tensor
    rows: Tensor
    targets: dict[str, Tensor]
    present: dict[str, Tensor]
    lost: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.int64))
    drawn_for: tuple[int, ...] = ()

    def __len__(self) -> int:
        return int(self.rows.shape[0])

    def pieces(self) -> list["Batch"]:
        """Return the batch cut where the task changes that its rows were drawn for; itself where tasks are mixed."""
        ends = [place for place in range(1, len(self)) if self.drawn_for and self._turns(place)]
        if not ends:
            return [self]
        return [self._rows(start, stop) for start, stop in zip([0, *ends], [*ends, len(self)], strict=True)]

    def _turns(self, place: int) -> bool:
        return self.drawn_for[place] != self.drawn_for[place - 1]

    def _rows(self, start: int, stop: int) -> "Batch":
        return Batch(
            self.images[start:stop],
            self.rows[start:stop],
            {name: values[start:stop] for name, values in self.targets.items()},
            {name: values[start:stop] for name, values in self.present.items()},
            self.lost[start:stop],
            self.drawn_for[start:stop],
        )

    def to(self, device: torch.device, **options: Any) -> "Batch":
        """Return the batch on `device` (Lightning's transfer calls it)."""
        return Batch(
            self.images.to(device, **options),
            self.rows.to(device, **options),
            {name: values.to(device, **options) for name, values in self.targets.items()},
            {name: values.to(device, **options) for name, values in self.present.items()},
            self.lost,
            self.drawn_for,
        )

    def pin_memory(self) -> "Batch":
        """Return the batch in page-locked memory (the loader calls it)."""
        return Batch(
            self.images.pin_memory(),
            self.rows.pin_memory(),
            {name: values.pin_memory() for name, values in self.targets.items()},
            {name: values.pin_memory() for name, values in self.present.items()},
            self.lost,
            self.drawn_for,
        )


def collate(samples: Sequence[Sample]) -> Batch:
    """Stack samples into a batch; a target that is not a number is absent."""
    images = torch.from_numpy(np.stack([sample.image for sample in samples]))[:, None]
    rows = torch.tensor([sample.row for sample in samples], dtype=torch.int64)
    targets, present = {}, {}
    for name in samples[0].targets:
        values = torch.from_numpy(np.array([sample.targets[name] for sample in samples], dtype=np.float32))
        present[name] = ~torch.isnan(values)
        targets[name] = torch.nan_to_num(values)
    lost = torch.tensor([sample.lost for sample in samples])
    return Batch(images, rows, targets, present, lost, tuple(sample.task for sample in samples))
