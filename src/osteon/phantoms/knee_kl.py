"""Phantoms in the layout of Chen's knees (2018, doi 10.17632/56rmx5bjcr.1): crops of single joints, one folder a grade.

A grade is Kellgren and Lawrence's (Ann Rheum Dis 1957;16:494), 0 to 4.
"""

import json
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteon.phantoms.anatomy.osteoarthritis import wear
from osteon.phantoms.anatomy.worn_knee import worn_knee
from osteon.phantoms.body import build
from osteon.phantoms.exposure import exposure
from osteon.phantoms.geometry import Camera, turn, vector
from osteon.phantoms.scene import Scene
from osteon.phantoms.writing import notice, parallel, save, stream
from osteon.phantoms.xray import expose

# Patients in the order of their number: seven of ten are for training, as in the original.
SETS = ("train", "test", "train", "train", "val", "train", "train", "test", "train", "train")
FIRST, IDS, STRIDE = 9_000_000, 999_900, 48_271  # ids as the OAI's; the stride scatters patients over them
SHARES = (0.40, 0.18, 0.26, 0.13, 0.03)  # of the grades
SHARED = 0.65  # of the variance of wear that a patient's two knees have in common
READER = 0.15  # grades, sd of a reading around the truth
SINGLE, FOUND = 0.08, 0.9  # share of patients with one knee; of test knees that automatic cropping finds
FIELD = 94.0  # mm that a crop of a knee of mean size is wide; a larger knee gets a wider one, as joints are cropped
# How a knee lies in its crop, as standard deviations: degrees turned in the film's plane and about the leg, shares of
# the crop shifted and zoomed. So ridge on 32x32 pixels reaches a kappa of 0.54, and 0.59 on the real crops (800 knees).
TURNED, ROLLED, SHIFTED, ZOOMED = 5.0, 6.0, 0.04, 0.08
WASHED, INVERTED = 0.3, 0.01  # share of crops of low contrast, and of black bone


@dataclass(frozen=True)
class Knee:
    """One knee: its body's number, its side, how worn it is (-0.5 to 4.5), and the grade that was read."""

    body: int
    left: bool
    severity: float
    grade: int


def write(folder: Path, patients: int, seed: int, size: int) -> None:
    """Write one or two knees a patient, square crops of `size` px.

    `auto_test` holds crops of the test set's knees as a detector makes them, under the original's names:
    `<id>_1.png` is the joint at the film's left, which is the right knee, `<id>_2.png` the other. `truth.json` maps a
    path to severity, medial and lateral joint space (mm).
    """
    drawn = parallel(partial(_patient, folder, seed, size), range(patients))
    truth = {path: facts for patient in drawn for path, facts in patient.items()}
    (folder / "truth.json").write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")
    for split in ("train", "val", "test", "auto_test"):
        for grade in range(len(SHARES)):
            (folder / split / str(grade)).mkdir(parents=True, exist_ok=True)
    notice(folder)


def knees(seed: int, patient: int) -> list[Knee]:
    """Return a patient's knees, the right one first."""
    rng = stream(seed, patient)
    body, both = int(rng.integers(2**31)), float(rng.normal())
    single, only_left = rng.random() < SINGLE, rng.random() < 0.5
    found = []
    for left in (False, True):
        latent = SHARED**0.5 * both + (1 - SHARED) ** 0.5 * float(rng.normal())
        level = severity(NormalDist().cdf(latent))
        grade = int(np.clip(round(level + float(rng.normal(0, READER))), 0, len(SHARES) - 1))
        if not single or left == only_left:
            found.append(Knee(body, left, level, grade))
    return found


def severity(rank: float) -> float:
    """Return the severity of the knee that is worn more than a share `rank` (0..1) of all knees."""
    return float(np.interp(rank, np.cumsum((0.0, *SHARES)), np.arange(len(SHARES) + 1) - 0.5))


def _patient(folder: Path, seed: int, size: int, patient: int) -> dict[str, Any]:
    number, split = FIRST + 99 + patient * STRIDE % IDS, SETS[patient % len(SETS)]
    truth = {}
    for knee in knees(seed, patient):
        crops = [(split, f"{number}{'L' if knee.left else 'R'}.png")]
        rng = stream(seed, patient, 1 + knee.left)
        if split == "test" and rng.random() < FOUND:
            crops.append(("auto_test", f"{number}_{1 + knee.left}.png"))
        for at, (part, name) in enumerate(crops):
            path = f"{part}/{knee.grade}/{name}"
            pixels, space = picture(knee, size, stream(seed, patient, 1 + knee.left, 0), 1.0 + at)
            save(folder / path, pixels)
            facts = {"severity": round(knee.severity, 3), "medial_mm": round(space[0], 2)}
            truth[path] = {**facts, "lateral_mm": round(space[1], 2)}
    return truth


def picture(
    knee: Knee, size: int, rng: np.random.Generator, loose: float = 1.0
) -> tuple[NDArray[np.uint8], tuple[float, float]]:
    """Return a crop (size, size) px of one knee, and its joint space, medial and lateral, mm.

    Args:
        knee: whose.
        size: px.
        rng: draws pose, exposure and noise.
        loose: factor on how far off the middle the crop may be.
    """
    scene = Scene()
    space = worn_knee(scene, knee.body, knee.left, wear(knee.severity, knee.body, knee.left))
    turned = turn("z", float(rng.normal(0, TURNED))) @ turn("y", float(rng.normal(0, ROLLED)))
    field = FIELD * build(np.random.default_rng(knee.body)).size ** 0.8
    scale = size / (field * float(np.exp(rng.normal(0, ZOOMED * loose))))
    centre = vector(size / 2, size * 0.54) + rng.normal(0, SHIFTED * loose, 2) * size
    mirror = np.diag([1.0 if knee.left else -1.0, 1.0, 1.0])
    how = replace(exposure(rng, ""), border=(0.0, 0.0, 0.0, 0.0), marker="")
    film, _ = expose(scene, Camera(mirror @ turned, scale, centre, vector(0, 0, 0)), (size, size), how, rng, bits=16)
    return _cropped(film, rng), space


def _cropped(film: NDArray[Any], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return a crop as the collection keeps it: of any brightness, some washed out, a few with black bone."""
    washed, inverted = rng.random() < WASHED, rng.random() < INVERTED
    share = float(rng.uniform(0.3, 0.55)) if washed else float(rng.uniform(0.6, 1.0))
    base = float(rng.uniform(0, 1 - share))
    grey = base + film / 65535 * share
    return np.asarray(np.clip(np.round(255 * (1 - grey if inverted else grey)), 0, 255), np.uint8)
