"""Boxes in a table of predictions: a cell as an array, what a box must keep, and the rule by which one hits another."""

import re
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteon.errors import OsteonError, nearest

Floats = NDArray[np.float64]
# Column -> what a row of its cells holds. Pixels of the original image, edges continuous: x2 - x1 is the width.
COLUMNS = {
    "boxes": ("x1", "y1", "x2", "y2", "class_index", "score"),
    "truth": ("x1", "y1", "x2", "y2", "class_index"),
}
HITS = ("iou_0.5", "iou_0.2", "centre")


def overlap_of(hit: str) -> float | None:
    """Return the least intersection over union of a rule iou_<x>, in (0, 1]; None for the rule "centre".

    Raises:
        OsteonError: there is no such rule.
    """
    if hit == "centre":
        return None
    found = re.fullmatch(r"iou_(\d*\.?\d+)", hit)
    if not found or not 0 < float(found[1]) <= 1:
        raise OsteonError(f"task hit: {hit!r} is not centre or iou_<x> with x in (0, 1].{nearest(hit, HITS)}")
    return float(found[1])


def missing(cell: Any) -> bool:
    """Return whether a cell says nothing: nobody looked, or its row is of another kind of task."""
    return cell is None or cell is pd.NA or isinstance(cell, float)


def array_of(cell: Any, width: int = 6) -> Floats:
    """Return the (k, width) rows of a cell of `boxes` (width 6) or `truth` (width 5); a None within one is NaN.

    Raises:
        ValueError: the cell is not a list of rows of `width` numbers.
    """
    if isinstance(cell, np.ndarray) and cell.ndim == 2 and cell.shape[1] == width:
        return cell.astype(np.float64, copy=False)
    if not isinstance(cell, list | tuple | np.ndarray):
        raise ValueError(f"{cell!r:.80} is no list of boxes")
    if any(not isinstance(row, list | tuple | np.ndarray) or len(row) != width for row in cell):
        raise ValueError(f"a row has not {width} numbers")
    try:
        return np.array([list(row) for row in cell], dtype=np.float64).reshape(-1, width)
    except TypeError as fault:
        raise ValueError(str(fault)) from fault


def with_arrays(frame: pd.DataFrame, rows: NDArray[np.bool_], where: str) -> pd.DataFrame:
    """Return `frame` whose cells of boxes are arrays, (k, 6) and (k, 5), in `rows`, and None in all others.

    Raises:
        OsteonError: a cell is no list of rows of that many numbers; names its image.
    """
    for column, names in COLUMNS.items():
        cells = np.full(len(frame), None, dtype=object)
        for place in np.flatnonzero(rows).tolist():
            cell = frame[column].iat[place]
            if missing(cell):
                continue
            try:
                cells[place] = array_of(cell, len(names))
            except ValueError as fault:
                raise OsteonError(
                    f"{where}: {column} of image_id={frame['image_id'].iat[place]}: {fault}; expected a list of "
                    f"[{', '.join(names)}], empty where there is no box."
                ) from fault
        frame[column] = pd.Series(cells, index=frame.index, dtype=object)
    return frame


def check_boxes(rows: pd.DataFrame, classes: tuple[str, ...], where: str) -> None:
    """Refuse boxes without a meaning. A predicted box may be flat, where it was clipped to the image; a true one not.

    Args:
        rows: rows of one task, as `with_arrays` leaves them.
        classes: names of the classes of boxes.
        where: file and task, for messages.

    Raises:
        OsteonError: a number is not finite, x2 lies before x1 or y2 before y1, a class index is none of the classes,
            a score is outside [0, 1]; names the column, the image, and which of its boxes.
    """
    for column, names in COLUMNS.items():
        kept = rows[[not missing(cell) for cell in rows[column]]]
        if kept.empty:
            continue
        boxes: Floats = np.concatenate(kept[column].to_list())
        image = np.repeat(np.arange(len(kept)), [len(cell) for cell in kept[column]])
        for what, wrong in _faults(boxes, names, len(classes)).items():
            if wrong.any():
                first = int(np.argmax(wrong))
                place = first - int(np.searchsorted(image, image[first])) + 1
                box = ", ".join(f"{number:g}" for number in boxes[first])
                raise OsteonError(
                    f"{where}: {column}: {what} in {int(wrong.sum())} of {len(boxes)} boxes. First: "
                    f"image_id={kept['image_id'].iat[int(image[first])]}, box {place}: [{box}], "
                    f"expected [{', '.join(names)}]."
                )


def _faults(boxes: Floats, names: tuple[str, ...], classes: int) -> dict[str, NDArray[np.bool_]]:
    x1, y1, x2, y2, label = boxes.T[:5]
    found: dict[str, NDArray[np.bool_]] = {"a number that is not finite": np.asarray(~np.isfinite(boxes).all(axis=1))}
    if "score" in names:
        found["x2 < x1 or y2 < y1"] = (x2 < x1) | (y2 < y1)
        found["a score outside [0, 1]"] = ~((boxes[:, 5] >= 0) & (boxes[:, 5] <= 1))
    else:
        found["x2 <= x1 or y2 <= y1"] = (x2 <= x1) | (y2 <= y1)
    found[f"a class index that is none of 0..{classes - 1}"] = ~np.isin(label, np.arange(classes))
    return found
