"""Boxes in a table of predictions: in pixels of the original, beside the true ones, and one answer made of many."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from osteon.data import Canvas


@dataclass(frozen=True)
class WholeImage:
    """One answer an image that is made of its boxes: the highest score of those that count.

    Attributes:
        owner: the task whose boxes they are.
        classes: indices of the classes of boxes that count.
        truth: (N,) of the manifest's rows: 1 positive, 0 not, NaN where nobody looked; None: what the true boxes say.
    """

    owner: str
    classes: tuple[int, ...]
    truth: np.ndarray | None = None


def box_columns(rows: np.ndarray, boxes: np.ndarray, targets: np.ndarray, canvas: Canvas) -> dict[str, list[object]]:
    """Return the columns `boxes`, `truth` and `target` of images.

    Args:
        rows: (n,) manifest rows.
        boxes: (n,) object array of (k, 6) `x1 y1 x2 y2 class score` in canvas pixels.
        targets: (n, M, 5) true boxes in original pixels, filled up with class -1; NaN where nobody looked.
        canvas: the way back.
    """
    found = [
        canvas.restore(int(row), np.asarray(one, np.float64).reshape(-1, 6))
        for row, one in zip(rows, boxes, strict=True)
    ]
    truth = [true_boxes(one) for one in targets]
    return {
        "target": [np.nan if one is None else float(len(one)) for one in truth],
        "boxes": [one.tolist() for one in found],
        "truth": [None if one is None else one.tolist() for one in truth],
    }


def empty_boxes(count: int) -> np.ndarray:
    """Return (count,) objects: no box on any image."""
    found = np.empty(count, dtype=object)
    for place in range(count):
        found[place] = np.empty((0, 6))
    return found


def true_boxes(target: np.ndarray) -> np.ndarray | None:
    """Return the (k, 5) boxes of one padded target (M, 5); None where nobody looked."""
    return None if np.isnan(target).all() else target[target[:, 4] >= 0]


def whole_columns(columns: Mapping[str, Sequence[object]], classes: Sequence[int]) -> dict[str, np.ndarray]:
    """Return `target` and `probability` of whole images: is there such a box, and the highest score of one, else 0."""
    truth, boxes = columns["truth"], columns["boxes"]
    target = [np.nan if one is None else float(_of(one, classes).any()) for one in truth]
    score = [max((box[5] for box in one if box[4] in classes), default=0.0) for one in boxes]  # type: ignore[attr-defined]
    return {"target": np.array(target), "probability": np.array(score, np.float64)}


def _of(boxes: object, classes: Sequence[int]) -> np.ndarray:
    return np.array([box[4] in classes for box in boxes], bool)  # type: ignore[attr-defined]
