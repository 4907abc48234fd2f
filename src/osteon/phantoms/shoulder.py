"""Shoulder phantoms as a table with the six findings of Grauhan 2022 (PMC8692302): several may be there at once."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from osteon.phantoms.endoprosthesis import REVERSE
from osteon.phantoms.film import Finding, Subject, film, place
from osteon.phantoms.fixation import SHOULDER_FORMS
from osteon.phantoms.positions import View
from osteon.phantoms.switches import OFF, REPORT, Switches, Value, emptied, mistaken
from osteon.phantoms.tabling import Entry, ages, finished, write_table
from osteon.phantoms.writing import parallel, save, stream

FINDINGS = ("fracture", "dislocation", "calcification", "osteoarthritis", "osteosynthesis", "endoprosthesis")
# Share of reports that say nothing of a finding, whether it is there or not.
UNSAID = {"dislocation": 0.03, "calcification": 0.08, "osteoarthritis": 0.06}
OLD = 60  # years from which joints are worn out and replaced more often
REPLACED, FIXED = {False: 0.06, True: 0.2}, 0.17
FRACTURED, HEALING = 0.33, 0.55  # of unoperated shoulders; of those with osteosynthesis
OUT_OF_PLACE = {False: 0.13, True: 0.28}  # by fracture
WORN = {False: 0.14, True: 0.45}
LIMY, LIMY_BROKEN = 0.2, 0.05
POSTERIOR, TWICE, THREE_VIEWS, SITES = 0.1, 0.1, 0.3, ("north", "south", "harbour")
FIELD = 225.0  # mm: the film's longest side


def write(folder: Path, patients: int, seed: int, size: int, switches: Switches = OFF) -> None:
    """Write one or two studies a patient, each with a frontal film or two and an axillary one; `size` in px.

    `labels.csv` has one row a film: path, patient_id, study_id, laterality, view, body_part, sex, age_years, site, and
    the six `FINDINGS` (1, 0, or blank where the report says nothing). A shortcut's tag tells of the fracture.
    """
    drawn = parallel(partial(_patient, folder, seed, size, switches), range(patients))
    write_table(folder, [entry for patient in drawn for entry in patient], switches)


def _patient(folder: Path, seed: int, size: int, switches: Switches, patient: int) -> list[Entry]:
    rng = stream(seed, patient)
    age = ages(rng, 58, 18, 18, 95)
    who = {"sex": str(rng.choice(["F", "M"])), "age_years": age, "site": str(rng.choice(SITES))}
    studies = range(1, 2 + int(rng.random() < TWICE))
    return [entry for n in studies for entry in _study(folder, (seed, patient, n), size, who, switches)]


def _study(
    folder: Path, place_: tuple[int, int, int], size: int, who: Mapping[str, Any], switches: Switches
) -> list[Entry]:
    seed, patient, study = place_
    subject = Subject("shoulder", int(stream(seed, patient, 0).integers(2**31)), bool(stream(*place_).random() < 0.5))
    true = labels(int(who["age_years"]), stream(*place_, 0))
    findings = found(subject, true, stream(*place_, 1))
    said = _report(true, switches, stream(*place_, REPORT))
    views: tuple[View, ...] = ("frontal", "axillary")
    if stream(*place_, 2).random() < THREE_VIEWS:
        views = ("frontal", *views)
    about = {"patient_id": f"SH{patient + 1:05d}", "study_id": f"SH{patient + 1:05d}-{study}"}
    about["laterality"] = "L" if subject.left else "R"
    entries = []
    for number, view in enumerate(views, start=1):
        taken = film(subject, view, size, (*place_, number + 2), findings)
        pixels, extra = finished(taken, bool(true["fracture"]), (*place_, number), switches)
        path = f"images/{about['study_id']}_{number}.png"
        save(folder / path, pixels)
        row = {"path": path, **about, "view": view, "body_part": "shoulder", **who, **said, **extra}
        entries.append(Entry(row, true, taken.boxes, {"drawn": [one.kind for one in findings]}))
    return entries


def labels(age: int, rng: np.random.Generator) -> dict[str, Value]:
    """Draw what is wrong with a shoulder; findings depend on each other and on age as they do in a clinic."""
    old, chance = age >= OLD, dict(zip(FINDINGS, rng.random(len(FINDINGS)).tolist(), strict=True))
    replaced = chance["endoprosthesis"] < REPLACED[old]
    fixed = not replaced and chance["osteosynthesis"] < FIXED
    broken = not replaced and chance["fracture"] < (HEALING if fixed else FRACTURED)
    out = chance["dislocation"] < (0.04 if replaced or fixed else OUT_OF_PLACE[broken])
    worn = not replaced and not broken and chance["osteoarthritis"] < WORN[old]
    limy = not replaced and chance["calcification"] < (LIMY_BROKEN if broken or fixed else LIMY)
    return {name: int(is_so) for name, is_so in zip(FINDINGS, (broken, out, limy, worn, fixed, replaced), strict=True)}


def found(subject: Subject, true: Mapping[str, Value], rng: np.random.Generator) -> list[Finding]:
    """Return what is drawn for a study's labels, in the order in which it changes the shoulder."""
    seeds = rng.integers(2**31, size=len(FINDINGS)).tolist()
    forms = {
        "dislocation": int(rng.random() < POSTERIOR),
        "endoprosthesis": int(rng.integers(REVERSE + 1)),
        "osteosynthesis": int(rng.choice(len(SHOULDER_FORMS), p=(0.65, 0.2, 0.15))),
    }
    kinds = {"endoprosthesis": "shoulder_replaced", "osteosynthesis": "shoulder_fixed"}
    order = ("osteoarthritis", "dislocation", "calcification", "endoprosthesis", "osteosynthesis")
    drawn = [
        Finding(kinds.get(name, name), forms.get(name, 0), seeds[FINDINGS.index(name)], 1.0, FIELD)
        for name in order
        if true[name]
    ]
    fracture = place(subject, "fracture", ("frontal",), rng, bone="humerus", names="neck") if true["fracture"] else None
    return [*drawn, fracture] if fracture else drawn


def _report(true: Mapping[str, Value], switches: Switches, rng: np.random.Generator) -> dict[str, Value]:
    """Return the labels as a report gives them."""
    said = mistaken(true, dict.fromkeys(FINDINGS, (0, 1)), switches, rng)
    unsaid = {name: rng.random() < UNSAID.get(name, 0.0) for name in FINDINGS}
    return emptied({name: None if unsaid[name] else value for name, value in said.items()}, switches, rng)
