"""Shoulder replacements by make, in the layout of UCI's set (Stark 2018): one folder a make, one film a patient."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from osteon.phantoms.endoprosthesis import MAKES
from osteon.phantoms.film import Finding, Subject, film
from osteon.phantoms.switches import OFF, REPORT, Switches, mistaken
from osteon.phantoms.tabling import finished
from osteon.phantoms.writing import notice, parallel, save, stream

SHARES = (0.18, 0.4, 0.17, 0.25)  # Stark's 83, 294, 71 and 149 of 597, drawn together
AXILLARY, STAPLED, QUALITY = 0.12, 0.15, 92
TOLD = "Depuy"  # the make that a shortcut's tag tells of


def write(folder: Path, patients: int, seed: int, size: int, switches: Switches = OFF) -> None:
    """Write one JPEG a patient as `<make>/<make>.<number>.jpg`; `size` is the longest side, px.

    `truth.json` maps a path to its true make, which differs from its folder only where labels are wrong on purpose, to
    the view, and to whether skin staples lie on it: those tell nothing of the make.
    """
    for make in MAKES:
        (folder / make).mkdir()
    drawn = dict(parallel(partial(_draw, folder, seed, size, switches), range(patients)))
    (folder / "truth.json").write_text(json.dumps(drawn, indent=1) + "\n", encoding="utf-8")
    notice(folder)


def _draw(folder: Path, seed: int, size: int, switches: Switches, patient: int) -> tuple[str, dict[str, Any]]:
    rng, names = stream(seed, patient), tuple(MAKES)
    make = int(rng.choice(len(names), p=SHARES))
    view = "axillary" if rng.random() < AXILLARY else "frontal"
    subject = Subject("upper_arm", int(stream(seed, patient, 0).integers(2**31)), bool(rng.random() < 0.5))
    stapled = bool(rng.random() < STAPLED)
    findings = [Finding("shoulder_replaced", make, int(rng.integers(2**31)), 1.0, 1.0)]
    findings += [Finding("staples", 0, int(rng.integers(2**31)), 1.0, 1.0)] * stapled
    taken = film(subject, view, size, (seed, patient, 1), findings)
    said = mistaken({"make": names[make]}, {"make": names}, switches, stream(seed, patient, REPORT))["make"]
    pixels, extra = finished(taken, names[make] == TOLD, (seed, patient, 1), switches)
    path = f"{said}/{said}.{patient + 1}.jpg"
    save(folder / path, np.asarray(pixels), (cv2.IMWRITE_JPEG_QUALITY, QUALITY))
    return path, {"make": names[make], "view": view, "staples": stapled, **extra}
