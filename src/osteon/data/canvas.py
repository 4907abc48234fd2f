"""Where every image of a manifest lies in its canvas, and the way of boxes there and back."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteon.images.letterbox import inner_extents

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Canvas:
    """The letterboxes of N images, and which of them are turned left to right.

    Attributes:
        factors: (N, 2) canvas pixels an original pixel, x and y.
        offsets: (N, 2) canvas pixels left of and above the image.
        extents: (N, 2) width and height of the originals, in pixels.
        mirror: (N,) bool, images that are turned before anything else.
        width: of the canvas, in pixels.
    """

    factors: Floats
    offsets: Floats
    extents: Floats
    mirror: NDArray[np.bool_]
    width: int

    def place(self, boxes: Floats) -> Floats:
        """Move (N, M, 5) boxes from original to canvas pixels; rows without a class, or of no number, stay."""
        moved = boxes.copy()
        factors, offsets = np.tile(self.factors, 2)[:, None], np.tile(self.offsets, 2)[:, None]
        moved[..., :4] = boxes[..., :4] * factors + offsets
        moved[self.mirror] = flipped(moved[self.mirror], self.width)
        return np.where(boxes[..., 4:] >= 0, moved, boxes)

    def of_row(self, row: int, box: Floats) -> Floats:
        """Move one box (4,) from original to canvas pixels, not turned."""
        moved: Floats = box * np.tile(self.factors[row], 2) + np.tile(self.offsets[row], 2)
        return moved

    def restore(self, row: int, boxes: Floats) -> Floats:
        """Move the (n, 4 or more) boxes on one canvas to original pixels, clipped to the original."""
        found = flipped(boxes, self.width) if self.mirror[row] else boxes.copy()
        found[:, :4] = (found[:, :4] - np.tile(self.offsets[row], 2)) / np.tile(self.factors[row], 2)
        found[:, :4] = found[:, :4].clip(0.0, np.tile(self.extents[row], 2))
        return found[(found[:, 2] > found[:, 0]) & (found[:, 3] > found[:, 1])]


def flipped(boxes: NDArray[np.floating], width: float) -> Floats:
    """Return (..., 4 or more) boxes on an image that is turned left to right."""
    turned = np.array(boxes, np.float64)
    turned[..., 0], turned[..., 2] = width - boxes[..., 2], width - boxes[..., 0]
    return turned


def canvas_of(
    slots: NDArray[np.int64], index: pd.DataFrame, size: tuple[int, int], mirror: NDArray[np.bool_]
) -> Canvas:
    """Return the canvas of rows from the cache's index, where the row of an image is its slot.

    Args:
        slots: (N,) of the manifest's rows, none rejected.
        index: with `scale`, `top`, `left`, `height`, `width`.
        size: rows and columns of the canvas.
        mirror: (N,) bool.
    """
    rows = index.iloc[slots]
    extents = rows[["width", "height"]].to_numpy(np.float64)
    scale = rows["scale"].to_numpy(np.float64)[:, None]
    # What cv2 did after rounding the size to whole pixels: a box moves exactly as its pixels did.
    factors = inner_extents(extents, scale) / extents
    return Canvas(factors, rows[["left", "top"]].to_numpy(np.float64), extents, mirror, size[1])
