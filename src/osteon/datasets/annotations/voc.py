"""PASCAL VOC's XML (Everingham 2010, doi:10.1007/s11263-009-0275-4): one file an image, an `object` a box.

Corners are taken as edges as they stand: tools differ in counting pixels from 0 or 1, which is 1 px at most.
"""

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

from osteon.datasets.annotations.box import AnnotationError, Box, drawn, number

CORNERS = ("xmin", "ymin", "xmax", "ymax")


@dataclass(frozen=True)
class Voc:
    """A file's boxes, and the image's (width, height) where it tells."""

    boxes: list[Box]
    size: tuple[float, float] | None


def read_voc(path: Path) -> Voc:
    """Read one file.

    Raises:
        AnnotationError: it cannot be read, is no XML or cut off, or has a box without a name or area.
    """
    try:
        root = ElementTree.fromstring(path.read_bytes())
    except OSError as fault:
        raise AnnotationError(f"its annotation cannot be read ({fault.strerror})") from fault
    except (ElementTree.ParseError, ValueError):
        raise AnnotationError("its annotation is no XML, or cut off") from None
    if root.tag != "annotation":
        raise AnnotationError("its annotation is no PASCAL VOC: no <annotation>")
    boxes = [_box(found) for found in root.iter("object")]
    width, height = (root.findtext(f"size/{key}") for key in ("width", "height"))
    return Voc(boxes, _size(width, height))


def _box(found: ElementTree.Element) -> Box:
    name = (found.findtext("name") or "").strip()
    if not name:
        raise AnnotationError("a box has no class name")
    return drawn(name, [found.findtext(f"bndbox/{key}") for key in CORNERS])


def _size(width: str | None, height: str | None) -> tuple[float, float] | None:
    try:
        known = number(width), number(height)
    except AnnotationError:
        return None
    return known if min(known) > 0 else None
