"""FracAtlas' boxes: one COCO JSON, which PASCAL VOC and YOLO files beside it must agree with."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from osteon.datasets.annotations import AnnotationError, Box, Coco, differ, pixels, read_coco, read_voc, read_yolo
from osteon.datasets.listing import names
from osteon.datasets.sheet import some
from osteon.errors import OsteonError

COCO = Path("Annotations", "COCO JSON", "COCO_fracture_masks.json")
VOC, YOLO = Path("Annotations", "PASCAL VOC"), Path("Annotations", "YOLO")
CLASS = "fractured"
WHOLE = 1.5  # px: PASCAL VOC's corners are whole numbers
SHARE = 1e-4  # of the longer side: YOLO's shares have four decimals
NONE = Coco((), {}, {}, {}, 0)


def read_boxes(root: Path) -> tuple[Coco, tuple[str, ...]]:
    """Return what the COCO JSON says, and what is worth a note; nothing at all where it cannot be read."""
    try:
        found = read_coco(root / COCO)
    except OsteonError as fault:
        said = str(fault).replace(str(root / COCO), COCO.as_posix())
        return NONE, (f"boxes are unknown, and labels are not checked against boxes: {said}",)
    if found.names != (CLASS,):
        told = f"{COCO.as_posix()} has the categories {', '.join(found.names)}, expected {CLASS}"
        return NONE, (f"boxes are unknown, and labels are not checked against boxes: {told}",)
    strays = f"annotations of images that {COCO.name} does not list (left out): {found.strays:,}"
    return found, (strays,) if found.strays else ()


def compared(root: Path, found: Coco, images: Iterable[str]) -> Iterator[str]:
    """Yield notes on the images of which PASCAL VOC or YOLO say something else than COCO, or nothing at all."""
    listed = list(images)
    for folder, suffix in ((VOC, ".xml"), (YOLO, ".txt")):
        files = set(names(root / folder))
        if not found.names or not files:
            continue
        lacking = [name for name in listed if Path(name).stem + suffix not in files]
        others = [name for name in listed if Path(name).stem + suffix in files and _differs(root, found, name, suffix)]
        if lacking:
            yield f"images without a file in {folder.as_posix()}/ (COCO is taken): {some(lacking)}"
        if others:
            yield f"images of which {folder.as_posix()}/ says otherwise than COCO (COCO is taken): {some(others)}"


def _differs(root: Path, found: Coco, image: str, suffix: str) -> bool:
    boxes, stem = found.boxes.get(image, []), Path(image).stem
    try:
        if suffix == ".xml":
            return differ(boxes, read_voc(root / VOC / (stem + suffix)).boxes, WHOLE)
        shares = read_yolo(root / YOLO / (stem + suffix), (CLASS,))
        size = found.sizes.get(image)
        if size is None or not shares:
            return bool(shares) or bool(boxes)
        others: list[Box] = [pixels(share, size) for share in shares]
        return differ(boxes, others, 1 + SHARE * max(size))
    except AnnotationError:
        return True
