"""Drawn predictions with known structure."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from osteon.predictions import TaskFacts, write
from osteon.scoring.sample import Sample
from osteon.scoring.thresholds import fit, freeze
from osteon.scoring.units import units

Draw = Callable[..., Sample]
Frame = Callable[..., pd.DataFrame]
Make = Callable[..., Path]
FACTS = {"mura": TaskFacts(unit="study", groups=("body_part",))}


@pytest.fixture
def draw() -> Draw:
    def make(n: int = 200, patients: int | None = None, seed: int = 0, classes: int = 2, levels: int = 20) -> Sample:
        rng = np.random.default_rng(seed)
        target = rng.integers(0, classes, n)
        cluster = (
            np.arange(n)
            if patients is None
            else np.concatenate([np.arange(patients), rng.integers(0, patients, n - patients)])
        )
        if classes > 2:
            score = rng.dirichlet(np.ones(classes), n) + 0.5 * np.eye(classes)[target]
            score /= score.sum(1, keepdims=True)
            return Sample(target, score, score.argmax(1), cluster, classes)
        # Rounded, so that there are ties.
        score = np.round(np.clip(rng.normal(0.35 + 0.3 * target, 0.2), 0, 1) * levels) / levels
        return Sample(target, score, (score > 0.5).astype(np.intp), cluster)

    return make


@pytest.fixture
def frame() -> Frame:
    def make(
        studies: int = 60, split: str = "test", seed: int = 0, source: str = "real", first: int = 0
    ) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        target = rng.integers(0, 2, studies).astype(float)
        study = np.repeat(np.arange(studies), rng.integers(1, 4, studies))
        patient = first + study // 2
        return pd.DataFrame(
            {
                "task": "mura",
                "split": split,
                "image_id": [f"{split}/{first}/image{i}" for i in range(len(study))],
                "group_id": [f"patient:{split}{p:04d}" for p in patient],
                "patient_id": [f"{split}{p:04d}" for p in patient],
                "study_id": [f"study{s}" for s in study],
                "unit_id": [f"{split}{first}/study{s}" for s in study],
                "dataset": "mura",
                "source": source,
                "target": target[study],
                "probability": np.round(np.clip(rng.normal(0.35 + 0.3 * target[study], 0.2), 0, 1), 2),
                "body_part": np.array(["wrist", "elbow", "hand"])[study % 3],
            }
        )

    return make


@pytest.fixture
def run(tmp_path: Path, frame: Frame) -> Make:
    def make(fold: int, folds: int = 3, first: int | None = None, **about: Any) -> Path:
        folder = tmp_path / f"run{len(list(tmp_path.iterdir()))}"
        start = 1000 * fold if first is None else first
        described = {"name": folder.name, "fold": fold, "folds": folds, "seed": 0, "backbone": "resnet18"}
        described |= {"cohort": "c0", "settings": "s0"} | about
        for split, studies in (("val", 30), ("test", 40)):
            part = frame(studies, split=split, seed=fold, first=start)
            # A study that nobody labelled: predicted, never scored.
            part.loc[part["study_id"] == "study3", "target"] = np.nan
            write(folder / "predictions" / f"{split}.parquet", part, FACTS, described, {"test": "held out"})
            if split == "val":
                freeze(folder / "thresholds.json", {"mura": fit(units(part, FACTS["mura"]), FACTS["mura"])})
        (folder / "result.json").write_text(json.dumps({"source": "real"}))
        return folder

    return make
