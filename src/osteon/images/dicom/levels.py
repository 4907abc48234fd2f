"""The distinct values of a grey image: whatever is decided, is decided for each of them once, not for each pixel."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from osteon.images.dicom.layout import Layout

LARGEST = 1e150  # beyond it nothing is a measurement, and differences would overflow
_WORTH, _STEP = 1 << 20, 4  # pixels from which a sample is drawn, and one row and column in so many
_STRIP = 1 << 22  # pixels a histogram: its counts are float32, exact below 2**24


@dataclass(frozen=True)
class Levels:
    """An image as places in a list of values.

    Attributes:
        words: (H, W) unsigned 8 or 16 bit as stored, or int64 places in `present`.
        present: (L,) the distinct words, ascending.
        counts: (L,) int64, pixels of each.
        values: (L,) float64, what each word stands for; NaN where it is no number.
    """

    words: NDArray[Any]
    present: NDArray[np.int64]
    counts: NDArray[np.int64]
    values: NDArray[np.float64]

    def paint(self, greys: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return (H, W) uint8, each pixel the grey (L,) of its level."""
        if self.words.dtype.itemsize > 2:
            return np.asarray(greys[self.words])
        table = np.zeros(1 << 8 * self.words.dtype.itemsize, np.uint8)
        table[self.present] = greys
        try:
            return np.asarray(cv2.LUT(self.words, table))
        except cv2.error:  # releases before 4.12 look up 8 bit only
            return np.asarray(table.take(self.words))


def levels(words: NDArray[Any], layout: Layout) -> Levels:
    """Find the distinct values of (H, W) unsigned words or floats; those of at most 16 bit by a histogram."""
    if words.dtype.kind == "f":
        present, places, counts = np.unique(words, return_inverse=True, return_counts=True)
        values = np.where(np.abs(present) < LARGEST, present, np.nan).astype(np.float64)
        return Levels(places.reshape(words.shape), np.arange(len(present)), counts, values)
    if words.dtype.itemsize > 2:
        present, places, counts = np.unique(words, return_inverse=True, return_counts=True)
        return Levels(places.reshape(words.shape), np.arange(len(present)), counts, stored(present, layout))
    histogram = _histogram(np.ascontiguousarray(words), 1 << min(layout.stored + layout.shift, 16))
    present = np.flatnonzero(histogram)
    return Levels(np.ascontiguousarray(words), present, histogram[present], stored(present, layout))


def sampled(words: NDArray[Any], layout: Layout) -> Levels | None:
    """Return every word up to the largest, counted in each fourth row and column only; None where that saves nothing.

    Most words then have a count of 0. Counting all pixels of a large film takes as long as reading it.
    """
    if words.dtype != np.uint16 or words.size < _WORTH or not words.flags["C_CONTIGUOUS"]:
        return None
    present = np.arange(int(words.max()) + 1)
    counts = np.bincount(words[::_STEP, ::_STEP].ravel(), minlength=len(present))
    return Levels(words, present, counts.astype(np.int64), stored(present, layout))


def stored(words: NDArray[Any], layout: Layout) -> NDArray[np.float64]:
    """Return the values that words stand for: unused bits cut off, the sign extended (PS3.5 8.1.1)."""
    cut = (words.astype(np.int64) >> layout.shift) & ((1 << layout.stored) - 1)
    if layout.signed:
        cut = np.where(cut >> (layout.stored - 1), cut - (1 << layout.stored), cut)
    return cut.astype(np.float64)


def _histogram(words: NDArray[Any], size: int) -> NDArray[np.int64]:
    """Count words below `size`, or all of them where some lie above it; few bins stay in the processor's cache."""
    total = np.zeros(size, np.int64)
    flat = words.reshape(1, -1)
    for start in range(0, flat.size, _STRIP):
        strip = flat[:, start : start + _STRIP]
        total += cv2.calcHist([strip], [0], None, [size], [0, size]).ravel().astype(np.int64)
    return total if total.sum() == flat.size else _histogram(words, int(words.max()) + 1)
