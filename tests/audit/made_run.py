"""A run folder made from drawn films and a model that is drawn too: it reads the bone, or the tag, as is said."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from osteon.images import read_image
from osteon.images.margins import SIZES, margin, names
from osteon.phantoms import draw
from osteon.phantoms.switches import OFF, Switches
from osteon.predictions import TaskFacts, write
from osteon.scoring.thresholds import fit, freeze
from osteon.scoring.units import units

TASK = "hip_fracture"
FACTS = TaskFacts(unit="study", truth="any", classes=("negative", "positive"))


def films(folder: Path, seed: int, switches: Switches = OFF, patients: int = 110) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw hip phantoms, and return their table and their margins."""
    root = draw("hip", folder, patients, seed, 128, switches)
    table = pd.read_csv(next(root.rglob("labels.csv")))
    pixels = [read_image(next(root.rglob("labels.csv")).parent / path).pixels for path in table["path"]]
    shown = pd.DataFrame([margin(film) for film in pixels], columns=names())
    for place, name in enumerate(SIZES):
        shown[name] = [film.shape[place] for film in pixels]
    return table, shown


def manifest_of(table: pd.DataFrame, **more: Any) -> pd.DataFrame:
    """Return a manifest of a drawn table: every tenth patient in val, three of ten in test."""
    place = table["patient_id"].astype("category").cat.codes.to_numpy() % 10
    split = np.where(place < 3, "test", np.where(place == 3, "val", "train"))
    ids = [f"image{k}" for k in range(len(table))]
    return table.drop(columns=["path"]).assign(image_id=ids, dataset="hip", split=split, **more)


def leave(
    folder: Path,
    manifest: pd.DataFrame,
    score: np.ndarray,
    margins: pd.DataFrame | None = None,
    facts: TaskFacts = FACTS,
    target: str = "fracture",
    more: Mapping[str, Any] | None = None,
) -> Path:
    """Write what a run leaves, with `score` as its model's answers: a probability, or a value."""
    folder.mkdir(parents=True, exist_ok=True)
    manifest.to_parquet(folder / "manifest.parquet", index=False)
    task = {"dataset": {"name": "hip"}, "target": target, "where": {}} | dict(more or {})
    (folder / "config.yaml").write_text(yaml.safe_dump({"tasks": {TASK: task}}))
    if margins is not None:
        margins.assign(image_id=manifest["image_id"].to_numpy()).to_parquet(folder / "margins.parquet", index=False)
    frame = manifest[["image_id", "split", "dataset"]].assign(
        task=TASK, source="phantom", target=manifest[target].astype(float)
    )
    frame["unit_id"] = frame["group_id"] = manifest["patient_id"].astype(str)
    frame["unit_id"] += "/" + (manifest["study_id"].astype(str) if "study_id" in manifest else "")
    if facts.head == "binary":
        frame["probability"] = score
    else:
        frame["value"] = score
    thresholds = {}
    for split in ("val", "test"):
        part = frame[frame["split"] == split].reset_index(drop=True)
        write(folder / "predictions" / f"{split}.parquet", part, {TASK: facts}, {"name": folder.name, "folds": 1}, {})
        if split == "val" and facts.head == "binary" and units(part, facts)["target"].nunique() > 1:
            thresholds = {TASK: fit(units(part, facts), facts)}
    freeze(folder / "thresholds.json", thresholds)
    (folder / "result.json").write_text(json.dumps({"source": "phantom", "scores": []}))
    return folder


def reader(told: np.ndarray, seed: int, spread: float = 0.45) -> np.ndarray:
    """Return probabilities of a model that sees `told` (0 or 1) with some doubt."""
    rng = np.random.default_rng(1000 + seed)
    return np.clip(0.3 + 0.4 * told + rng.normal(0, spread / 2, len(told)), 0.001, 0.999)
