"""A small open set with a label of every kind, all of them to be seen on the image, and configs that ask for them."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from tests.composing import SMALL, container

from osteon.config import Config, checked

PATIENTS = 80
TARGETS = {
    "months": {"meaning": "bone age", "kind": "regression", "unit": "months", "low": 0.0, "high": 240.0},
    "grade": {"meaning": "Kellgren-Lawrence grade", "kind": "ordinal", "classes": ["0", "1", "2", "3", "4"]},
    "make": {"meaning": "make of the implant", "kind": "multiclass", "classes": ["a", "b", "c"]},
    "left": {"meaning": "a bright left edge", "kind": "binary"},
    "top": {"meaning": "a bright upper edge", "kind": "binary"},
    "rare": {"meaning": "a bright corner, in few", "kind": "binary"},
}


def lay(root: Path) -> Path:
    """Write `labels.csv` and images, two a patient; every fifth cell of a label is empty."""
    (root / "images").mkdir(parents=True)
    rng = np.random.default_rng(0)
    rows = []
    for number in range(2 * PATIENTS):
        drawn = rng.random(4)
        row: dict[str, Any] = {
            "path": f"images/{number:03}.png",
            "patient_id": f"p{number // 2:03}",
            "study_id": "1",
            "months": round(float(drawn[0]) * 239.7, 1),
            "grade": str(int(drawn[0] * 5)),
            "make": "abc"[int(drawn[1] * 3)],
            "left": int(drawn[2] < 0.5),
            "top": int(drawn[3] < 0.3),
            "rare": int(number in (3, 30, 60, 61)),
        }
        pixels = rng.normal(30 + 150 * drawn[0], 6, (48, 48))
        pixels[:, :6] += 40 * row["left"]
        pixels[:6] += 40 * row["top"]
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(root / row["path"])
        rows.append({**row, **{name: "" for name in TARGETS if name != "rare" and rng.random() < 0.2}})
    pd.DataFrame(rows).to_csv(root / "labels.csv", index=False)
    return root


def task(target: str | list[str], monitor: str, unit: str = "image", **head: Any) -> dict[str, Any]:
    """Return one task of the set; `head` holds its kind and parameters."""
    dataset = {"kind": "table", "name": "set", "targets": TARGETS, "private": False, "gated": False}
    return {
        "meaning": "x", "dataset": dataset, "target": target, "head": head, "unit": unit, "monitor": monitor,
        "truth": "max" if unit != "image" else "same",
    }  # fmt: skip


def asked(root: Path, cache: Path, tasks: dict[str, dict[str, Any]], *overrides: str) -> Config:
    """Return the config of a run of `tasks` on the set that `lay` wrote."""
    places = (f"data.root={root}", f"data.cache_dir={cache}", "data.image_size=48", "backbone.pretrained=false")
    told = container(*SMALL, *places, "augment=none", "trainer.precision=32-true", *overrides)
    return checked({**told, "tasks": tasks})
