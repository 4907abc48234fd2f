"""Hip phantoms as a plain table beside a folder of images: `labels.csv`, `images/*.png`, and `truth.json` with boxes."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from osteon.phantoms.film import Finding, film, place
from osteon.phantoms.writing import notice, parallel, save, stream

FRACTURED = 0.35
SITES = ("north", "south", "harbour")


def write(folder: Path, patients: int, seed: int, size: int) -> None:
    """Write one or two studies a patient, one or two films a study; `size` is the longest side, px.

    `labels.csv` has one row a film: path, patient_id, study_id, laterality, view, body_part, sex, age_years, site,
    fracture (0 or 1). `truth.json` maps a path to its fractures' boxes (xyxy, px).
    """
    drawn = parallel(lambda patient: _patient(folder, patient, seed, size), range(patients))
    rows = [row for patient in drawn for row, _ in patient]
    truth = {row["path"]: boxes for patient in drawn for row, boxes in patient}
    pd.DataFrame(rows).to_csv(folder / "labels.csv", index=False)
    (folder / "truth.json").write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")
    notice(folder)


def _patient(folder: Path, patient: int, seed: int, size: int) -> list[tuple[dict[str, Any], list[list[float]]]]:
    """Draw a patient's films; return their rows and boxes."""
    rng, body = stream(seed, patient), int(stream(seed, patient, 0).integers(2**31))
    who = {
        "sex": str(rng.choice(["F", "M"])),
        "age_years": int(np.clip(rng.normal(68, 14), 22, 98)),
        "site": str(rng.choice(SITES)),
    }
    drawn = []
    for study in range(1, 2 + int(rng.random() < 0.1)):
        broken, left = bool(stream(seed, patient, study, 0).random() < FRACTURED), bool(rng.random() < 0.5)
        views = ("frontal", "lateral")[: 1 + int(rng.random() < 0.4)]
        findings = _fracture(body, views, stream(seed, patient, study, 1)) if broken else ()
        bits = 16 if rng.random() < 0.25 else 8
        for number, view in enumerate(views):
            part = "pelvis" if view == "frontal" and rng.random() < 0.1 else "hip"
            taken = film(part, body, view, size, left, (seed, patient, study, number + 2), findings, bits)
            name = f"images/P{patient + 1:05d}_{study}_{number + 1}.png"
            save(folder / name, taken.pixels)
            row = {"path": name, "patient_id": f"P{patient + 1:05d}", "study_id": f"P{patient + 1:05d}-{study}"}
            row |= {
                "laterality": "L" if left else "R",
                "view": view,
                "body_part": "hip",
                **who,
                "fracture": int(broken),
            }
            drawn.append((row, [[round(v, 1) for v in box] for box in taken.boxes]))
    return drawn


def _fracture(body: int, views: tuple[str, ...], rng: np.random.Generator) -> tuple[Finding, ...]:
    """Break the femoral neck (60 %) or the intertrochanteric region of the side the film is of."""
    name = "neck" if rng.random() < 0.6 else "intertrochanteric"
    found = place("hip", body, "fracture", views, rng, names=(name,), bone="femur_left")
    return (found,) if found else ()
