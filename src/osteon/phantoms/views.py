"""Phantoms of thirteen body parts and views, the classes of a router that sends a film to the right task."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from osteon.phantoms.film import Film, Finding, Subject, film, place
from osteon.phantoms.positions import View
from osteon.phantoms.switches import OFF, REPORT, Switches, emptied, mistaken
from osteon.phantoms.tabling import Entry, ages, finished, write_table
from osteon.phantoms.writing import parallel, save, stream

LIMBS = ("ankle", "elbow", "foot", "hand", "knee")
# Class -> part and view; `ap` is the frontal film of every part.
CLASSES: dict[str, tuple[str, View]] = {
    **{f"{part}_{name}": (part, view) for part in LIMBS for name, view in (("ap", "frontal"), ("lateral", "lateral"))},
    "pelvis_ap": ("pelvis", "frontal"),
    "shoulder_ap": ("shoulder", "frontal"),
    "shoulder_axillary": ("shoulder", "axillary"),
}
PARTS = tuple(dict.fromkeys(part for part, _ in CLASSES.values()))
FRACTURED, METAL = 0.2, 0.06  # share of studies: neither tells of the class
SECOND = 0.5  # share of studies with both views of their part
TURNED = 0.3  # share of a limb's films that lie on their side, as archives hold them


def write(folder: Path, patients: int, seed: int, size: int, switches: Switches = OFF) -> None:
    """Write one study a patient: a body part in one or two views; `size` is the longest side, px.

    `labels.csv` has one row a film: path, patient_id, study_id, laterality, sex, age_years and `body_part_view`, one of
    `CLASSES`. A shortcut's tag tells whether the film is frontal.
    """
    drawn = parallel(partial(_study, folder, seed, size, switches), range(patients))
    write_table(folder, [entry for study in drawn for entry in study], switches)


def _study(folder: Path, seed: int, size: int, switches: Switches, patient: int) -> list[Entry]:
    rng = stream(seed, patient)
    part = PARTS[(patient + seed) % len(PARTS)]
    subject = Subject(part, int(stream(seed, patient, 0).integers(2**31)), bool(rng.random() < 0.5))
    names = [name for name, (of, _) in CLASSES.items() if of == part]
    if rng.random() >= SECOND:
        names = names[:1] if rng.random() < 0.5 else names[-1:]
    who = {"patient_id": f"VW{patient + 1:05d}", "study_id": f"VW{patient + 1:05d}-1"}
    side = None if part == "pelvis" else "L" if subject.left else "R"
    about = {**who, "laterality": side, "sex": str(rng.choice(["F", "M"])), "age_years": ages(rng, 50, 20, 17, 95)}
    findings = _findings(subject, tuple(CLASSES[name][1] for name in names), switches, (seed, patient, 1))
    entries = []
    for number, name in enumerate(names, start=1):
        taken = film(subject, CLASSES[name][1], size, (seed, patient, number + 1), findings)
        if part in LIMBS and stream(seed, patient, number, 0).random() < TURNED:
            taken = _turned(taken)
        pixels, extra = finished(taken, CLASSES[name][1] == "frontal", (seed, patient, number), switches)
        path, report = f"images/{who['study_id']}_{number}.png", stream(seed, patient, number, REPORT)
        save(folder / path, pixels)
        true = {"body_part_view": name}
        said = emptied(mistaken(true, {"body_part_view": tuple(CLASSES)}, switches, report), switches, report)
        entries.append(Entry({"path": path, **about, **said, **extra}, {**true}, taken.boxes))
    return entries


def _findings(subject: Subject, views: tuple[View, ...], switches: Switches, at: tuple[int, ...]) -> list[Finding]:
    """Break and plate some of the bones, whatever the class."""
    rng = stream(*at)
    broken, held = rng.random(2).tolist()
    shares = {
        "fracture": broken < FRACTURED,
        "hardware": held < (METAL if switches.hardware is None else switches.hardware),
    }
    found = [place(subject, kind, views, rng) for kind, is_so in shares.items() if is_so]
    return [one for one in found if one]


def _turned(taken: Film) -> Film:
    """Return a film turned by a quarter, clockwise, with its boxes."""
    height = taken.pixels.shape[0]
    boxes = [(height - y1, x0, height - y0, x1) for x0, y0, x1, y1 in taken.boxes]
    return replace(taken, pixels=np.ascontiguousarray(np.rot90(taken.pixels, -1)), boxes=boxes)
