"""Runs of several models on the same images, of every head."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from osteon.ensemble import Ensemble, Request, ensemble
from osteon.predictions import TaskFacts, write
from osteon.scoring.thresholds import Threshold, freeze
from tests.scoring.drawn import AGE, FINDINGS, GRADE, ages, findings, graded, images

TYPES = TaskFacts(head="multiclass", unit="study", classes=("a", "b", "c"))
FRACTURE = TaskFacts(unit="study", groups=("sex",), monitor="auroc")
# Scoring by group is tested elsewhere, and takes most of the time.
PLAIN = {name: replace(facts, groups=()) for name, facts in {"grade": GRADE, "age": AGE, **FINDINGS}.items()}
TASKS: dict[str, TaskFacts] = {"fracture": FRACTURE, "type": TYPES, **PLAIN}
Make = Callable[..., Path]
Blend = Callable[..., Ensemble]


def fractures(studies: int, split: str) -> pd.DataFrame:
    table, rng = images(studies, split=split), np.random.default_rng(4)
    truth = (rng.random(studies) < 0.4)[table["study"]]
    target = np.where(table["study"] % 10 == 9, np.nan, truth)
    return table.assign(task="fracture", target=target, probability=0.4 + 0.2 * truth)


def types(studies: int, split: str) -> pd.DataFrame:
    table, rng = images(studies, split=split), np.random.default_rng(5)
    truth = rng.integers(0, 3, studies)[table["study"]]
    target = np.where(table["study"] % 10 == 9, np.nan, truth)
    return table.assign(task="type", target=target, probabilities=list(np.eye(3)[truth] * 0.4 + 0.2))


@cache
def drawn(split: str, seed: int, studies: int) -> pd.DataFrame:
    """Return answers of one model: units and labels are the same whatever the seed."""
    parts = [make(studies, split=split) for make in (ages, graded, findings)]
    frame = pd.concat([fractures(studies, split), types(studies, split), *parts], ignore_index=True)
    rng = np.random.default_rng([seed, split == "val"])
    noise = 0.15 * (1 + seed % 3)
    frame["probability"] = np.clip(frame["probability"] + rng.normal(0, noise, len(frame)), 0, 1)
    old = frame["task"] == "age"
    frame.loc[old, "value"] = np.clip(frame.loc[old, "value"] + rng.normal(0, 60 * noise, old.sum()), 0, 240)
    listed = frame["probabilities"].notna()
    turned = [
        (p + 3 * noise * rng.dirichlet(np.ones(len(p)))) / (1 + 3 * noise) for p in frame.loc[listed, "probabilities"]
    ]
    frame.loc[listed, "probabilities"] = pd.Series(turned, index=frame.index[listed])
    grades = frame["task"] == "grade"
    frame.loc[grades, "value"] = [p @ np.arange(5) for p in frame.loc[grades, "probabilities"]]
    return frame


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return runs that some test has had, to be copied: writing one takes longer than most tests."""
    return {"": tmp_path_factory.mktemp("made")}


@pytest.fixture
def make(tmp_path: Path, made: dict[str, Path]) -> Make:
    def run(seed: int, tasks: tuple[str, ...] = ("fracture",), studies: int = 40, **about: Any) -> Path:
        key = repr((seed, tasks, studies, sorted(about.items())))
        if key not in made:
            made[key] = _written(made[""] / str(len(made)), seed, tasks, studies, about)
        return shutil.copytree(made[key], tmp_path / f"run{seed}", dirs_exist_ok=True)

    return run


def _written(folder: Path, seed: int, tasks: tuple[str, ...], studies: int, about: dict[str, Any]) -> Path:
    facts = {name: TASKS[name] for name in tasks}
    told = {"name": f"run{seed}", "seed": seed, "backbone": f"net{seed}", "cohort": "c0", "settings": "s0"} | about
    for split in ("val", "test"):
        frame = drawn(split, seed, studies)
        frame = frame[frame["task"].isin(tasks)].reset_index(drop=True)
        write(folder / "predictions" / f"{split}.parquet", frame, facts, told, {"test": "held out"})
    freeze(folder / "thresholds.json", {name: Threshold("youden", 0.4, "val", 60, 20) for name in tasks})
    (folder / "result.json").write_text(json.dumps({"source": "real", "weights": "none"}))
    return folder


@pytest.fixture
def blend(tmp_path: Path) -> Blend:
    def made(folders: list[Path], name: str = "blend", **asked: Any) -> Ensemble:
        return ensemble(folders, tmp_path / name, Request(**({"replicates": 100} | asked)))

    return made
