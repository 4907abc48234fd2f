"""Two floors under a network on FracAtlas, on the very split (or folds) of its runs.

`pixels`: ridge regression on 32x32 letterboxed pixels, its penalty chosen on val.
`flags`: logistic regression on region, view and hardware flags, its penalty chosen on val; sees no image.

    python experiments/fracatlas/floors.py --root <FracAtlas> --out <folder> runs/<run> [runs/<run of another fold> ...]

Writes one run folder a floor and run, in the schema of Osteon's predictions, and prints the scores of all.
"""

import argparse
import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from osteon import predictions
from osteon.files import write_json
from osteon.images import build
from osteon.scoring.folds import score_runs
from osteon.scoring.show import show
from osteon.scoring.thresholds import fit, freeze
from osteon.scoring.units import units

FLAGS = ["hand", "leg", "hip", "shoulder", "mixed", "hardware", "multiscan", "frontal", "lateral", "oblique"]
Scorer = Callable[[np.ndarray], np.ndarray]


def pixels_of(manifest: pd.DataFrame, root: Path, cache_dir: Path) -> np.ndarray:
    """Return (N, 1024) pixels in [0, 1]."""
    cache = build({"fracatlas": root}, manifest, (32, 32), cache_dir, workers=2, progress=False)
    return cache.pixels()[cache.slots].reshape(len(manifest), -1) / 255.0


def ridge(features: np.ndarray, target: np.ndarray, penalty: float) -> Scorer:
    model = make_pipeline(StandardScaler(), Ridge(alpha=penalty)).fit(features, target)
    return lambda x: np.clip(model.predict(x), 0.0, 1.0)


def logistic(features: np.ndarray, target: np.ndarray, penalty: float) -> Scorer:
    model = make_pipeline(StandardScaler(), LogisticRegression(C=1.0 / penalty, max_iter=2000)).fit(features, target)
    return lambda x: model.predict_proba(x)[:, 1]


def best(make: Callable[[np.ndarray, np.ndarray, float], Scorer], x: np.ndarray, manifest: pd.DataFrame) -> Scorer:
    """Return the model of the penalty with the best AUROC on val."""
    y, split = manifest["fractured"].to_numpy(), manifest["split"].to_numpy()
    train, val = split == "train", split == "val"
    fitted = [make(x[train], y[train], float(penalty)) for penalty in np.logspace(-2, 6, 17)]
    return max(fitted, key=lambda score: roc_auc_score(y[val], score(x[val])))


def write_floor(name: str, score: np.ndarray, run: Path, manifest: pd.DataFrame, out: Path) -> Path:
    """Write the floor as a run folder: the network's own table of predictions with other probabilities."""
    folder = out / name / run.name
    chance = pd.Series(score, index=manifest["image_id"])
    for split in ("val", "test"):
        told = predictions.read(run / "predictions" / f"{split}.parquet")
        frame = told.frame.assign(probability=told.frame["image_id"].map(chance).to_numpy())
        about = {**told.run, "name": f"{name} floor", "backbone": name}
        predictions.write(folder / "predictions" / f"{split}.parquet", frame, told.tasks, about, told.split_names)
        if split == "val":
            facts = dataclasses.replace(next(iter(told.tasks.values())))
            freeze(folder / "thresholds.json", {next(iter(told.tasks)): fit(units(frame, facts), facts)})
    source = json.loads((run / "result.json").read_text(encoding="utf-8"))["source"]
    write_json(folder / "result.json", {"source": source, "backbone": name})
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("runs", type=Path, nargs="+")
    asked = parser.parse_args()
    folders: dict[str, list[Path]] = {"pixels": [], "flags": []}
    for run in asked.runs:
        manifest = pd.read_parquet(run / "manifest.parquet")
        pixels = pixels_of(manifest, asked.root, asked.out / "cache")
        flags = manifest[[name for name in FLAGS if manifest[name].nunique() > 1]].to_numpy(dtype=float)
        for name, make, features in (("pixels", ridge, pixels), ("flags", logistic, flags)):
            score = best(make, features, manifest)(features)
            folders[name].append(write_floor(name, score, run, manifest, asked.out))
    for name, written in folders.items():
        table = score_runs(written)
        table.to_csv(asked.out / f"{name}.csv", index=False)
        show(table[table["split"] == "test"], Console())


if __name__ == "__main__":
    main()
