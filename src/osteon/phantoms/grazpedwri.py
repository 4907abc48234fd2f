"""Phantoms in the layout of GRAZPEDWRI-DX (Nagy et al. 2022, doi:10.1038/s41597-022-01328-z): wrists with boxes.

Boxes are the hulls of what each finding changes on its film (`osteon.phantoms.outline`); breaks of radius and ulna that
lie on top of each other, as on lateral films, share one. The bones are grown ones: the
growth plates of children are not drawn.
"""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteon.phantoms.annotations import Image, voc, yolo
from osteon.phantoms.exposure import Exposure, mark, marked
from osteon.phantoms.film import NOISE, Subject, posed
from osteon.phantoms.fractures import Fracture
from osteon.phantoms.geometry import Bounds
from osteon.phantoms.metal import Metal
from osteon.phantoms.outline import copy_of, outline
from osteon.phantoms.remaking import plastered
from osteon.phantoms.wrist_findings import (
    Put,
    anomaly,
    broken,
    foreign_body,
    lesion,
    metal,
    periosteal_reaction,
    pronator_sign,
    soft_tissue,
)
from osteon.phantoms.writing import notice, parallel, save, stream
from osteon.phantoms.xray import expose

CLASSES = (
    *("boneanomaly", "bonelesion", "foreignbody", "fracture", "metal"),
    *("periostealreaction", "pronatorsign", "softtissue", "text"),
)
COLUMNS = (
    *("filestem", "patient_id", "study_number", "timehash", "gender", "age", "laterality", "projection"),
    *("initial_exam", "ao_classification", "cast", "diagnosis_uncertain", "osteopenia", "fracture_visible", "metal"),
    *("pixel_spacing", "device_manufacturer"),
)
FRACTURED, ULNA_TOO, ULNA_ALONE, UNCERTAIN = 0.55, 0.33, 0.12, 0.03  # share of patients; of the broken ones; of films
TWICE, LATERAL_TOO = 0.35, 0.9  # share of patients with a second exam, and of exams with a lateral film
# By fracture, as in the collection: a cast on 41 % of the films with one and on 3.5 % of the others; metal rounded up.
CAST, METAL = {False: 0.035, True: 0.41}, {False: 0.03, True: 0.09}
HEALING = 0.6  # share of second exams of a broken wrist with new bone along a shaft
# Share of exams, whatever else they show; the rarest more often than in the collection: 8 of its films have one.
OTHERS: dict[str, tuple[Put, float]] = {
    "softtissue": (soft_tissue, 0.05),
    "pronatorsign": (pronator_sign, 0.06),
    "boneanomaly": (anomaly, 0.03),
    "bonelesion": (lesion, 0.012),
    "foreignbody": (foreign_body, 0.008),
}
SECOND_WORD, INITIALS = 0.17, ("T", "H", "V")  # share of films with a radiographer's letter beside the side's
TOGETHER = 0.5  # share of the smaller of two breaks' boxes from which on they are annotated in one
PROJECTIONS = {"frontal": 1, "lateral": 2}
PARTS = 4  # zips that the images come in


@dataclass(frozen=True)
class Drawn:
    """A film: its row of `dataset.csv`, and what is annotated."""

    row: dict[str, Any]
    image: Image


def write(folder: Path, patients: int, seed: int, size: int) -> None:
    """Write one or two exams a patient, most with a PA and a lateral film in 16 bits; `size` is the longest side, px.

    `images_part1..4/<filestem>.png`, `dataset.csv` with a BOM, and the boxes twice: `folder_structure/yolov5` with its
    `meta.yaml`, and `folder_structure/pascalvoc`.
    """
    films = [film for exams in parallel(partial(_patient, folder, seed, size), range(patients)) for film in exams]
    for kind in ("yolov5/labels", "pascalvoc"):
        (folder / "folder_structure" / kind).mkdir(parents=True)
    table = pd.DataFrame([one.row for one in films], columns=list(COLUMNS))
    table.to_csv(folder / "dataset.csv", index=False, lineterminator="\n", encoding="utf-8-sig")
    for one in films:
        stem, below = one.row["filestem"], folder / "folder_structure"
        (below / "yolov5" / "labels" / f"{stem}.txt").write_text(yolo(one.image, CLASSES, 6), encoding="utf-8")
        (below / "pascalvoc" / f"{stem}.xml").write_text(voc(one.image), encoding="utf-8")
    names = ", ".join(CLASSES)
    meta = f"path: .\ntrain: images\nval: images\nnc: {len(CLASSES)}\nnames: [{names}]\n"
    (folder / "folder_structure" / "yolov5" / "meta.yaml").write_text(meta, encoding="utf-8")
    notice(folder)


def _patient(folder: Path, seed: int, size: int, patient: int) -> list[Drawn]:
    """Draw a patient's films; who it is is drawn apart from what is found."""
    rng, state = stream(seed, patient), stream(seed, patient, 0)
    subject = Subject("wrist", int(state.integers(2**31)), bool(rng.random() < 0.55))
    age = round(float(np.clip(rng.normal(10.9, 3.6), 0.2, 19.0)), 1)
    who = {"patient_id": patient + 1, "gender": str(rng.choice(["M", "F"])), "age": age}
    bones = _broken(state)
    first = int(rng.integers(10**9))
    exams = 1 + int(rng.random() < TWICE)
    return [
        film
        for exam in range(1, exams + 1)
        for film in _exam(folder, (seed, patient, exam), size, subject, {**who, "timehash": first + exam}, bones)
    ]


def _broken(rng: np.random.Generator) -> dict[str, int]:
    """Return the broken bones of a patient with the seeds of their breaks, which all exams show."""
    fractured, alone, too = rng.random(3).tolist()
    seeds = rng.integers(2**31, size=2).tolist()
    if fractured >= FRACTURED:
        return {}
    bones = ["ulna"] if alone < ULNA_ALONE else ["radius", "ulna"] if too < ULNA_TOO else ["radius"]
    return dict(zip(bones, seeds, strict=False))


def _exam(
    folder: Path, place: tuple[int, int, int], size: int, subject: Subject, who: dict[str, Any], bones: dict[str, int]
) -> list[Drawn]:
    rng, exam = stream(*place), place[2]
    chances = dict(zip(("cast", "metal", "healing", "lateral", *OTHERS), rng.random(4 + len(OTHERS)), strict=True))
    seeds = dict(zip(("cast", "metal", "healing", *OTHERS), rng.integers(2**31, size=3 + len(OTHERS)), strict=True))
    unsure = bool(rng.random() < UNCERTAIN)
    found: list[tuple[str, Put, int]] = [("fracture", broken(bone, not unsure), s) for bone, s in bones.items()]
    if chances["metal"] < METAL[bool(bones)]:
        found.append(("metal", metal, int(seeds["metal"])))
    if bones and exam > 1 and chances["healing"] < HEALING:
        found.append(("periostealreaction", periosteal_reaction, int(seeds["healing"])))
    found += [(name, put, int(seeds[name])) for name, (put, share) in OTHERS.items() if chances[name] < share]
    cast = int(seeds["cast"]) if chances["cast"] < CAST[bool(bones)] else None
    about = {**who, "laterality": "L" if subject.left else "R", "study_number": exam, "cast": cast is not None}
    about |= {"initial_exam": exam == 1, "diagnosis_uncertain": unsure, "metal": any(n == "metal" for n, _, _ in found)}
    views = ("frontal", "lateral")[: 1 + int(chances["lateral"] < LATERAL_TOO)]
    return [_film(folder, (*place, n), size, subject, view, about, found, cast) for n, view in enumerate(views)]


def _film(
    folder: Path,
    place: tuple[int, int, int, int],
    size: int,
    subject: Subject,
    view: str,
    about: dict[str, Any],
    found: list[tuple[str, Put, int]],
    cast: int | None,
) -> Drawn:
    pixels, boxes, names, spacing = picture(subject, view, size, place, found, cast)
    who = f"{about['patient_id']:04d}_{about['timehash']:010d}_{about['study_number']:02d}"
    shot = f"WRI-{about['laterality']}{PROJECTIONS[view]}_{about['gender']}{int(about['age']):03d}"
    stem = f"{who}_{shot}"
    save(folder / f"images_part{1 + place[1] % PARTS}" / f"{stem}.png", pixels)
    flags = {key: "1" if value is True else "" if value is False else value for key, value in about.items()}
    seen = "1" if "fracture" in names else ""
    row = flags | {"filestem": stem, "projection": PROJECTIONS[view], "fracture_visible": seen, "osteopenia": ""}
    row |= {"ao_classification": "23-M/3.1" if seen else "", "pixel_spacing": round(spacing, 3)}
    height, width = pixels.shape
    return Drawn(row | {"device_manufacturer": "Osteon"}, Image(f"{stem}.png", width, height, boxes, names))


def picture(
    subject: Subject, view: str, size: int, place: tuple[int, ...], found: list[tuple[str, Put, int]], cast: int | None
) -> tuple[NDArray[Any], list[Bounds], list[str], float]:
    """Return a film (height, width, 16 bit), its boxes (xyxy, whole px) with their classes, and mm a pixel.

    Args:
        subject: whose wrist.
        view: frontal or lateral.
        size: longest side, px.
        place: this film's pose, exposure, letters and noise; films of one place differ by their findings only.
        found: findings, each with its class and the seed of its shape.
        cast: seed of a cast, or None.
    """
    whole, camera, shape, how = posed(subject, view, size, place)
    letters = _letters(how, stream(*place, 1))
    boxes = [("text", box) for one in letters if (box := marked(one, shape))]
    scene, fractures, pieces = copy_of(whole), list[Fracture](), list[Metal]()
    for name, put, seed in found:
        alone = copy_of(whole)
        if box := outline(whole, alone, camera, shape, *put(alone, np.random.default_rng(seed))):
            boxes.append((name, box))
        breaks, added = put(scene, np.random.default_rng(seed))
        fractures += breaks
        pieces += added
    if cast is not None:
        plastered(scene, 0, np.random.default_rng(cast))
    noise = np.random.default_rng([*place, NOISE])
    pixels, _ = expose(scene, camera, shape, replace(how, marker=""), noise, fractures, pieces, 16)
    for one in letters:
        lead = np.zeros(shape, np.float32)
        mark(lead, one)
        pixels = np.maximum(pixels, np.round(lead * 65535).astype(np.uint16))
    inside = [(name, cut) for name, box in _joined(boxes) if (cut := _on_film(box, shape))]
    return pixels, [box for _, box in inside], [name for name, _ in inside], 1 / camera.scale


def _letters(how: Exposure, rng: np.random.Generator) -> list[Exposure]:
    """Return how the side's letter, if any, and now and then a radiographer's, lie on a film."""
    words = [how] if how.marker else []
    second, letter = rng.random() < SECOND_WORD, INITIALS[int(rng.integers(len(INITIALS)))]
    across, down = (0.87 if how.marker_at[0] < 0.5 else 0.08), float(rng.uniform(0.1, 0.85))
    return words + [replace(how, marker=letter, marker_at=(across, down))] * int(second)


def _joined(boxes: list[tuple[str, Bounds]]) -> list[tuple[str, Bounds]]:
    """Return boxes with those of breaks that lie on top of each other made one, as nobody tells them apart there."""
    done: list[tuple[str, Bounds]] = []
    for name, box in boxes:
        over = next((one for one in done if one[0] == name == "fracture" and _shared(one[1], box) >= TOGETHER), None)
        if over:
            done.remove(over)
            (a, b, c, d), (x0, y0, x1, y1) = over[1], box
            box = min(a, x0), min(b, y0), max(c, x1), max(d, y1)
        done.append((name, box))
    return done


def _shared(one: Bounds, other: Bounds) -> float:
    """Return how much of the smaller box lies in the other."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    tall = min(one[3], other[3]) - max(one[1], other[1])
    least = min((x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in (one, other))
    return max(wide, 0.0) * max(tall, 0.0) / least


def _on_film(box: Bounds, shape: tuple[int, int]) -> Bounds | None:
    """Return a box in whole px, cut at the film's edge; None where less than 3 px of a side is left."""
    x0, y0 = max(int(np.floor(box[0])), 0), max(int(np.floor(box[1])), 0)
    x1, y1 = min(int(np.ceil(box[2])), shape[1]), min(int(np.ceil(box[3])), shape[0])
    return (float(x0), float(y0), float(x1), float(y1)) if min(x1 - x0, y1 - y0) >= 3 else None
