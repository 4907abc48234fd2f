"""Phantoms in the layout of the RSNA Pediatric Bone Age Challenge 2017 (Halabi et al. 2019): left hands, bone age."""

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteon.phantoms.anatomy.growing_hand import Child, centres, growing_hand
from osteon.phantoms.anatomy.maturity import OLDEST, stage
from osteon.phantoms.exposure import exposure
from osteon.phantoms.geometry import Camera, turn, vector
from osteon.phantoms.scene import Scene
from osteon.phantoms.writing import notice, parallel, save, stream
from osteon.phantoms.xray import expose

# Children in the order of their number: six of eight are for training, one is the validation set's, one the test's.
SETS = ("train", "val", "train", "test", "train", "train", "train", "train")
FIRST, IDS, STRIDE = 1377, 14236, 7919  # the real ids run from 1377; the stride scatters children over them
SPLIT_ZIP = 10000  # the real validation set's first zip holds the ids below it, the second the others
MALE = 0.54
MEAN, SPREAD = {True: 135.0, False: 117.0}, {True: 42.0, False: 38.0}  # months, of the labels
READER = 3.0  # months, sd of a reading around the truth
FAINT, FOGGED = 0.22, 0.07  # share of films kept too dark, and of grey ones


@dataclass(frozen=True)
class Drawn:
    """A child's film: its id, its set, the reading (months), and what is true of it."""

    id: int
    split: str
    reading: int
    male: bool
    truth: dict[str, Any]


def write(folder: Path, patients: int, seed: int, size: int) -> None:
    """Write one film a child; `size` is the longest side, px.

    The three sets differ in folders, columns and the coding of sex, as the real ones do; the test set has no ages.
    `truth.json` maps an id to the months that the reading was made from, the sex, and the mean growth plate (mm).
    """
    drawn = parallel(partial(_child, folder, seed, size), range(patients))
    one = {split: [child for child in drawn if child.split == split] for split in ("train", "val", "test")}
    train = [(child.id, child.reading, child.male) for child in one["train"]]
    _table(folder / "boneage-training-dataset.csv", ("id", "boneage", "male"), train)
    val = [(child.id, str(child.male).upper(), child.reading) for child in one["val"]]
    validation = folder / "Bone Age Validation Set" / "Validation Dataset.csv"
    _table(validation, ("Image ID", "male", "Bone Age (months)"), val)
    test = [(child.id, "M" if child.male else "F") for child in one["test"]]
    _table(folder / "boneage-test-dataset.csv", ("Case ID", "Sex"), test)
    truth = {str(child.id): child.truth for child in drawn}
    (folder / "truth.json").write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")
    notice(folder)


def _table(file: Path, columns: tuple[str, ...], rows: list[Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows, columns=list(columns)).to_csv(file, index=False, lineterminator="\n")


def _child(folder: Path, seed: int, size: int, patient: int) -> Drawn:
    rng = stream(seed, patient)
    male, body = bool(rng.random() < MALE), int(rng.integers(2**31))
    months = float(np.clip(rng.normal(MEAN[male], SPREAD[male]), 4, OLDEST))
    reading = int(np.clip(round(months + float(rng.normal(0, READER))), 1, OLDEST))
    child, split = Child(body, male, stage(months, male)), SETS[patient % len(SETS)]
    number = FIRST + patient // IDS * IDS + patient * STRIDE % IDS
    save(folder / _folder(split, number) / f"{number}.png", picture(child, size, stream(seed, patient, 0)))
    plates = [centre.plate(child.stage) for centre in centres(child).values()]
    truth = {"months": round(months, 1), "male": male, "plate_mm": round(float(np.mean(plates)), 3)}
    return Drawn(number, split, reading, male, truth)


def _folder(split: str, number: int) -> str:
    if split == "val":
        return f"Bone Age Validation Set/boneage-validation-dataset-{1 + (number >= SPLIT_ZIP)}"
    return {"train": "boneage-training-dataset", "test": "boneage-test-dataset"}[split]


def picture(child: Child, size: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return a film (height, width) of a child's left hand, fingers up; `size` is its longest side, px."""
    scene, spread = Scene(), float(rng.uniform(0.75, 1.5))
    hand = growing_hand(child, scene, spread)
    tall = 250 * hand**0.8 * float(np.exp(rng.normal(0.02, 0.07)))
    wide = tall * float(rng.uniform(0.74, 0.92))
    scale = size / tall
    shape = (size, round(wide * scale))
    turned = turn("z", 180 + float(rng.normal(0, 6))) @ turn("x", float(rng.normal(0, 3))) @ turn("y", rng.normal(0, 5))
    offset = rng.normal(0, 0.025, 2) * (shape[1], shape[0])
    centre = vector(shape[1] / 2, shape[0] / 2) + offset
    camera = Camera(np.diag([-1.0, 1.0, 1.0]) @ turned, scale, centre, vector(4, 72, 0) * hand)
    film, _ = expose(scene, camera, shape, exposure(rng, "L"), rng, bits=16)
    return _archived(film, rng)


def _archived(film: NDArray[Any], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return a film as the archive keeps it: some far too dark, some grey all over."""
    faint, fogged, share = rng.random() < FAINT, rng.random() < FOGGED, float(rng.uniform(0.2, 0.6))
    gain, base = (share if faint else 1.0), (float(rng.uniform(0.12, 0.25)) if fogged else 0.0)
    return np.asarray(np.clip(np.round(255 * (base + film / 65535 * (gain - base))), 0, 255), np.uint8)
