"""Phantoms in the layout of FracAtlas (Abedeen et al. 2023, doi:10.1038/s41597-023-02432-4): one film a patient.

Annotations are written as the original has them: COCO JSON, PASCAL VOC, YOLO, and the split of the fractured films.
"""

import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from osteon.phantoms.film import Finding, film, place
from osteon.phantoms.findings import Box
from osteon.phantoms.positions import View
from osteon.phantoms.writing import notice, parallel, save, stream

FRACTURED = 0.28
# share, parts drawn, the regions they are filed under
REGIONS = (
    (0.20, ("hand", "wrist", "finger"), ("hand",)),
    (0.13, ("forearm",), ("hand",)),
    (0.42, ("knee", "shank", "ankle"), ("leg",)),
    (0.10, ("pelvis", "hip"), ("hip",)),
    (0.06, ("femur",), ("leg", "hip")),
    (0.09, ("shoulder", "humerus"), ("shoulder",)),
)
FRONTAL_ONLY = ("pelvis", "hip", "femur", "shoulder", "humerus")
HARDWARE = 0.04
ROTATED = 6  # EXIF: rotate by 90 degrees clockwise to show


@dataclass(frozen=True)
class _Image:
    name: str
    width: int
    height: int
    boxes: list[Box]
    row: dict[str, Any] = field(default_factory=dict)


def write(folder: Path, patients: int, seed: int, size: int) -> None:
    """Write `patients` films, their `dataset.csv` and their annotations; `size` is the longest side, px."""
    images = parallel(lambda number: _draw(folder, number, seed, size), range(patients))
    pd.DataFrame([image.row for image in images]).to_csv(folder / "dataset.csv", index=False)
    _coco(folder / "Annotations" / "COCO JSON", images)
    _voc(folder / "Annotations" / "PASCAL VOC", images)
    _yolo(folder / "Annotations" / "YOLO", images)
    _split(folder / "Utilities" / "Fracture Split", images, seed)
    notice(folder)


def _draw(folder: Path, number: int, seed: int, size: int) -> _Image:
    rng, body = stream(seed, number), int(stream(seed, number, 0).integers(2**31))
    share = [region[0] for region in REGIONS]
    _, parts, regions = REGIONS[int(rng.choice(len(REGIONS), p=share))]
    part = parts[int(rng.integers(len(parts)))]
    view: View = (
        "frontal" if part in FRONTAL_ONLY else str(rng.choice(["frontal", "lateral", "oblique"], p=[0.6, 0.3, 0.1]))
    )
    left, wires = bool(rng.random() < 0.5), bool(rng.random() < HARDWARE)
    findings = _findings(part, body, view, stream(seed, number, 1), wires)
    taken = film(part, body, view, size, left, (seed, number, 2), findings)
    name, boxes = f"IMG{number:07d}.jpg", taken.boxes
    group = "Fractured" if boxes else "Non_fractured"
    _save(folder / "images" / group / name, taken.pixels, rotated=number == 2, colour=bool(rng.random() < 0.5))
    metal = any(finding.kind == "hardware" for finding in findings)
    row = _row(name, regions, view, metal, len(boxes))
    return _Image(name, taken.pixels.shape[1], taken.pixels.shape[0], boxes, row)


def _findings(part: str, body: int, view: View, rng: np.random.Generator, metal: bool) -> tuple[Finding, ...]:
    """Choose a film's fractures (two in one of six) and hardware, independent of each other."""
    found: list[Finding | None] = []
    if rng.random() < FRACTURED:
        found += [place(part, body, "fracture", (view,), rng) for _ in range(1 + int(rng.random() < 0.17))]
    if metal:
        found.append(place(part, body, "hardware", (view,), rng))
    unique = {(f.kind, f.index): f for f in found if f}
    return tuple(unique.values())


def _row(name: str, regions: tuple[str, ...], view: View, metal: bool, count: int) -> dict[str, Any]:
    """Return a row of `dataset.csv`."""
    row: dict[str, Any] = {"image_id": name}
    row |= {region: int(region in regions) for region in ("hand", "leg", "hip", "shoulder")}
    row |= {"mixed": int(len(regions) > 1), "hardware": int(metal), "multiscan": 0}
    row |= {"fractured": int(count > 0), "fracture_count": count}
    return row | {name: int(view == name) for name in ("frontal", "lateral", "oblique")}


def _save(path: Path, pixels: NDArray[Any], rotated: bool, colour: bool) -> None:
    """Write a JPEG; a `rotated` one is stored on its side, with the EXIF tag that turns it upright."""
    if colour:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR)
    if not rotated:
        save(path, pixels, (cv2.IMWRITE_JPEG_QUALITY, 92))
        return
    stored, tags = Image.fromarray(np.ascontiguousarray(np.rot90(pixels))), Image.Exif()
    tags[0x0112] = ROTATED
    buffer = io.BytesIO()
    stored.save(buffer, "JPEG", quality=92, exif=tags)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(buffer.getvalue())


def _coco(folder: Path, images: list[_Image]) -> None:
    """Write the fractured films' boxes, xywh in px, with the box as its own polygon."""
    folder.mkdir(parents=True)
    annotations, listed = [], [image for image in images if image.boxes]
    for number, image in enumerate(listed, start=1):
        for x0, y0, x1, y1 in image.boxes:
            annotations.append(
                {
                    "id": len(annotations), "iscrowd": 0, "image_id": number, "category_id": 0,
                    "segmentation": [[x0, y0, x1, y0, x1, y1, x0, y1]], "bbox": [x0, y0, x1 - x0, y1 - y0],
                    "area": (x1 - x0) * (y1 - y0),
                }
            )  # fmt: skip
    files = [
        {"id": n, "width": i.width, "height": i.height, "file_name": i.name} for n, i in enumerate(listed, start=1)
    ]
    table = {"info": {"description": "phantoms drawn by osteon"}, "images": files, "annotations": annotations}
    table["categories"] = [{"id": 0, "name": "fractured"}]
    (folder / "COCO_fracture_masks.json").write_text(json.dumps(table), encoding="utf-8")


def _voc(folder: Path, images: list[_Image]) -> None:
    folder.mkdir(parents=True)
    for image in images:
        objects = "".join(
            "  <object>\n    <name>fractured</name>\n    <pose>Unspecified</pose>\n    <truncated>0</truncated>\n"
            "    <difficult>0</difficult>\n    <bndbox>\n"
            f"      <xmin>{int(x0)}</xmin>\n      <ymin>{int(y0)}</ymin>\n"
            f"      <xmax>{int(x1)}</xmax>\n      <ymax>{int(y1)}</ymax>\n    </bndbox>\n  </object>\n"
            for x0, y0, x1, y1 in image.boxes
        )
        text = (
            f"<annotation>\n  <folder>PASCAL VOC</folder>\n  <filename>{escape(image.name)}</filename>\n"
            "  <source>\n    <database>phantom</database>\n  </source>\n"
            f"  <size>\n    <width>{image.width}</width>\n    <height>{image.height}</height>\n    <depth>3</depth>\n"
            f"  </size>\n  <segmented>0</segmented>\n{objects}</annotation>\n"
        )
        (folder / image.name).with_suffix(".xml").write_text(text, encoding="utf-8")


def _yolo(folder: Path, images: list[_Image]) -> None:
    folder.mkdir(parents=True)
    for image in images:
        w, h = image.width, image.height
        lines = [
            f"0 {(x0 + x1) / 2 / w:.4f} {(y0 + y1) / 2 / h:.4f} {(x1 - x0) / w:.4f} {(y1 - y0) / h:.4f}\n"
            for x0, y0, x1, y1 in image.boxes
        ]
        (folder / image.name).with_suffix(".txt").write_text("".join(lines), encoding="utf-8")


def _split(folder: Path, images: list[_Image], seed: int) -> None:
    """Write the original's split: fractured films only, 80 / 11 / 9 %."""
    folder.mkdir(parents=True)
    names = [image.name for image in images if image.boxes]
    order = stream(seed, 2**20).permutation(len(names))
    cuts = (round(0.8 * len(names)), round(0.91 * len(names)))
    for split, chosen in zip(("train", "valid", "test"), np.split(order, cuts), strict=True):
        text = "image_id\n" + "".join(f"{names[i]}\n" for i in sorted(chosen))
        (folder / f"{split}.csv").write_text(text, encoding="utf-8")
