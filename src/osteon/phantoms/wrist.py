"""Wrist phantoms as a table: fractures of the distal forearm, with casts and metal that tell of them as in a clinic."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from osteon.phantoms.film import Finding, Subject, film, place
from osteon.phantoms.positions import View
from osteon.phantoms.switches import OFF, REPORT, Switches, emptied, mistaken
from osteon.phantoms.tabling import Entry, ages, finished, write_table
from osteon.phantoms.writing import parallel, save, stream

FRACTURED = 0.5  # share of studies
# By fracture: GRAZPEDWRI-DX (Nagy 2022) has a cast on 41 % of the films with a fracture and on 3.5 % of the others.
CAST, METAL = {False: 0.035, True: 0.41}, {False: 0.02, True: 0.06}
PINNED, PLATE = 0.5, 2  # share of metal that is wires; the bed of the distal radius
OBLIQUE, TWICE, FIELD = 0.15, 0.15, 150.0
PROJECTIONS: dict[View, str] = {"frontal": "PA", "lateral": "lateral", "oblique": "oblique"}


@dataclass(frozen=True)
class State:
    """What a study shows; the same in all its views."""

    fracture: bool
    cast: bool
    metal: bool


def write(folder: Path, patients: int, seed: int, size: int, switches: Switches = OFF) -> None:
    """Write one or two studies a patient, each with a PA and a lateral film, some with an oblique one; `size` in px.

    `labels.csv` has one row a film: path, patient_id, study_id, laterality, view (PA, lateral, oblique), body_part,
    sex, age_years, fracture, cast and metal (0 or 1). Wrists are grown ones. A shortcut's tag tells of the fracture.
    """
    drawn = parallel(partial(_patient, folder, seed, size, switches), range(patients))
    write_table(folder, [entry for patient in drawn for entry in patient], switches)


def _patient(folder: Path, seed: int, size: int, switches: Switches, patient: int) -> list[Entry]:
    rng = stream(seed, patient)
    who = {"sex": str(rng.choice(["F", "M"])), "age_years": ages(rng, 46, 20, 17, 92)}
    studies = range(1, 2 + int(rng.random() < TWICE))
    return [entry for n in studies for entry in _study(folder, (seed, patient, n), size, who, switches)]


def _study(
    folder: Path, place_: tuple[int, int, int], size: int, who: Mapping[str, Any], switches: Switches
) -> list[Entry]:
    seed, patient, study = place_
    subject = Subject("wrist", int(stream(seed, patient, 0).integers(2**31)), bool(stream(*place_).random() < 0.5))
    state = _state(switches, stream(*place_, 0))
    findings = _findings(subject, state, stream(*place_, 1))
    rng = stream(*place_, REPORT)
    true = {"fracture": int(state.fracture)}
    said = emptied(mistaken(true, {"fracture": (0, 1)}, switches, rng), switches, rng)
    views: tuple[View, ...] = ("frontal", "lateral", "oblique")[: 2 + int(stream(*place_, 2).random() < OBLIQUE)]
    about = {"patient_id": f"WR{patient + 1:05d}", "study_id": f"WR{patient + 1:05d}-{study}"}
    about["laterality"] = "L" if subject.left else "R"
    seen = {"cast": int(state.cast), "metal": int(state.metal)}
    entries = []
    for number, view in enumerate(views, start=1):
        taken = film(subject, view, size, (*place_, number + 2), findings)
        pixels, extra = finished(taken, state.fracture, (*place_, number), switches)
        path = f"images/{about['study_id']}_{number}.png"
        save(folder / path, pixels)
        row = {"path": path, **about, "view": PROJECTIONS[view], "body_part": "wrist", **who, **said, **seen, **extra}
        entries.append(Entry(row, {**true}, taken.boxes))
    return entries


def _state(switches: Switches, rng: np.random.Generator) -> State:
    """Draw a study; cast and metal depend on the fracture unless a switch draws them apart from it."""
    broken, wrapped, held = rng.random(3).tolist()
    fracture = broken < FRACTURED
    cast = CAST[fracture] if switches.cast is None else switches.cast
    metal = METAL[fracture] if switches.hardware is None else switches.hardware
    return State(fracture, wrapped < cast, held < metal)


def _findings(subject: Subject, state: State, rng: np.random.Generator) -> list[Finding]:
    """Return what is drawn: the break first, then what holds it."""
    seeds, pinned = rng.integers(2**31, size=2).tolist(), bool(rng.random() < PINNED)
    bone = "radius" if rng.random() < 0.8 else "ulna"
    broken = place(subject, "fracture", ("frontal",), rng, bone=bone, names="distal") if state.fracture else None
    drawn = [broken] if broken else []
    if state.metal:
        drawn.append(Finding("wrist_pinned" if pinned else "hardware", 0 if pinned else PLATE, seeds[0], 1.0, FIELD))
    return [*drawn, *([Finding("cast", 0, seeds[1], 1.0, FIELD)] if state.cast else [])]
