"""The torch Dataset: cached pixels, augmented by a seed of (run, epoch, image)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import numpy as np
from torch.utils.data import Dataset

from osteon.data.batch import Sample
from osteon.data.samplers import ALL_TASKS, SILENT, Draw
from osteon.manifest.boxes import BLANK

SLIVER = 2.0  # px of the canvas: a box whose shorter side is left with less says nothing any more
Targets = dict[str, float | np.ndarray]


class Augmenter(Protocol):
    """Changes an image, and boxes with it, by a seed alone."""

    def __call__(self, image: np.ndarray, seed: int) -> np.ndarray:
        """Return the changed image."""

    def with_boxes(self, image: np.ndarray, boxes: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the same image, and the boxes (n, columns) that are still on it, clipped."""


class Radiographs(Dataset[Sample]):
    """Cached images with their targets; holds only numpy arrays, so that workers share its memory.

    An item is asked for by a `Draw`, or a tuple of its first fields: numbers then depend neither on workers nor on
    ranks, and persistent workers, which keep an old copy of the dataset, still see the right epoch.

    Args:
        pixels: path of the uint8 `.npy` store (M, H, W), opened when first read.
        slots: (N,) slot of every row in the store.
        rows: (N,) manifest row of every item.
        targets: task -> (N,) or (N, labels) float32, NaN where absent; boxes (N, M, 5) in canvas pixels, filled up
            with rows of class -1.
        augment: called with the image and a seed; None for evaluation.
        seed: of the run.
        mirror: (N,) bool, items that are turned left to right before anything else; None for none.
    """

    def __init__(
        self,
        pixels: Path,
        slots: np.ndarray,
        rows: np.ndarray,
        targets: Mapping[str, np.ndarray],
        augment: Augmenter | None = None,
        seed: int = 0,
        mirror: np.ndarray | None = None,
    ) -> None:
        self.pixels = pixels
        self.slots = np.ascontiguousarray(slots, dtype=np.int64)
        self.rows = np.ascontiguousarray(rows, dtype=np.int64)
        self.targets = {name: np.ascontiguousarray(values, dtype=np.float32) for name, values in targets.items()}
        self.augment = augment
        self.seed = seed
        self.mirror = np.zeros(len(self.rows), bool) if mirror is None else np.ascontiguousarray(mirror, dtype=bool)
        self._store: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_store": None}

    def __getitem__(self, key: tuple[int, ...]) -> Sample:
        """Return the image of a draw with its targets; each turn of it is augmented in its own way."""
        draw = Draw(*key)
        image, row = self._image(draw.position), int(self.rows[draw.position])
        targets = self._targets(draw)
        if self.augment is None or draw.turn == SILENT:
            return Sample(image, row, targets, task=draw.task)
        seed = sample_seed(self.seed, draw.epoch, row, draw.turn)
        boxed = {
            name: values for name, values in targets.items() if isinstance(values, np.ndarray) and values.ndim == 2
        }
        if not boxed:
            return Sample(self.augment(image, seed), row, targets, task=draw.task)
        found = boxes_of(boxed)
        image, kept = self.augment.with_boxes(image, found, seed)
        kept = kept[(kept[:, 2:4] - kept[:, :2]).min(1) >= SLIVER]
        return Sample(image, row, targets | filled(boxed, kept), len(found) - len(kept), draw.task)

    def _image(self, position: int) -> np.ndarray:
        if self._store is None:
            self._store = np.load(self.pixels, mmap_mode="r")
        image = np.array(self._store[self.slots[position]])
        return np.ascontiguousarray(image[:, ::-1]) if self.mirror[position] else image

    def _targets(self, draw: Draw) -> Targets:
        """Return every task's target; absent where the draw is silent, or for another task."""
        found: Targets = {}
        for number, (name, values) in enumerate(self.targets.items()):
            told = draw.turn != SILENT and draw.task in (ALL_TASKS, number)
            found[name] = values[draw.position] if told else np.full_like(values[draw.position], np.nan)
        return found


def boxes_of(targets: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the boxes of several tasks as (n, 6): those of (M, 5) targets that have a class, and the task's place."""
    parts = [np.column_stack([v, np.full(len(v), place)])[v[:, 4] >= 0] for place, v in enumerate(targets.values())]
    return np.concatenate(parts).astype(np.float32)


def filled(targets: Mapping[str, np.ndarray], boxes: np.ndarray) -> Targets:
    """Return (M, 5) targets with (n, 6) boxes in place of their own; where nobody looked they stay NaN."""
    found: Targets = {}
    for place, (name, before) in enumerate(targets.items()):
        mine = boxes[boxes[:, 5] == place, :5]
        after = np.full(before.shape, BLANK, np.float32)
        after[: len(mine)] = mine
        found[name] = before if np.isnan(before).all() else after
    return found


def sample_seed(seed: int, epoch: int, row: int, turn: int = 0) -> int:
    """Mix run, epoch, image and turn into 32 bits (numpy's SeedSequence: near inputs give unrelated seeds)."""
    return int(np.random.SeedSequence((seed, epoch, row, *([turn] if turn else []))).generate_state(1)[0])
