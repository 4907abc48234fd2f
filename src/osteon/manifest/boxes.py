"""Boxes in a manifest: `x1 y1 x2 y2` in pixels of the image as it is read, edges continuous, and the class' index.

A cell is None where nobody looked and else a list of `[x1, y1, x2, y2, class]`, empty where somebody looked and found
none. After a parquet it is an array of arrays; both are taken here.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from osteon.errors import OsteonError
from osteon.manifest.target import Target

NUMBERS = 5
BLANK = (0.0, 0.0, 0.0, 0.0, -1.0)  # fills up what `padded` returns; no class has the index -1
SHOWN = 5


def looked(cells: Iterable[Any]) -> np.ndarray:
    """Return (N,) bool: whether somebody looked for boxes."""
    return np.array([_said(cell) for cell in cells], dtype=bool)


def array_of(cell: Any) -> np.ndarray:
    """Return the boxes of a cell as (n, 5) float64; (0, 5) where somebody looked and found none.

    Raises:
        OsteonError: nobody looked (a missing cell is not an empty one), or a box is not five numbers.
    """
    if not _said(cell):
        raise OsteonError("boxes: nobody looked at this image; a missing cell is not an empty list of boxes.")
    rows = [_numbers(box) for box in cell]
    wrong = next((box for box, row in zip(cell, rows, strict=True) if row is None), None)
    if wrong is not None:
        raise OsteonError(f"boxes: expected [x1, y1, x2, y2, class] in numbers, found {_shown(wrong)}")
    return np.array(rows, dtype=np.float64).reshape(-1, NUMBERS)


def cell_of(boxes: np.ndarray) -> list[list[float]]:
    """Return (n, 5) boxes as a cell: plain nested lists of floats."""
    return [[float(number) for number in box] for box in boxes]


def plain(cells: Iterable[Any]) -> list[Any]:
    """Return cells with None for whatever is missing; the others as they are."""
    return [cell if _said(cell) else None for cell in cells]


def clipped(boxes: np.ndarray, height: float, width: float) -> tuple[np.ndarray, int, int]:
    """Clip boxes to an image.

    Args:
        boxes: (n, 5) or (n, more); columns after the fourth are carried along.
        height: of the image, in pixels.
        width: of the image, in pixels.

    Returns:
        The boxes of which something is left, in their order; how many of these were cut; how many were dropped as
        nothing of them is inside.
    """
    inside = boxes.astype(np.float64)  # a copy
    inside[:, [0, 2]] = inside[:, [0, 2]].clip(0.0, width)
    inside[:, [1, 3]] = inside[:, [1, 3]].clip(0.0, height)
    left = (inside[:, 2] > inside[:, 0]) & (inside[:, 3] > inside[:, 1])
    cut = left & (inside[:, :4] != boxes[:, :4]).any(axis=1)
    return inside[left], int(cut.sum()), int((~left).sum())


def padded(cells: Sequence[Any]) -> np.ndarray:
    """Return cells as (N, M, 5) float64, M the most boxes of an image and at least 1.

    An image that was looked at is filled up with rows `0 0 0 0 -1`; one that nobody looked at is NaN throughout.
    """
    known = looked(cells)
    arrays = [array_of(cell) if said else None for cell, said in zip(cells, known, strict=True)]
    most = max((len(array) for array in arrays if array is not None), default=0)
    filled = np.full((len(arrays), max(most, 1), NUMBERS), BLANK)
    filled[~known] = np.nan
    for row, array in zip(filled, arrays, strict=True):
        if array is not None:
            row[: len(array)] = array
    return filled


def of_class(cells: Iterable[Any], index: int, to: int = 0) -> list[list[list[float]] | None]:
    """Return cells with the boxes of one class alone, as class `to`; who looked for all looked for this one."""
    chosen: list[list[list[float]] | None] = []
    for cell in cells:
        boxes = array_of(cell) if _said(cell) else None
        chosen.append(
            None if boxes is None else [[*map(float, box[:4]), float(to)] for box in boxes if box[4] == index]
        )
    return chosen


def faults(frame: pd.DataFrame, name: str, target: Target) -> str:
    """Return in words which boxes of a column cannot be, with their image and number from 1; empty where all can."""
    if _sound(frame[name], len(target.classes)):
        return ""
    found = [
        (image, number, box, why)
        for image, cell in zip(frame["image_id"], frame[name], strict=True)
        for number, box, why in _wrong(cell, len(target.classes))
    ]
    if not found:
        return ""
    shown = "; ".join(f"image_id={i!r}, box {n}: {_shown(box)} {why}" for i, n, box, why in found[:SHOWN])
    more = f"; and {len(found) - SHOWN:,} more" if len(found) > SHOWN else ""
    rule = f"must hold boxes [x1, y1, x2, y2, class] with x1 < x2, y1 < y2 and a class from 0 to {_last(target)}"
    return f"manifest: {name} {rule}, or be empty. {len(found):,} box(es): {shown}{more}"


def _sound(cells: Iterable[Any], classes: int) -> bool:
    """Tell quickly that nothing is wrong; where it cannot tell it says no, and each box is looked at."""
    known = [cell for cell in cells if _said(cell)]
    if not all(isinstance(cell, (list, np.ndarray)) for cell in known):
        return False
    try:
        boxes = np.array([[*box] for cell in known for box in cell])
    except (TypeError, ValueError):
        return False
    if boxes.size == 0:
        return all(len(cell) == 0 for cell in known)
    if boxes.ndim != 2 or boxes.shape[1] != NUMBERS or boxes.dtype.kind not in "fiu":
        return False
    areas = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1]) & np.isfinite(boxes).all(axis=1)
    return bool(areas.all() and np.isin(boxes[:, 4], np.arange(classes)).all())


def _wrong(cell: Any, classes: int) -> Iterable[tuple[int, Any, str]]:
    if not _said(cell):
        return
    if not isinstance(cell, (list, tuple, np.ndarray)):
        yield 0, cell, "is no list of boxes"
        return
    for number, box in enumerate(cell, start=1):
        why = _why(box, classes)
        if why:
            yield number, box, why


def _why(box: Any, classes: int) -> str:
    row = _numbers(box)
    if row is None:
        return "is not five numbers"
    x1, y1, x2, y2, index = row
    if not np.isfinite(row).all():
        return "has a number that is not finite"
    if x2 <= x1 or y2 <= y1:
        return "has no area: x2 must be above x1 and y2 above y1"
    return "" if index in range(classes) else f"has no class of that index; there are {classes}"


def _numbers(box: Any) -> list[float] | None:
    """Return the five numbers of a box, or None where it is anything else."""
    if not isinstance(box, (list, tuple, np.ndarray)) or len(box) != NUMBERS:
        return None
    if not all(isinstance(number, (int, float, np.number)) and not isinstance(number, bool) for number in box):
        return None
    return [float(number) for number in box]


def _said(cell: Any) -> bool:
    """Tell a cell that holds boxes, perhaps none, from one that is missing (None, NaN, NA)."""
    return isinstance(cell, (list, tuple, np.ndarray)) or not (cell is None or bool(pd.isna(cell)))


def _last(target: Target) -> str:
    return f"{len(target.classes) - 1} ({', '.join(target.classes)})"


def _shown(box: Any) -> str:
    text = str(box.tolist() if isinstance(box, np.ndarray) else box)
    return text if len(text) <= 80 else text[:77] + "..."
