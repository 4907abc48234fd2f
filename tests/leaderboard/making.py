"""Runs of MURA and of other tasks made without training, as a run leaves them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from osteon.predictions import TaskFacts, read, write
from osteon.scoring.table import score, to_records
from osteon.scoring.thresholds import THRESHOLDED, fit, freeze
from osteon.scoring.units import units

PARTS = ("elbow", "finger", "forearm", "hand", "humerus", "shoulder", "wrist")
MURA = TaskFacts(unit="study", groups=("body_part",), monitor="kappa")
AGE = TaskFacts(head="regression", unit="image", low=0, high=230, unit_name="months")
GRADE = TaskFacts(head="ordinal", unit="image", classes=tuple("01234"), unit_name="grades", cut=2)
HIP = TaskFacts(unit="study", truth="any")
BOXES = TaskFacts(head="detection", classes=("fracture",))


def studies(split: str, count: int = 70, seed: int = 0, noise: float = 0.2, gap: float = 0.3) -> pd.DataFrame:
    """Return studies of one to three images, two a patient; the truth depends on the split alone, answers on `seed`."""
    truth, answers = np.random.default_rng(len(split)), np.random.default_rng([seed, len(split)])
    target = truth.integers(0, 2, count).astype(float)
    study = np.repeat(np.arange(count), truth.integers(1, 4, count))
    part = np.array(PARTS)[study % 7]
    name = [f"{p}/study{s}" for p, s in zip(part, study, strict=True)]
    patient = [f"{split}{s // 2:05d}" for s in study]
    return pd.DataFrame(
        {
            "task": "mura",
            "split": split,
            "image_id": [f"{n}/image{k}.png" for k, n in enumerate(name)],
            "group_id": patient,
            "patient_id": patient,
            "study_id": name,
            "unit_id": [f"{p}/{n}" for p, n in zip(patient, name, strict=True)],
            "dataset": "mura",
            "source": "real",
            "target": target[study],
            "probability": np.clip(answers.normal(0.35 + gap * target[study], noise), 0, 1),
            "body_part": part,
        }
    )


def images(split: str, task: str, count: int = 60, seed: int = 0, noise: float = 10.0) -> pd.DataFrame:
    """Return answers of a task whose unit is the image, one a patient."""
    truth, answers = np.random.default_rng(len(split)), np.random.default_rng([seed, len(split)])
    ids = [f"{split}{k}" for k in range(count)]
    frame = pd.DataFrame({"task": task, "split": split, "image_id": ids, "group_id": ids, "unit_id": ids})
    frame = frame.assign(dataset={"bone_age": "rsna_boneage", "knee_kl": "knee_kl"}[task], source="real")
    if task == "bone_age":
        target = truth.uniform(20, 200, count)
        return frame.assign(target=target, value=np.clip(target + answers.normal(0, noise, count), 0, 230))
    target = truth.integers(0, 5, count)
    shares = np.eye(5)[np.clip(target + answers.integers(-1, 2, count), 0, 4)] * 0.6 + 0.08
    return frame.assign(target=target.astype(float), probabilities=list(shares), value=shares @ np.arange(5.0))


def boxes(split: str, count: int = 40, seed: int = 0, noise: float = 3.0) -> pd.DataFrame:
    """Return films of one true box or none, each with a box near it and one elsewhere."""
    truth, answers = np.random.default_rng(len(split)), np.random.default_rng([seed, len(split)])
    ids = [f"{split}{k}" for k in range(count)]
    frame = pd.DataFrame({"task": "fracatlas_detection", "split": split, "image_id": ids, "group_id": ids})
    held = truth.integers(0, 2, count)
    true = [np.array([[20.0, 20, 60, 60, 0]]) if one else np.empty((0, 5)) for one in held]
    found = []
    for one in held:
        corner = 20 + answers.normal(0, noise, 2)
        near = [[*corner, *(corner + 40), 0, answers.uniform(0.4, 1)]] if one else []
        found.append(np.array([*near, [70.0, 70, 90, 90, 0, answers.uniform(0, 0.6)]]))
    frame = frame.assign(unit_id=ids, dataset="fracatlas", source="real", target=held.astype(float))
    return frame.assign(boxes=pd.Series(found, dtype=object), truth=pd.Series(true, dtype=object))


def leave(
    folder: Path,
    make: Callable[[str], pd.DataFrame],
    facts: TaskFacts = MURA,
    split_name: str = "public-valid",
    words: tuple[str, ...] = (),
    stored: bool = True,
    **about: Any,
) -> Path:
    """Leave a run folder: predictions, thresholds, result.json with scores, overrides.txt."""
    told = {"name": folder.name, "seed": 0, "backbone": "densenet169", "cohort": "c", "settings": "s"} | about
    frames = {split: make(split) for split in ("val", "test")}
    task = str(frames["test"]["task"].iloc[0])
    thresholds = {}
    for split, frame in frames.items():
        write(folder / "predictions" / f"{split}.parquet", frame, {task: facts}, told, {"test": split_name})
    if facts.head in THRESHOLDED:
        thresholds[task] = fit(units(frames["val"], facts), facts)
    freeze(folder / "thresholds.json", thresholds)
    rows = []
    if stored:
        rows = to_records(score(read(folder / "predictions" / "test.parquet"), thresholds, replicates=100))
    (folder / "result.json").write_text(json.dumps({"source": "real", "scores": rows}))
    (folder / "overrides.txt").write_text("".join(f"{word}\n" for word in words))
    return folder
