"""Hip phantoms as a plain table beside a folder of images: `labels.csv`, `images/*.png`, `truth.json` with boxes."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from osteon.phantoms.film import Finding, Subject, film, place
from osteon.phantoms.geometry import Bounds
from osteon.phantoms.positions import View
from osteon.phantoms.writing import notice, parallel, save, stream

FRACTURED = 0.4  # share of studies
NECK = 0.6  # share of fractures; the others are intertrochanteric
TWICE, SECOND_VIEW, WHOLE_PELVIS, SIXTEEN_BIT = 0.1, 0.4, 0.1, 0.25
SITES = ("north", "south", "harbour")

Drawn = list[tuple[dict[str, Any], list[Bounds]]]  # a table's rows, each with its boxes


def write(folder: Path, patients: int, seed: int, size: int) -> None:
    """Write one or two studies a patient, one or two films a study; `size` is the longest side, px.

    `labels.csv` has one row a film: path, patient_id, study_id, laterality, view, body_part, sex, age_years, site,
    fracture (0 or 1). `truth.json` maps a path to its fractures' boxes (xyxy, px).
    """
    drawn = [film for patient in parallel(partial(_patient, folder, seed, size), range(patients)) for film in patient]
    pd.DataFrame([row for row, _ in drawn]).to_csv(folder / "labels.csv", index=False, lineterminator="\n")
    truth = {row["path"]: [[round(v, 1) for v in box] for box in boxes] for row, boxes in drawn}
    (folder / "truth.json").write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")
    notice(folder)


def _patient(folder: Path, seed: int, size: int, patient: int) -> Drawn:
    """Draw a patient's films; sex, age and site are drawn apart from the label."""
    rng = stream(seed, patient)
    age = int(np.clip(rng.normal(68, 14), 22, 98))
    who = {"sex": str(rng.choice(["F", "M"])), "age_years": age, "site": str(rng.choice(SITES))}
    studies = range(1, 2 + int(rng.random() < TWICE))
    return [one for study in studies for one in _study(folder, (seed, patient, study), size, who)]


def _study(folder: Path, seed: tuple[int, int, int], size: int, who: dict[str, Any]) -> Drawn:
    rng, (root, patient, study) = stream(*seed), seed
    subject = Subject("hip", int(stream(root, patient, 0).integers(2**31)), bool(rng.random() < 0.5))
    views: tuple[View, ...] = ("frontal", "lateral")[: 1 + int(rng.random() < SECOND_VIEW)]
    bits = 16 if rng.random() < SIXTEEN_BIT else 8
    broken = bool(stream(*seed, 0).random() < FRACTURED)
    findings = _fracture(subject, views, stream(*seed, 1)) if broken else []
    drawn: Drawn = []
    for number, view in enumerate(views, start=1):
        whole = view == "frontal" and rng.random() < WHOLE_PELVIS
        shown = Subject("pelvis", subject.body, subject.left) if whole else subject
        taken = film(shown, view, size, (*seed, number + 1), findings, bits)
        row = {"path": f"images/P{patient + 1:05d}_{study}_{number}.png", "patient_id": f"P{patient + 1:05d}"}
        row |= {"study_id": f"P{patient + 1:05d}-{study}", "laterality": "L" if subject.left else "R", "view": view}
        save(folder / row["path"], taken.pixels)
        drawn.append((row | {"body_part": "hip"} | who | {"fracture": int(broken)}, taken.boxes))
    return drawn


def _fracture(subject: Subject, views: tuple[View, ...], rng: np.random.Generator) -> list[Finding]:
    """Break the femur of the side the film is of; its other side, if seen, is whole."""
    name = "neck" if rng.random() < NECK else "intertrochanteric"
    found = place(subject, "fracture", views, rng, bone="femur_left", names=name)
    return [found] if found else []
