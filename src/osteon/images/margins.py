"""The outer frame of films in numbers, where markers, stickers and burned-in text lie, and their original size.

What an audit reads in place of pixels: too coarse for a name to be read, and all that a baseline may see.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteon.images.cache import Cache

# The film is cut into 6 x 6 fields; the outer ring of 20 is its margin, the inner 4 x 4 are not looked at.
FIELDS = 6
OF_A_FIELD = ("mean", "sd", "max", "peak")
OF_THE_RING = ("mean", "max", "min")
SIZES = ("height", "width")


def names() -> list[str]:
    """Return the names of a margin's numbers: `margin_<row>_<column>_<what>`, then `margin_<what>_<over the ring>`."""
    fields = [f"margin_{row}_{column}_{what}" for row, column in _ring() for what in OF_A_FIELD[:3]]
    return fields + [f"margin_{what}_{over}" for over in OF_THE_RING for what in OF_A_FIELD]


def margins(cache: Cache, slots: NDArray[np.int64]) -> pd.DataFrame:
    """Return a row an image: height and width of the original (pixels), and the grey levels of its margin.

    Per field mean, standard deviation and maximum (0..255); over the ring mean, maximum and minimum of these and of the
    peak, by which a field's brightest pixel exceeds its median. Measured on the cached image, without the black that
    fills up its canvas.

    Args:
        cache: of the run.
        slots: (N,) places in it.
    """
    pixels, index = cache.pixels(), cache.index.iloc[slots]
    found = np.zeros((len(slots), len(names())), np.float32)
    for row, slot in enumerate(slots.tolist()):
        place = cache.letterbox(slot)
        rows, columns = place.inner
        found[row] = margin(np.asarray(pixels[slot, place.top : place.top + rows, place.left : place.left + columns]))
    table = pd.DataFrame(found, columns=names())
    sizes = {name: index[name].to_numpy(np.int64) for name in SIZES}
    return pd.concat([pd.DataFrame(sizes), table], axis=1)


def margin(film: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the numbers of one film (H, W), in the order of `names`; each side should have 6 pixels or more."""
    edges = [np.linspace(0, length, FIELDS + 1).round().astype(int) for length in film.shape]
    fields = np.array([_field(film, edges, row, column) for row, column in _ring()], np.float32)
    ring = [fields.mean(0), fields.max(0), fields.min(0)]
    return np.concatenate([fields[:, :3].ravel(), *ring])


def _field(film: NDArray[np.uint8], edges: list[NDArray[np.int_]], row: int, column: int) -> tuple[float, ...]:
    (top, bottom), (left, right) = ((int(one[k]), int(one[k + 1])) for one, k in zip(edges, (row, column), strict=True))
    part = film[top : max(bottom, top + 1), left : max(right, left + 1)]
    if not part.size:  # a film a few pixels wide
        return 0.0, 0.0, 0.0, 0.0
    most = float(part.max())
    middle = float(np.partition(part.ravel(), part.size // 2)[part.size // 2])
    return float(part.mean()), float(part.std()), most, most - middle


def _ring() -> Iterator[tuple[int, int]]:
    last = FIELDS - 1
    yield from ((row, column) for row in range(FIELDS) for column in range(FIELDS) if {row, column} & {0, last})
