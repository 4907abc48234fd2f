"""Hip phantoms as an export by hand: `labels.csv` beside DICOM files, with invented people in headers and names."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from osteon.phantoms.dicom import file_bytes
from osteon.phantoms.film import Finding, Subject, film, place
from osteon.phantoms.geometry import Bounds
from osteon.phantoms.headers import Shot
from osteon.phantoms.person import Person, person
from osteon.phantoms.planted import planted
from osteon.phantoms.positions import View
from osteon.phantoms.storing import storage
from osteon.phantoms.writing import notice, parallel, stream

FRACTURED = 0.4  # share of studies
NECK = 0.6  # share of fractures; the others are intertrochanteric
TWICE, SECOND_VIEW, WHOLE_PELVIS, NAMED_LATERAL = 0.1, 0.4, 0.1, 0.5
SITES = ("north", "south", "harbour")


@dataclass(frozen=True)
class Drawn:
    """One film: its patient, its place (exam and film, counted from 1), its row of the table and its boxes."""

    person: Person
    place: tuple[int, int]
    row: dict[str, Any]
    boxes: list[Bounds]


def write(folder: Path, patients: int, seed: int, size: int) -> None:
    """Write one or two studies a patient, one or two films a study; `size` is the longest side, px.

    `labels.csv` has one row a film: path, patient_id, study_id, laterality, view, body_part, sex, age_years, site,
    fracture (0 or 1). `truth.json` maps a path to its fractures' boxes (xyxy, px). `planted.json` lists, by kind, what
    would identify these people if they were real: a run on private data must repeat none of it.
    """
    (folder / "images").mkdir(parents=True)
    drawn = parallel(partial(_patient, folder, seed, size), range(patients))
    films = [film for patient in drawn for film in patient]
    pd.DataFrame([one.row for one in films]).to_csv(folder / "labels.csv", index=False, lineterminator="\n")
    _json(folder / "truth.json", {one.row["path"]: [[round(v, 1) for v in box] for box in one.boxes] for one in films})
    people = [(patient[0].person, [one.place for one in patient]) for patient in drawn]
    _json(folder / "planted.json", planted(people, "Hip"))
    notice(folder)


def _json(file: Path, value: Mapping[str, Any]) -> None:
    file.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


def _patient(folder: Path, seed: int, size: int, patient: int) -> list[Drawn]:
    """Draw a patient's films; sex, age and site are drawn apart from the label."""
    rng = stream(seed, patient)
    age = int(np.clip(rng.normal(68, 14), 22, 98))
    who = {"sex": str(rng.choice(["F", "M"])), "age_years": age, "site": str(rng.choice(SITES))}
    studies = range(1, 2 + int(rng.random() < TWICE))
    one = person(seed, patient, who, stream(seed, patient, 0, 0))
    return [film for study in studies for film in _study(folder, (seed, patient, study), size, one, who)]


def _study(folder: Path, seed: tuple[int, int, int], size: int, one: Person, who: Mapping[str, Any]) -> list[Drawn]:
    rng, (root, patient, study) = stream(*seed), seed
    subject = Subject("hip", int(stream(root, patient, 0).integers(2**31)), bool(rng.random() < 0.5))
    views: tuple[View, ...] = ("frontal", "lateral")[: 1 + int(rng.random() < SECOND_VIEW)]
    depth = float(rng.random())
    broken = bool(stream(*seed, 0).random() < FRACTURED)
    findings = _fracture(subject, views, stream(*seed, 1)) if broken else []
    about = {"patient_id": one.record, "study_id": one.accession(study), "laterality": "L" if subject.left else "R"}
    drawn = []
    for number, view in enumerate(views, start=1):
        whole = view == "frontal" and rng.random() < WHOLE_PELVIS
        shown = Subject("pelvis", subject.body, subject.left) if whole else subject
        taken = film(shown, view, size, (*seed, number + 1), findings, 16)
        path = f"images/{one.file(study, number)}"
        how = stream(*seed, number, 0)
        shot = _shot(shown, view, (root, size), (study, number), taken.spacing, how)
        (folder / path).write_bytes(file_bytes(taken.pixels, one, shot, storage(depth, how)))
        row = {"path": path, **about, "view": view, "body_part": "hip", **who, "fracture": int(broken)}
        drawn.append(Drawn(one, (study, number), row, taken.boxes))
    return drawn


def _shot(
    shown: Subject, view: View, seed: tuple[int, int], at: tuple[int, int], spacing: float, rng: np.random.Generator
) -> Shot:
    side = "L" if shown.left else "R"
    named = "LATERAL" if rng.random() < NAMED_LATERAL else f"{side}L"
    return Shot(seed, *at, shown.part.upper(), side, "AP" if view == "frontal" else named, spacing)


def _fracture(subject: Subject, views: tuple[View, ...], rng: np.random.Generator) -> list[Finding]:
    """Break the femur of the side the film is of; its other side, if seen, is whole."""
    name = "neck" if rng.random() < NECK else "intertrochanteric"
    found = place(subject, "fracture", views, rng, bone="femur_left", names=name)
    return [found] if found else []
