"""An image of any shape inside a canvas of one shape, and the way back for boxes."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Letterbox:
    """Where an original lies in its canvas.

    Attributes:
        scale: canvas pixels an original pixel, before rounding to whole pixels.
        top: rows above the image.
        left: columns left of the image.
        height: rows of the original.
        width: columns of the original.
    """

    scale: float
    top: int
    left: int
    height: int
    width: int

    @property
    def inner(self) -> tuple[int, int]:
        """Rows and columns that the image takes in the canvas."""
        rows, columns = inner_extents(np.array([self.height, self.width]), np.float64(self.scale))
        return int(rows), int(columns)

    def map_boxes(self, xyxy: NDArray[np.floating]) -> NDArray[np.float64]:
        """Move boxes (N, 4) `x1 y1 x2 y2` from original pixels to canvas pixels."""
        return np.asarray(xyxy, np.float64).reshape(-1, 4) * self._factors() + self._offsets()

    def unmap_boxes(self, xyxy: NDArray[np.floating]) -> NDArray[np.float64]:
        """Move boxes (N, 4) `x1 y1 x2 y2` from canvas pixels to original pixels; the inverse of `map_boxes`."""
        return (np.asarray(xyxy, np.float64).reshape(-1, 4) - self._offsets()) / self._factors()

    def _factors(self) -> NDArray[np.float64]:
        # What cv2 did after rounding the size to whole pixels: a box moves exactly as its pixels did.
        rows, columns = self.inner
        return np.tile(np.array([columns / self.width, rows / self.height]), 2)

    def _offsets(self) -> NDArray[np.float64]:
        return np.tile(np.array([self.left, self.top], np.float64), 2)


def inner_extents(extents: NDArray[np.number], scale: NDArray[np.float64] | np.float64) -> NDArray[np.float64]:
    """Return the whole canvas pixels that originals of `extents` take at `scale`, rounded as cv2 does."""
    return np.maximum(1.0, np.round(extents * scale))


def fit(height: int, width: int, size: tuple[int, int]) -> Letterbox:
    """Return the centred place of a (height, width) image in a canvas of `size` (rows, columns)."""
    scale = min(size[0] / height, size[1] / width)
    rows, columns = Letterbox(scale, 0, 0, height, width).inner
    return Letterbox(scale, (size[0] - rows) // 2, (size[1] - columns) // 2, height, width)


def letterbox(image: NDArray[np.uint8], size: tuple[int, int]) -> tuple[NDArray[np.uint8], Letterbox]:
    """Resize with the aspect ratio kept and fill up with zeros, centred.

    Pixel areas are averaged on the way down, as plain interpolation aliases; interpolation is linear on the way up.

    Args:
        image: (H, W) uint8.
        size: rows and columns of the canvas.

    Returns:
        The canvas (rows, columns) uint8, and where the image lies in it.
    """
    place = fit(image.shape[0], image.shape[1], size)
    rows, columns = place.inner
    canvas = np.zeros(size, np.uint8)
    inside = canvas[place.top : place.top + rows, place.left : place.left + columns]
    if image.shape == (rows, columns):
        inside[:] = image
    else:
        inside[:] = cv2.resize(
            image, (columns, rows), interpolation=cv2.INTER_AREA if place.scale < 1 else cv2.INTER_LINEAR
        )
    return canvas, place
