"""GRAZPEDWRI-DX' boxes: PASCAL VOC or YOLO, wherever a mirror keeps them, read by class name.

An export of ten classes (`axis` between pronatorsign and softtissue) numbers the last ones otherwise than one of nine.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from osteon.datasets.annotations import (
    AnnotationError,
    Box,
    cell,
    differ,
    names_near,
    pixels,
    read_voc,
    read_yolo,
    size_of,
)
from osteon.datasets.listing import folders, is_image, names
from osteon.datasets.sheet import some
from osteon.errors import OsteonError

CLASSES = (
    *("boneanomaly", "bonelesion", "foreignbody", "fracture", "metal"),
    *("periostealreaction", "pronatorsign", "softtissue", "text"),
)
DEPTH = 5  # folders below the root: data/labels/train, folder_structure/yolov5/labels
NEAR = 2.0  # px by which two files may differ on a corner: PASCAL VOC's are whole
Order = tuple[str, tuple[str, ...]]  # the file that names the classes of YOLO's numbers, and the names
_STEM = re.compile(r"\d+_\d+_\d+_WRI-\w+")


@dataclass
class Files:
    """Stem -> path of its image, below the root; stem -> its annotation files, PASCAL VOC before YOLO."""

    images: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, list[str]] = field(default_factory=dict)
    twice: list[str] = field(default_factory=list)


@dataclass
class Boxes:
    """Stem -> its cell of boxes, or why its annotation cannot be used; and what is worth a note."""

    cells: dict[str, list[list[float]]] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def files_below(root: Path) -> Files:
    """Find images and annotations by their names, the nearest to the root first."""
    found = Files()
    for folder in folders(root, DEPTH):
        for name in names(root / folder):
            stem, _, suffix = name.rpartition(".")
            if not _STEM.fullmatch(stem):
                continue
            path = f"{folder}/{name}".lstrip("/")
            if suffix == "xml":
                found.annotations.setdefault(stem, []).insert(0, path)
            elif suffix == "txt":
                found.annotations.setdefault(stem, []).append(path)
            elif is_image(name) and found.images.setdefault(stem, path) != path:
                found.twice.append(stem)
    return found


def read_boxes(root: Path, there: Files, stems: Iterable[str], classes: Sequence[str]) -> Boxes:
    """Read the boxes of the images that are there.

    Raises:
        OsteonError: nothing names the classes of YOLO's numbers, or what does is unclear.
    """
    found, listed = Boxes(), {*stems}
    orders = _orders(root, there, classes)
    others: Counter[str] = Counter()
    disagree = []
    for stem, files in there.annotations.items():
        if stem not in listed or stem not in there.images:
            continue
        try:
            boxes, size = _read(root, files[0], there.images[stem], orders)
        except AnnotationError as fault:
            found.faults[stem] = str(fault)
            continue
        found.cells[stem] = cell(boxes, {name: index for index, name in enumerate(CLASSES)})
        others.update(box.name for box in boxes if box.name not in CLASSES)
        if any(_differs(root, file, boxes, size or there.images[stem], orders) for file in files[1:]):
            disagree.append(stem)
    found.notes += _notes(there, listed, orders, others, disagree)
    return found


def _orders(root: Path, there: Files, classes: Sequence[str]) -> dict[str, Order]:
    """Return, of every folder of YOLO files, what names its classes and their names in order."""
    at = {file.rpartition("/")[0] for files in there.annotations.values() for file in files if file.endswith(".txt")}
    orders = {}
    for folder in sorted(at):
        named = names_near(root, folder) or (("dataset.classes", tuple(classes)) if classes else None)
        if named is None:
            raise OsteonError(
                f"{root / folder}: nothing names the classes of these YOLO files. Exports of nine and of ten classes "
                "(with 'axis') number them differently; put the export's meta.yaml (names: [...]) beside them, or say "
                f"dataset.classes=[{','.join(CLASSES)}]"
            )
        if not {*named[1]} & {*CLASSES}:
            raise OsteonError(f"{root}: {named[0]} names {', '.join(named[1])}, none of which is of GRAZPEDWRI-DX.")
        orders[folder] = named
    return orders


def _read(root: Path, file: str, image: str, orders: dict[str, Order]) -> tuple[list[Box], tuple[float, float] | None]:
    """Return an annotation's boxes in px, and the image's size where it was needed or is told."""
    if file.endswith(".xml"):
        read = read_voc(root / file)
        return read.boxes, read.size
    shares = read_yolo(root / file, orders[file.rpartition("/")[0]][1])
    if not shares:
        return [], None
    size = size_of(root / image)
    return [pixels(share, size) for share in shares], size


def _differs(
    root: Path,
    file: str,
    boxes: list[Box],
    size: tuple[float, float] | str,
    orders: dict[str, Order],
) -> bool:
    """Tell whether a second file says otherwise; `size` may be the image to take it from."""
    try:
        if file.endswith(".xml"):
            return differ(boxes, read_voc(root / file).boxes, NEAR)
        shares = read_yolo(root / file, orders[file.rpartition("/")[0]][1])
        if not shares:
            return bool(boxes)
        of = size_of(root / size) if isinstance(size, str) else size
        return differ(boxes, [pixels(share, of) for share in shares], NEAR)
    except AnnotationError:
        return True


def _notes(
    there: Files,
    listed: set[str],
    orders: dict[str, Order],
    others: Counter[str],
    disagree: list[str],
) -> list[str]:
    notes = []
    if len({order for _, order in orders.values()}) > 1:
        told = "; ".join(sorted({f"{file}: {', '.join(order)}" for file, order in orders.values()}))
        notes.append(f"two exports number the classes differently (boxes are read by name): {told}")
    if others:
        told = ", ".join(f"{name} {count:,}" for name, count in others.items())
        notes.append(f"boxes of classes that are none of the nine (left out): {told}")
    if disagree:
        notes.append(f"images whose annotation files disagree (PASCAL VOC, else the first is taken): {some(disagree)}")
    lost = sorted(stem for stem in there.annotations if stem in listed and stem not in there.images)
    strange = sorted({*there.annotations} - listed)
    if lost:
        notes.append(f"annotations of images that are not on disk: {some(lost)}")
    if strange:
        notes.append(f"annotations of images that dataset.csv does not list (left out): {some(strange)}")
    return notes
