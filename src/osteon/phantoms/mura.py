"""Phantoms in the layout of MURA v1.1 (Rajpurkar et al. 2017, arXiv:1712.06957): seven body parts, normal or abnormal.

Abnormal is a fracture, hardware or degenerative change, the same in all views of a study.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2

from osteon.phantoms.film import Finding, Subject, film, place
from osteon.phantoms.positions import View
from osteon.phantoms.writing import notice, parallel, save, stream

PARTS = ("WRIST", "FOREARM", "HAND", "HUMERUS", "SHOULDER", "ELBOW", "FINGER")  # in the order of the original's CSVs
ABNORMAL = 0.45  # share of studies
# What an abnormal study shows, and how often.
KINDS = {("fracture",): 0.28, ("hardware",): 0.45, ("fracture", "hardware"): 0.22, ("degenerative",): 0.05}
TWICE = 0.12  # share of patients with a second study, whose label is drawn anew
COLOUR = 0.3  # share of studies kept as RGB
# The views of a study and how often; bones that hide each other from the side are shot obliquely instead.
SHARES = (0.15, 0.4, 0.35, 0.1)
VIEWS: tuple[tuple[View, ...], ...] = (
    ("frontal",),
    ("frontal", "lateral"),
    ("frontal", "lateral", "oblique"),
    ("frontal", "frontal", "lateral", "oblique"),
)
CROWDED_VIEWS: tuple[tuple[View, ...], ...] = (
    ("frontal",),
    ("frontal", "oblique"),
    ("frontal", "oblique", "oblique"),
    ("frontal", "oblique", "oblique", "lateral"),
)
CROWDED = ("hand", "finger", "wrist", "humerus")


@dataclass(frozen=True)
class Study:
    """A patient's exam, before it is drawn; `folder` is below the dataset's root and ends in a slash."""

    folder: str
    part: str
    patient: int
    number: int
    abnormal: bool


def write(folder: Path, patients: int, seed: int, size: int) -> None:
    """Write `patients` patients as `folder`/{train,valid}/... and the four CSVs; `size` is the longest side, px."""
    studies = list(plan(patients, seed))
    images = parallel(partial(_draw, folder, seed, size), studies)
    for split in ("train", "valid"):
        chosen = [(s, names) for s, names in zip(studies, images, strict=True) if s.folder.startswith(split)]
        labels = [f"MURA-v1.1/{study.folder},{int(study.abnormal)}\n" for study, _ in chosen]
        paths = [f"MURA-v1.1/{study.folder}{name}\n" for study, names in chosen for name in names]
        (folder / f"{split}_labeled_studies.csv").write_text("".join(labels), encoding="utf-8")
        (folder / f"{split}_image_paths.csv").write_text("".join(paths), encoding="utf-8")
    notice(folder)


def plan(patients: int, seed: int) -> Iterator[Study]:
    """Yield the studies part by part; about a quarter of each part's patients are the public valid set."""
    for order, part in enumerate(PARTS):
        for place_in_part, patient in enumerate(range(order, patients, len(PARTS))):
            split = "valid" if (place_in_part + order) % 4 == 3 else "train"
            for number in range(1, 2 + int(stream(seed, patient).random() < TWICE)):
                abnormal = bool(stream(seed, patient, number, 1).random() < ABNORMAL)
                name = f"patient{patient + 1:05d}/study{number}_{'positive' if abnormal else 'negative'}"
                yield Study(f"{split}/XR_{part}/{name}/", part.lower(), patient, number, abnormal)


def describe(study: Study, seed: int) -> tuple[Subject, tuple[View, ...], list[Finding]]:
    """Return who is on a study's films, its views, and its truth."""
    person = stream(seed, study.patient, 0)
    subject = Subject(study.part, int(person.integers(2**31)), bool(person.random() < 0.5))
    sets = CROWDED_VIEWS if study.part in CROWDED else VIEWS
    views = sets[int(stream(seed, study.patient, study.number, 2).choice(len(sets), p=SHARES))]
    if not study.abnormal:
        return subject, views, []
    rng = stream(seed, study.patient, study.number, 3)
    kinds = list(KINDS)[int(rng.choice(len(KINDS), p=list(KINDS.values())))]
    found = [place(subject, kind, views, rng) for kind in kinds]
    if not any(found):  # no joint lies well inside a humerus' film
        found = [place(subject, "fracture", views, rng)]
    return subject, views, [one for one in found if one]


def _draw(folder: Path, seed: int, size: int, study: Study) -> list[str]:
    """Draw a study's films; return their file names."""
    subject, views, findings = describe(study, seed)
    rng = stream(seed, study.patient, study.number, 4)
    colour = bool(rng.random() < COLOUR)
    names = []
    for number, view in enumerate(views, start=1):
        longest = round(size * float(rng.uniform(0.9, 1.0)))
        pixels = film(subject, view, longest, (seed, study.patient, study.number, number + 4), findings).pixels
        names.append(f"image{number}.png")
        save(folder / study.folder / names[-1], cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR) if colour else pixels)
    return names
