"""Phantoms in the layout of MURA v1.1 (Rajpurkar et al. 2017, arXiv:1712.06957): seven body parts, normal or abnormal.

Abnormal is a fracture, hardware or degenerative change, the same in all views of a study.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from osteon.phantoms.film import Finding, film, place
from osteon.phantoms.positions import View
from osteon.phantoms.writing import notice, parallel, save, stream

PARTS = ("WRIST", "FOREARM", "HAND", "HUMERUS", "SHOULDER", "ELBOW", "FINGER")  # in the order of the original's CSVs
ABNORMAL = 0.45
KINDS = (("fracture", 0.42), ("hardware", 0.5), ("degenerative", 0.08))
# A study's views and how often; bones that hide each other from the side are more often shot obliquely.
VIEWS = (
    ("frontal",),
    ("frontal", "lateral"),
    ("frontal", "lateral", "oblique"),
    ("frontal", "frontal", "lateral", "oblique"),
)
CROWDED_VIEWS = (
    ("frontal",),
    ("frontal", "oblique"),
    ("frontal", "oblique", "oblique"),
    ("frontal", "oblique", "oblique", "lateral"),
)
SHARES = (0.15, 0.4, 0.35, 0.1)
CROWDED = ("hand", "finger", "wrist", "humerus")
TWICE = 0.12  # share of patients with a second study


@dataclass(frozen=True)
class _Study:
    folder: str  # below the dataset's root, with a trailing slash
    part: str
    patient: int
    number: int
    abnormal: bool


def write(folder: Path, patients: int, seed: int, size: int) -> None:
    """Write `patients` patients as `folder`/{train,valid}/... and the four CSVs; `size` is the longest side, px."""
    studies = list(_studies(patients, seed))
    images = parallel(lambda study: _draw(folder, study, seed, size), studies)
    for split in ("train", "valid"):
        chosen = [(s, names) for s, names in zip(studies, images, strict=True) if s.folder.startswith(split)]
        labels = [f"MURA-v1.1/{study.folder},{int(study.abnormal)}\n" for study, _ in chosen]
        paths = [f"MURA-v1.1/{study.folder}{name}\n" for study, names in chosen for name in names]
        (folder / f"{split}_labeled_studies.csv").write_text("".join(labels), encoding="utf-8")
        (folder / f"{split}_image_paths.csv").write_text("".join(paths), encoding="utf-8")
    notice(folder)


def _studies(patients: int, seed: int) -> Iterator[_Study]:
    """Yield the studies part by part; a quarter of each part's patients is the public valid set."""
    for order, part in enumerate(PARTS):
        numbers = range(order, patients, len(PARTS))
        for place_in_part, patient in enumerate(numbers):
            split = "valid" if (place_in_part + order) % 4 == 3 else "train"
            rng = stream(seed, patient)
            for number in range(1, 2 + int(rng.random() < TWICE)):
                abnormal = bool(rng.random() < ABNORMAL)
                name = f"study{number}_{'positive' if abnormal else 'negative'}"
                yield _Study(
                    f"{split}/XR_{part}/patient{patient + 1:05d}/{name}/", part.lower(), patient, number, abnormal
                )


def _draw(folder: Path, study: _Study, seed: int, size: int) -> list[str]:
    """Draw a study's films; return their file names."""
    rng, body = stream(seed, study.patient, study.number), int(stream(seed, study.patient, 0).integers(2**31))
    views = _views(study.part, rng)
    left = bool(stream(seed, study.patient, 0, 1).random() < 0.5)
    findings = _findings(study, body, views, stream(seed, study.patient, study.number, 0)) if study.abnormal else ()
    colour = bool(rng.random() < 0.3)
    names = []
    for number, view in enumerate(views, start=1):
        longest = round(size * float(rng.uniform(0.9, 1.0)))
        taken = film(study.part, body, view, longest, left, (seed, study.patient, study.number, number), findings)
        pixels = cv2.cvtColor(taken.pixels, cv2.COLOR_GRAY2BGR) if colour else taken.pixels
        names.append(f"image{number}.png")
        save(folder / study.folder / names[-1], pixels)
    return names


def _views(part: str, rng: np.random.Generator) -> tuple[View, ...]:
    return (CROWDED_VIEWS if part in CROWDED else VIEWS)[int(rng.choice(len(SHARES), p=SHARES))]


def _findings(study: _Study, body: int, views: tuple[View, ...], rng: np.random.Generator) -> tuple[Finding, ...]:
    """Choose what is abnormal; a part without a place for one kind gets a fracture."""
    kind = str(rng.choice([name for name, _ in KINDS], p=[share for _, share in KINDS]))
    found = place(study.part, body, kind, views, rng) or place(study.part, body, "fracture", views, rng)
    return (found,) if found else ()
