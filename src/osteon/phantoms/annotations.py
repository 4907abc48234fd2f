"""Annotation files: COCO JSON, PASCAL VOC, YOLO, and FracAtlas' split of the fractured films.

Boxes are xyxy in pixels of the upright image, as everywhere.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np

from osteon.phantoms.geometry import Bounds
from osteon.phantoms.writing import stream

CLASS = "fractured"  # the one class of FracAtlas
SPLIT_STREAM = 2**20  # a place in the seed's streams that no patient has


@dataclass(frozen=True)
class Image:
    """An image's file name, its size in px as it is looked at, its boxes, and the class of each."""

    name: str
    width: int
    height: int
    boxes: list[Bounds]
    classes: list[str]


def annotate(root: Path, images: Sequence[Image], seed: int) -> None:
    """Write all annotation files of a dataset below its root."""
    _coco(root / "Annotations" / "COCO JSON" / "COCO_fracture_masks.json", [image for image in images if image.boxes])
    for image in images:
        _write(root / "Annotations" / "PASCAL VOC" / f"{Path(image.name).stem}.xml", voc(image))
        _write(root / "Annotations" / "YOLO" / f"{Path(image.name).stem}.txt", yolo(image, (CLASS,), 4))
    _split(root / "Utilities" / "Fracture Split", [image.name for image in images if image.boxes], seed)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _coco(path: Path, images: Sequence[Image]) -> None:
    """Write the boxes as xywh, each with its own outline as its polygon."""
    numbered = list(enumerate(images, start=1))
    boxes = [(number, box) for number, image in numbered for box in image.boxes]
    annotations = [
        {
            "id": i, "iscrowd": 0, "image_id": number, "category_id": 0,
            "segmentation": [[x0, y0, x1, y0, x1, y1, x0, y1]],
            "bbox": [x0, y0, x1 - x0, y1 - y0], "area": (x1 - x0) * (y1 - y0),
        }
        for i, (number, (x0, y0, x1, y1)) in enumerate(boxes)
    ]  # fmt: skip
    files = [{"id": n, "width": i.width, "height": i.height, "file_name": i.name} for n, i in numbered]
    table = {"info": {"description": "phantoms"}, "images": files, "annotations": annotations}
    _write(path, json.dumps(table | {"categories": [{"id": 0, "name": CLASS}]}))


def voc(image: Image) -> str:
    """Return a file of PASCAL VOC; its corners are whole pixels."""
    objects = "".join(
        f"  <object>\n    <name>{name}</name>\n    <pose>Unspecified</pose>\n    <truncated>0</truncated>\n"
        "    <difficult>0</difficult>\n    <bndbox>\n"
        f"      <xmin>{int(x0)}</xmin>\n      <ymin>{int(y0)}</ymin>\n"
        f"      <xmax>{int(x1)}</xmax>\n      <ymax>{int(y1)}</ymax>\n    </bndbox>\n  </object>\n"
        for name, (x0, y0, x1, y1) in zip(image.classes, image.boxes, strict=True)
    )
    return (
        f"<annotation>\n  <folder>PASCAL VOC</folder>\n  <filename>{escape(image.name)}</filename>\n"
        "  <source>\n    <database>phantom</database>\n  </source>\n"
        f"  <size>\n    <width>{image.width}</width>\n    <height>{image.height}</height>\n    <depth>3</depth>\n"
        f"  </size>\n  <segmented>0</segmented>\n{objects}</annotation>\n"
    )


def yolo(image: Image, order: Sequence[str], digits: int) -> str:
    """Return one line a box: the class' place in `order`, centre and size as shares of the image."""
    lines = []
    for name, (x0, y0, x1, y1) in zip(image.classes, image.boxes, strict=True):
        across, down = ((x0 + x1) / 2, x1 - x0), ((y0 + y1) / 2, y1 - y0)
        shares = across[0] / image.width, down[0] / image.height, across[1] / image.width, down[1] / image.height
        lines.append(" ".join([str(order.index(name)), *(f"{share:.{digits}f}" for share in shares)]))
    return "".join(f"{line}\n" for line in lines)


def _split(folder: Path, names: Sequence[str], seed: int) -> None:
    """Write the original's split: fractured films only, 80 / 11 / 9 %."""
    order = stream(seed, SPLIT_STREAM).permutation(len(names))
    parts = np.split(order, (round(0.8 * len(names)), round(0.91 * len(names))))
    for split, chosen in zip(("train", "valid", "test"), parts, strict=True):
        _write(folder / f"{split}.csv", "image_id\n" + "".join(f"{names[i]}\n" for i in sorted(chosen.tolist())))
