"""Deep images to 8 bit: from the 0.5th to the 99.5th percentile of the values."""

import numpy as np
from numpy.typing import NDArray

LOW, HIGH = 0.5, 99.5
PERCENTILES, EXTREMES = f"percentiles {LOW}-{HIGH}", "minimum-maximum"


def window(values: NDArray[np.generic]) -> tuple[NDArray[np.uint8], str]:
    """Map values onto 0..255, linearly between two percentiles, clipped outside.

    Where the percentiles coincide (nearly all pixels equal), minimum and maximum take their place; a constant image
    becomes zeros. Values that are not finite count as the lowest.

    Args:
        values: (H, W) integers or floats.

    Returns:
        (H, W) uint8, and the window in words.

    Raises:
        ValueError: no value is finite.
    """
    numbers = values.astype(np.float32 if values.dtype.itemsize <= 2 else np.float64)
    finite = np.isfinite(numbers)
    known = numbers if finite.all() else numbers[finite]
    if not known.size:
        raise ValueError("no finite value")
    low, high = (float(edge) for edge in np.percentile(known, (LOW, HIGH)))
    rule = PERCENTILES
    if high <= low:
        low, high, rule = float(known.min()), float(known.max()), EXTREMES
    if high <= low:
        return np.zeros(values.shape, np.uint8), f"constant {low:g}"
    scaled = (np.where(finite, numbers, low) - low) * (255.0 / (high - low))
    return np.rint(scaled.clip(0.0, 255.0)).astype(np.uint8), f"window {low:g} to {high:g} ({rule})"


def edges(values: NDArray[np.float64], counts: NDArray[np.int64]) -> tuple[float, float, str]:
    """Return the ends of the same window, and its rule, from distinct values and how many pixels have each.

    Args:
        values: (L,) finite, in any order.
        counts: (L,) above 0.
    """
    order = np.argsort(values, kind="stable")
    ascending, upto = values[order], np.cumsum(counts[order])
    ranks = np.array([LOW, HIGH]) / 100.0 * (upto[-1] - 1)
    below, above = (ascending[np.searchsorted(upto, cut, side="right")] for cut in (np.floor(ranks), np.ceil(ranks)))
    low, high = (float(edge) for edge in below + (above - below) * (ranks - np.floor(ranks)))
    if high <= low:
        return float(ascending[0]), float(ascending[-1]), EXTREMES
    return low, high, PERCENTILES
