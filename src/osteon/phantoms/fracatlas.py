"""Phantoms in the layout of FracAtlas (Abedeen et al. 2023, doi:10.1038/s41597-023-02432-4): one film a patient."""

import io
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image as Pillow

from osteon.phantoms.annotations import CLASS, Image, annotate
from osteon.phantoms.film import Finding, Subject, film, place
from osteon.phantoms.positions import View
from osteon.phantoms.writing import notice, parallel, save, stream

FRACTURED, TWO_FRACTURES, HARDWARE, COLOUR = 0.28, 0.17, 0.04, 0.5  # shares of films; of fractured films; of films
# Share of films, the parts drawn for them, the regions they are filed under.
REGIONS = (
    (0.20, ("hand", "wrist", "finger"), ("hand",)),
    (0.13, ("forearm",), ("hand",)),
    (0.42, ("knee", "shank", "ankle"), ("leg",)),
    (0.10, ("pelvis", "hip"), ("hip",)),
    (0.06, ("femur",), ("leg", "hip")),
    (0.09, ("shoulder", "humerus"), ("shoulder",)),
)
GROUPS = {True: "Fractured", False: "Non_fractured"}
FRONTAL_ONLY = ("pelvis", "hip", "femur", "shoulder", "humerus")
VIEWS: dict[View, float] = {"frontal": 0.6, "lateral": 0.3, "oblique": 0.1}
ON_ITS_SIDE = 2  # the film that is stored turned, with an EXIF tag that turns it upright
ORIENTATION, CLOCKWISE = 0x0112, 6
QUALITY = 92


def write(folder: Path, patients: int, seed: int, size: int) -> None:
    """Write `patients` films, their `dataset.csv` and their annotations; `size` is the longest side, px."""
    for group in GROUPS.values():
        (folder / "images" / group).mkdir(parents=True)
    drawn = parallel(partial(_draw, folder, seed, size), range(patients))
    pd.DataFrame([row for row, _ in drawn]).to_csv(folder / "dataset.csv", index=False, lineterminator="\n")
    annotate(folder, [image for _, image in drawn], seed)
    notice(folder)


def _draw(folder: Path, seed: int, size: int, number: int) -> tuple[dict[str, Any], Image]:
    """Draw a film; return its row of `dataset.csv` and what is annotated. A film whose box lies off it is whole."""
    rng = stream(seed, number)
    _, parts, regions = REGIONS[int(rng.choice(len(REGIONS), p=[share for share, _, _ in REGIONS]))]
    part = parts[int(rng.integers(len(parts)))]
    turned: View = str(rng.choice(list(VIEWS), p=list(VIEWS.values())))
    view = "frontal" if part in FRONTAL_ONLY else turned
    subject = Subject(part, int(stream(seed, number, 0).integers(2**31)), bool(rng.random() < 0.5))
    findings = _findings(subject, view, stream(seed, number, 1))
    taken = film(subject, view, size, (seed, number, 2), findings)
    name, boxes, (height, width) = f"IMG{number:07d}.jpg", taken.boxes, taken.pixels.shape
    pixels = cv2.cvtColor(taken.pixels, cv2.COLOR_GRAY2BGR) if rng.random() < COLOUR else taken.pixels
    _save(folder / "images" / GROUPS[bool(boxes)] / name, pixels, number == ON_ITS_SIDE)
    metal = any(finding.kind == "hardware" for finding in findings)
    return _row(name, regions, view, metal, len(boxes)), Image(name, width, height, boxes, [CLASS] * len(boxes))


def _findings(subject: Subject, view: View, rng: np.random.Generator) -> list[Finding]:
    """Choose a film's fractures and its hardware, independent of each other: metal tells nothing of the label."""
    kinds = ["hardware"] * int(rng.random() < HARDWARE)
    if rng.random() < FRACTURED:
        kinds += ["fracture"] * (1 + int(rng.random() < TWO_FRACTURES))
    found = [place(subject, kind, (view,), rng) for kind in kinds]
    return list({(one.kind, one.index): one for one in found if one}.values())


def _row(name: str, regions: tuple[str, ...], view: View, metal: bool, count: int) -> dict[str, Any]:
    row: dict[str, Any] = {"image_id": name}
    row |= {region: int(region in regions) for region in ("hand", "leg", "hip", "shoulder")}
    row |= {"mixed": int(len(regions) > 1), "hardware": int(metal), "multiscan": 0}
    row |= {"fractured": int(count > 0), "fracture_count": count}
    return row | {name: int(view == name) for name in VIEWS}


def _save(path: Path, pixels: NDArray[Any], on_its_side: bool) -> None:
    """Write a JPEG, upright or stored on its side with the EXIF tag that turns it upright."""
    if not on_its_side:
        save(path, pixels, (cv2.IMWRITE_JPEG_QUALITY, QUALITY))
        return
    tags, buffer = Pillow.Exif(), io.BytesIO()
    tags[ORIENTATION] = CLOCKWISE
    Pillow.fromarray(np.ascontiguousarray(np.rot90(pixels))).save(buffer, "JPEG", quality=QUALITY, exif=tags)
    path.write_bytes(buffer.getvalue())
