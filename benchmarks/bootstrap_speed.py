"""1000 patient-bootstrap replicates of AUROC and kappa, ours against scikit-learn and torchmetrics, in the same run.

Sizes are those of MURA's public valid set: 1,199 studies of 783 patients. All resample whole patients; the peers are
called once a replicate. (torchmetrics' own BootStrapper resamples studies, not patients, and calls as often.)

    python benchmarks/bootstrap_speed.py --out benchmarks/results/bootstrap_speed.md
"""

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from sklearn.metrics import cohen_kappa_score, roc_auc_score

from osteon.scoring import bootstrap
from osteon.scoring.metrics import METRICS
from osteon.scoring.sample import Sample


def draw(n: int, patients: int, rng: np.random.Generator) -> Sample:
    cluster = np.sort(np.concatenate([np.arange(patients), rng.integers(0, patients, n - patients)]))
    target = (rng.random(n) < 0.45).astype(np.intp)
    score = np.round(np.clip(rng.normal(0.35 + 0.3 * target, 0.2), 0, 1), 3)
    return Sample(target, score, (score > 0.5).astype(np.intp), cluster)


def ours(sample: Sample, replicates: int, seed: int) -> np.ndarray:
    prepared = [METRICS[name].prepare(sample, "binary") for name in ("auroc", "kappa")]
    return bootstrap.replicate(prepared, sample.clusters, replicates, seed, len(sample.target))


Scores = Callable[[Sample, np.ndarray], tuple[float, float]]


def scikit_learn(sample: Sample, rows: np.ndarray) -> tuple[float, float]:
    area = roc_auc_score(sample.target[rows], sample.score[rows])
    return float(area), float(cohen_kappa_score(sample.target[rows], sample.call[rows]))


def torchmetrics(sample: Sample, rows: np.ndarray) -> tuple[float, float]:
    import torch
    from torchmetrics.functional.classification import binary_auroc, binary_cohen_kappa

    score, target = torch.from_numpy(sample.score[rows]), torch.from_numpy(sample.target[rows])
    return float(binary_auroc(score, target)), float(binary_cohen_kappa(score, target))


def loop(scores: Scores, sample: Sample, replicates: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    members = np.split(np.arange(len(sample.cluster)), np.flatnonzero(np.diff(sample.cluster)) + 1)
    found = np.empty((2, replicates))
    for index in range(replicates):
        rows = np.concatenate([members[k] for k in rng.integers(0, sample.clusters, sample.clusters)])
        found[:, index] = scores(sample, rows)
    return found


def timed(run: Callable[[], np.ndarray], repeats: int) -> tuple[float, np.ndarray]:
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        found = run()
        best = min(best, time.perf_counter() - start)
    return best, found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=1199, help="studies")
    parser.add_argument("--patients", type=int, default=783)
    parser.add_argument("--replicates", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=5, help="the best of so many runs of ours counts")
    parser.add_argument("--out", type=Path, help="write the Markdown here too")
    args = parser.parse_args()
    sample = draw(args.n, args.patients, np.random.default_rng(0))
    scikit_learn(sample, np.arange(args.n))
    torchmetrics(sample, np.arange(args.n))
    made = {"osteon": timed(lambda: ours(sample, args.replicates, 0), args.repeats)}
    for name, scores in (("scikit-learn", scikit_learn), ("torchmetrics", torchmetrics)):
        made[name] = timed(lambda scores=scores: loop(scores, sample, args.replicates, 0), 1)  # type: ignore[misc]
    lines = [
        f"# {args.replicates} patient-bootstrap replicates of AUROC and kappa",
        "",
        f"{args.n:,} studies of {args.patients} patients.",
        "",
        f"`python benchmarks/bootstrap_speed.py {' '.join(sys.argv[1:])}`, {platform.machine()}, one core of a shared "
        f"machine (load {os.getloadavg()[0]:.1f}), ours the best of {args.repeats}, the peers once",
        "",
        "| | seconds | times osteon's | AUROC 95 % | kappa 95 % |",
        "| --- | ---: | ---: | --- | --- |",
    ]
    fast = made["osteon"][0]
    for name, (seconds, values) in made.items():
        spans = [" to ".join(f"{bound:.3f}" for bound in bootstrap.percentile(row)) for row in values]
        lines.append(f"| {name} | {seconds:.3f} | {seconds / fast:.0f} | {spans[0]} | {spans[1]} |")
    text = "\n".join([*lines, "", "The promise is 0.15 s."]) + "\n"
    print(text)
    if args.out:
        args.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
