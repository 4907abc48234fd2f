"""Hip phantoms as an export by hand: `labels.csv` beside DICOM files, with invented people in headers and names."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from osteon.phantoms.dicom import file_bytes
from osteon.phantoms.film import Finding, Subject, film, place
from osteon.phantoms.fixation import HIP_FORMS
from osteon.phantoms.geometry import Bounds
from osteon.phantoms.headers import Shot
from osteon.phantoms.hip_boxes import hips
from osteon.phantoms.person import Person, person
from osteon.phantoms.planted import planted
from osteon.phantoms.positions import View
from osteon.phantoms.storing import storage
from osteon.phantoms.switches import OFF, REPORT, Switches, Value, emptied, mistaken
from osteon.phantoms.tabling import box_table, finished, tables
from osteon.phantoms.writing import notice, parallel, stream

FRACTURED = 0.4  # share of studies
NECK = 0.6  # share of fractures; the others are intertrochanteric
DISPLACED, FISSURE = 0.72, 0.35  # share of neck fractures; strength of the others
METAL = 1 / 3  # share of the other studies: half of them after osteosynthesis (ORIF), half with a replaced joint
# Krogue 2020 (PMC8017394). A hip that was operated on is not fractured now, whatever brought it there.
TYPES = {
    "normal": 0, "displaced_neck": 1, "nondisplaced_neck": 1, "intertrochanteric": 1, "orif": 0, "arthroplasty": 0,
}  # fmt: skip
TWICE, SECOND_VIEW, WHOLE_PELVIS, NAMED_LATERAL = 0.1, 0.4, 0.1, 0.5
SITES = ("north", "south", "harbour")


@dataclass(frozen=True)
class Drawn:
    """One film: its patient, its place (exam and film, from 1), row, true labels, boxes of breaks and hips."""

    person: Person
    place: tuple[int, int]
    row: dict[str, Any]
    true: dict[str, Value]
    boxes: list[Bounds]
    hips: list[tuple[str, Bounds]]


def write(folder: Path, patients: int, seed: int, size: int, switches: Switches = OFF) -> None:
    """Write one or two studies a patient, one or two films a study; `size` is the longest side, px.

    `labels.csv` has one row a film: path, patient_id, study_id, laterality, view, body_part, sex, age_years, site,
    fracture (0 or 1), fracture_type (one of `TYPES`). `boxes.csv` has the same columns with a row a box: a hip by its
    type, and each fracture; the boxes are true whatever a switch does to the labels. `truth.json` maps a path to its
    fractures' boxes (xyxy, px).
    `planted.json` lists, by kind, what would identify these people if they were real: a run on private data must repeat
    none of it. The switch `hardware` is the share of the studies without a fracture that show metal; a shortcut's tag
    tells of the fracture.
    """
    (folder / "images").mkdir(parents=True)
    drawn = parallel(partial(_patient, folder, seed, size, switches), range(patients))
    films = [film for patient in drawn for film in patient]
    tables(folder, [one.row for one in films], [one.true for one in films], switches)
    box_table(folder, [(one.row, [*one.hips, *(("fracture", box) for box in one.boxes)]) for one in films])
    _json(folder / "truth.json", {one.row["path"]: [[round(v, 1) for v in box] for box in one.boxes] for one in films})
    people = [(patient[0].person, [one.place for one in patient]) for patient in drawn]
    _json(folder / "planted.json", planted(people, "Hip"))
    notice(folder)


def _json(file: Path, value: Mapping[str, Any]) -> None:
    file.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


def _patient(folder: Path, seed: int, size: int, switches: Switches, patient: int) -> list[Drawn]:
    """Draw a patient's films; sex, age and site are drawn apart from the label."""
    rng = stream(seed, patient)
    age = int(np.clip(rng.normal(68, 14), 22, 98))
    who = {"sex": str(rng.choice(["F", "M"])), "age_years": age, "site": str(rng.choice(SITES))}
    studies = range(1, 2 + int(rng.random() < TWICE))
    one = person(seed, patient, who, stream(seed, patient, 0, 0))
    return [film for study in studies for film in _study(folder, (seed, patient, study), size, one, who, switches)]


def _study(
    folder: Path, seed: tuple[int, int, int], size: int, one: Person, who: Mapping[str, Any], switches: Switches
) -> list[Drawn]:
    rng, (root, patient, study) = stream(*seed), seed
    subject = Subject("hip", int(stream(root, patient, 0).integers(2**31)), bool(rng.random() < 0.5))
    views: tuple[View, ...] = ("frontal", "lateral")[: 1 + int(rng.random() < SECOND_VIEW)]
    depth = float(rng.random())
    kind = _kind(switches, stream(*seed, 0))
    findings = _findings(kind, subject, views, stream(*seed, 1))
    true: dict[str, Value] = {"fracture": TYPES[kind], "fracture_type": kind}
    said = _report(kind, switches, stream(*seed, REPORT))
    about = {"patient_id": one.record, "study_id": one.accession(study), "laterality": "L" if subject.left else "R"}
    drawn = []
    for number, view in enumerate(views, start=1):
        whole = view == "frontal" and rng.random() < WHOLE_PELVIS
        shown = Subject("pelvis", subject.body, subject.left) if whole else subject
        taken = film(shown, view, size, (*seed, number + 1), findings, 16)
        path = f"images/{one.file(study, number)}"
        how = stream(*seed, number, 0)
        shot = _shot(shown, view, (root, size), (study, number), taken.spacing, how)
        pixels, extra = finished(taken, bool(TYPES[kind]), (*seed, number), switches)
        (folder / path).write_bytes(file_bytes(pixels, one, shot, storage(depth, how)))
        row = {"path": path, **about, "view": view, "body_part": "hip", **who, **said, **extra}
        seen = hips(shown, view, size, (*seed, number + 1), {"left": kind, "right": "normal"})
        drawn.append(Drawn(one, (study, number), row, true, taken.boxes, seen))
    return drawn


def _shot(
    shown: Subject, view: View, seed: tuple[int, int], at: tuple[int, int], spacing: float, rng: np.random.Generator
) -> Shot:
    side = "L" if shown.left else "R"
    named = "LATERAL" if rng.random() < NAMED_LATERAL else f"{side}L"
    return Shot(seed, *at, shown.part.upper(), side, "AP" if view == "frontal" else named, spacing)


def _kind(switches: Switches, rng: np.random.Generator) -> str:
    """Draw a study's class."""
    broken, neck, displaced, metal, fixed = rng.random(5).tolist()
    if broken < FRACTURED:
        return (
            "intertrochanteric" if neck >= NECK else "displaced_neck" if displaced < DISPLACED else "nondisplaced_neck"
        )
    if metal < (METAL if switches.hardware is None else switches.hardware):
        return "orif" if fixed < 0.5 else "arthroplasty"
    return "normal"


def _findings(kind: str, subject: Subject, views: tuple[View, ...], rng: np.random.Generator) -> list[Finding]:
    """Break, fix or replace the hip of the side the film is of; its other side, if seen, is whole."""
    seed, form = int(rng.integers(2**31)), int(rng.integers(len(HIP_FORMS)))
    if not TYPES[kind]:
        kinds = {"orif": ("hip_fixed", form), "arthroplasty": ("hip_replaced", seed % 2)}
        return [Finding(*kinds[kind], seed, 1.0, 1.0)] if kind in kinds else []
    name = "intertrochanteric" if kind == "intertrochanteric" else "neck"
    found = place(subject, "fracture", views, rng, bone="femur_left", names=name)
    if found and name == "neck":
        found = replace(found, strength=max(found.strength, 1.0) if kind == "displaced_neck" else FISSURE)
    return [found] if found else []


def _report(kind: str, switches: Switches, rng: np.random.Generator) -> dict[str, Value]:
    """Return the labels as they are reported: a wrong one errs about the fracture, and so about its class too."""
    others = [name for name, broken in TYPES.items() if broken != TYPES[kind]]
    said = str(mistaken({"fracture_type": kind}, {"fracture_type": others}, switches, rng)["fracture_type"])
    return emptied({"fracture": TYPES[said], "fracture_type": said}, switches, rng)
