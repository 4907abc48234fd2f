"""One box under its class' name, and what makes one impossible."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

DIGITS = 4  # of a pixel; corners are sums of fractions, and 2880.0000000001 is no box beyond the image


class AnnotationError(ValueError):
    """Why the annotation of one image cannot be used; names neither file nor patient."""


class Box(NamedTuple):
    """A class' name and two corners, in px of the image as it is read, edges continuous."""

    name: str
    x1: float
    y1: float
    x2: float
    y2: float


def drawn(name: str, corners: Sequence[object]) -> Box:
    """Return a box from four corners as a file has them.

    Raises:
        AnnotationError: a corner is no finite number, or the box has no area.
    """
    x1, y1, x2, y2 = (round(number(value), DIGITS) for value in corners)
    if x2 <= x1 or y2 <= y1:
        shown = ", ".join(f"{value:g}" for value in (x1, y1, x2, y2))
        raise AnnotationError(f"a box has no area: x2 must be above x1 and y2 above y1, found {shown}")
    return Box(name, x1, y1, x2, y2)


def number(value: object) -> float:
    """Return a cell of a file as a finite number.

    Raises:
        AnnotationError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise AnnotationError("a coordinate is missing or no number")
    try:
        known = float(value)
    except ValueError:
        raise AnnotationError("a coordinate is no number") from None
    if not math.isfinite(known):
        raise AnnotationError("a coordinate is not finite")
    return known


def cell(boxes: Iterable[Box], classes: Mapping[str, int]) -> list[list[float]]:
    """Return boxes as a cell of the manifest; those of other classes are left out.

    Args:
        boxes: of one image.
        classes: class' name -> index.
    """
    return [[box.x1, box.y1, box.x2, box.y2, float(classes[box.name])] for box in boxes if box.name in classes]


def differ(one: Sequence[Box], other: Sequence[Box], tolerance: float) -> bool:
    """Tell whether two files say different things of one image: another class, number, or place by over `tolerance`."""
    left = list(other)
    for box in one:
        same = next((b for b in left if b.name == box.name and _far(b, box) <= tolerance), None)
        if same is None:
            return True
        left.remove(same)
    return bool(left)


def _far(one: Box, other: Box) -> float:
    return max(abs(a - b) for a, b in zip(one[1:], other[1:], strict=True))
