"""The torch Dataset: cached pixels, augmented by a seed of (run, epoch, image)."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from torch.utils.data import Dataset

from osteon.data.batch import Sample

Augmenter = Callable[[np.ndarray, int], np.ndarray]


class Radiographs(Dataset[Sample]):
    """Cached images with their targets; holds only numpy arrays, so that workers share its memory.

    An item is asked for by `(epoch, position)`, and where a row comes again in an epoch by `(epoch, position, turn)`:
    numbers then depend neither on workers nor on ranks, and persistent workers, which keep an old copy of the dataset,
    still see the right epoch.

    Args:
        pixels: path of the uint8 `.npy` store (M, H, W), opened when first read.
        slots: (N,) slot of every row in the store.
        rows: (N,) manifest row of every item.
        targets: task -> (N,) or (N, labels) float32, NaN where absent.
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

    def __getitem__(self, key: tuple[int, int] | tuple[int, int, int]) -> Sample:
        """Return the image at `(epoch, position)` with its targets; each turn of it is augmented in its own way."""
        epoch, position, turn = key if len(key) == 3 else (*key, 0)
        if self._store is None:
            self._store = np.load(self.pixels, mmap_mode="r")
        image = np.array(self._store[self.slots[position]])
        if self.mirror[position]:
            image = np.ascontiguousarray(image[:, ::-1])
        if self.augment is not None:
            image = self.augment(image, sample_seed(self.seed, epoch, int(self.rows[position]), turn))
        return Sample(image, int(self.rows[position]), {name: v[position] for name, v in self.targets.items()})


def sample_seed(seed: int, epoch: int, row: int, turn: int = 0) -> int:
    """Mix run, epoch, image and turn into 32 bits (numpy's SeedSequence: near inputs give unrelated seeds)."""
    return int(np.random.SeedSequence((seed, epoch, row, *([turn] if turn else []))).generate_state(1)[0])
