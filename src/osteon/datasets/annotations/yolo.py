"""YOLO's text files: one file an image, a line `class x y width height` a box, as shares of the image.

The class is a number, whose name stands in a file beside: `data.yaml` or `meta.yaml` with `names`, or `classes.txt`.
Two exports of one collection may number its classes differently, so that a number alone says nothing.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from osteon.datasets.annotations.box import AnnotationError, Box, drawn, number
from osteon.datasets.listing import names
from osteon.errors import OsteonError

LISTS = ("classes.txt", "obj.names", "_darknet.labels")
FIELDS, ROOM = 5, 1e-6  # numbers of a line; rounding beyond 0 and 1 that passes


class Share(NamedTuple):
    """A class' name, and the middle and size of a box as shares of the image's width and height."""

    name: str
    x: float
    y: float
    width: float
    height: float


def read_yolo(path: Path, classes: Sequence[str]) -> list[Share]:
    """Read one file; an empty one says that there is nothing on the image.

    Args:
        path: of the file.
        classes: names in the order of its numbers.

    Raises:
        AnnotationError: it cannot be read, or a line is no box: a class out of range, or a number outside 0 to 1.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as fault:
        raise AnnotationError(f"its annotation cannot be read ({fault.strerror})") from fault
    except UnicodeDecodeError:
        raise AnnotationError("its annotation is no text") from None
    return [_share(line.split(), classes) for line in lines if line.strip()]


def _share(fields: list[str], classes: Sequence[str]) -> Share:
    if len(fields) != FIELDS:
        raise AnnotationError(
            f"a line of {len(fields)} fields, expected class x y width height (polygons are no boxes)"
        )
    index = number(fields[0])
    if index not in range(len(classes)):
        raise AnnotationError(f"a box of class {index:g}, but classes go from 0 to {len(classes) - 1}")
    x, y, width, height = (number(field) for field in fields[1:])
    if not all(-ROOM <= value <= 1 + ROOM for value in (x, y, width, height)):
        raise AnnotationError("a number outside 0 to 1, where shares of the image are expected")
    return Share(classes[int(index)], x, y, width, height)


def pixels(share: Share, size: tuple[float, float]) -> Box:
    """Return the box in px of an image of (width, height).

    Raises:
        AnnotationError: it has no area.
    """
    width, height = size
    left, right = share.x - share.width / 2, share.x + share.width / 2
    top, bottom = share.y - share.height / 2, share.y + share.height / 2
    return drawn(share.name, (left * width, top * height, right * width, bottom * height))


def names_near(root: Path, folder: str) -> tuple[str, tuple[str, ...]] | None:
    """Return the file that names the classes of a folder's labels (below `root`), and the names in order.

    It is looked for in the folder itself and in those above it up to `root`, the nearest first; None where none is.

    Raises:
        OsteonError: the nearest folder has two that disagree, or one that cannot be read.
    """
    while True:
        found = {
            f"{folder}/{name}".lstrip("/"): said
            for name in names(root / folder)
            if (said := _named(root / folder / name))
        }
        if len(set(found.values())) > 1:
            told = "; ".join(f"{name}: {', '.join(said)}" for name, said in found.items())
            raise OsteonError(
                f"class names: two files beside the labels disagree. {told}. Keep the one that is theirs."
            )
        if found:
            return next(iter(found.items()))
        if not folder:
            return None
        folder = folder.rpartition("/")[0]


def _named(path: Path) -> tuple[str, ...] | None:
    """Return the classes that a file names in order, None where it is about something else."""
    if path.suffix.lower() in {".yaml", ".yml"}:
        return _of_yaml(path)
    if path.name.lower() not in LISTS:
        return None
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError):
        raise OsteonError(f"{path.name}: the class names beside the labels cannot be read.") from None
    return _told(path, [line for line in lines if line], None)


def _of_yaml(path: Path) -> tuple[str, ...] | None:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return None  # of something else, or the error that no names were found says what to do
    said = content.get("names") if isinstance(content, dict) else None
    if isinstance(said, dict):
        if sorted(said, key=str) != sorted(range(len(said)), key=str):
            raise OsteonError(
                f"{path.name}: 'names' must number its classes 0, 1, 2, ...; found {', '.join(map(str, said))}"
            )
        said = [said[index] for index in range(len(said))]
    return _told(path, said, content.get("nc")) if isinstance(said, list) and said else None


def _told(path: Path, said: list[Any], count: Any) -> tuple[str, ...]:
    classes = tuple(str(name).strip() for name in said)
    if len(set(classes)) < len(classes):
        raise OsteonError(f"{path.name}: a class stands there twice: {', '.join(classes)}")
    if count is not None and count != len(classes):
        raise OsteonError(f"{path.name}: nc is {count}, but {len(classes)} classes are named: {', '.join(classes)}")
    return classes
