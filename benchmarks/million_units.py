"""A million images pooled to their studies, then AUROC and kappa, ours against pandas and a library of metrics.

The peers group by `DataFrame.groupby`, which is what they have; all numbers must agree. Ours also checks that the
images of a study share their target, keeps its patient, and makes the columns to score by.

    python benchmarks/million_units.py --out benchmarks/results/million_units.md
"""

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from osteon.predictions import TaskFacts
from osteon.scoring.metrics import METRICS, estimate, sample_of
from osteon.scoring.units import units

FACTS = TaskFacts(unit="study", groups=("body_part",))
Numbers = tuple[float, float]


def draw(images: int, seed: int = 0) -> pd.DataFrame:
    """Return one to three images a study, two studies a patient."""
    rng = np.random.default_rng(seed)
    study = np.repeat(np.arange(images), rng.integers(1, 4, images))[:images]
    target = (rng.random(images) < 0.45).astype(np.float64)[study]
    names = {name: [f"{name}{number:07d}" for number in range(study[-1] + 1)] for name in ("study", "patient")}
    return pd.DataFrame(
        {
            "image_id": [f"image{number:07d}" for number in range(images)],
            "unit_id": pd.Series(names["study"]).take(study).to_numpy(),
            "group_id": pd.Series(names["patient"]).take(study // 2).to_numpy(),
            "source": "real",
            "target": target,
            "probability": np.clip(rng.normal(0.35 + 0.3 * target, 0.2), 0, 1),
            "body_part": np.array(["wrist", "elbow", "hand"])[study % 3],
        }
    )


def ours(frame: pd.DataFrame) -> Numbers:
    sample = sample_of(units(frame, FACTS), FACTS, 0.5)
    area, kappa = (estimate(METRICS[name], sample, "binary") for name in ("auroc", "kappa"))
    assert area is not None
    assert kappa is not None
    return area, kappa


def pooled(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.groupby("unit_id", sort=False).agg({"target": "first", "probability": "mean"})


def scikit_learn(frame: pd.DataFrame) -> Numbers:
    from sklearn.metrics import cohen_kappa_score, roc_auc_score

    table = pooled(frame)
    called = table["probability"] > 0.5
    return float(roc_auc_score(table["target"], table["probability"])), float(
        cohen_kappa_score(table["target"], called)
    )


def torchmetrics(frame: pd.DataFrame) -> Numbers:
    import torch
    from torchmetrics.functional.classification import binary_auroc, binary_cohen_kappa

    table = pooled(frame)
    score = torch.tensor(table["probability"].to_numpy())
    target = torch.tensor(table["target"].to_numpy(np.int64))
    return float(binary_auroc(score, target)), float(binary_cohen_kappa(score, target))


def timed(run: Callable[[pd.DataFrame], Numbers], frame: pd.DataFrame, repeats: int) -> tuple[float, Numbers]:
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        found = run(frame)
        best = min(best, time.perf_counter() - start)
    return best, found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=7, help="the best of so many runs of each counts")
    parser.add_argument("--out", type=Path, help="write the Markdown here too")
    args = parser.parse_args()
    frame = draw(args.images)
    peers = {"osteon": ours, "pandas, scikit-learn": scikit_learn, "pandas, torchmetrics": torchmetrics}
    made = {name: timed(run, frame, args.repeats) for name, run in peers.items()}
    lines = [
        "# A million images: pooled to studies, AUROC and kappa",
        "",
        f"{args.images:,} images, {frame['unit_id'].nunique():,} studies, {frame['group_id'].nunique():,} patients.",
        "",
        f"`python benchmarks/million_units.py {' '.join(sys.argv[1:])}`, {platform.machine()}, a shared machine of "
        f"{os.cpu_count()} cores (load {os.getloadavg()[0]:.1f}), the best of {args.repeats}",
        "",
        "| | seconds | times osteon's | AUROC | kappa |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for name, (seconds, found) in made.items():
        ratio = seconds / made["osteon"][0]
        lines.append(f"| {name} | {seconds:.3f} | {ratio:.1f} | {found[0]:.6f} | {found[1]:.6f} |")
    text = "\n".join([*lines, "", "The promise is 0.5 s."]) + "\n"
    print(text)
    if args.out:
        args.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
