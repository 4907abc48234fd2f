"""How often the 95 % intervals of scores of boxes hold the truth, by simulation.

Patients have 1 to --images images that share half of the variance of how hard their lesions are and how busy their
background is. Lesions come at --lesions an image in three classes (60, 30 and 10 % of them); nine in ten get a box,
whose overlap and score fall with the lesion's difficulty; false boxes come at two an image. The truth of each score is
that of 200,000 images. "percentile" is the bootstrap's; "corrected" its quantiles moved for bias (Efron 1982);
"jackknife" leaves out one patient at a time, on the logit scale; "osteon" is what the score table prints.

    python benchmarks/box_coverage.py --sims 400 --out benchmarks/results/box_coverage.md
"""

import argparse
import itertools

import numpy as np
import pandas as pd
from coverage import SIDES, report, setting, simulate, summary
from scipy.special import expit, logit, ndtr, ndtri, stdtrit

from osteon.scoring import bootstrap
from osteon.scoring.intervals import interval
from osteon.scoring.matching import FALSE, HIT, LEVELS, MATCH, Boxes
from osteon.scoring.metrics import estimate, metric
from osteon.scoring.sample import Evaluate, Floats, Sample

SHOWN = ("ap50_common", "ap50_rare", "map50", "map50_95", "froc", "froc_0.5", "lesion_sensitivity", "fp_per_image")
CLASSES = {"common": 0.6, "other": 0.3, "rare": 0.1}
TRUTH = 200_000


def draw(n: int, most: int, lesions: float, rng: np.random.Generator) -> Sample:
    cluster = np.repeat(np.arange(n), rng.integers(1, most + 1, size=n))[:n]
    patient = rng.standard_normal((2, int(cluster.max()) + 1))
    hard, busy = (patient[:, cluster] + rng.standard_normal((2, n))) / np.sqrt(2)
    of = np.repeat(np.arange(n), rng.poisson(lesions, n))
    label = rng.choice(len(CLASSES), len(of), p=list(CLASSES.values()))
    true = np.bincount(of * len(CLASSES) + label, minlength=n * len(CLASSES)).reshape(n, -1).astype(np.float64)
    seen = rng.random(len(of)) < 0.9
    ease = 1 - hard[of[seen]] + rng.standard_normal(seen.sum())
    away = np.repeat(np.arange(n), rng.poisson(2 * np.exp(busy / 2 - 1 / 8)))
    found = np.zeros(len(ease) + len(away), MATCH)
    found["label"] = np.concatenate([label[seen], rng.choice(len(CLASSES), len(away), p=list(CLASSES.values()))])
    score = np.concatenate([ease, busy[away] - 1 + rng.standard_normal(len(away))])
    overlap = np.concatenate([expit(ease / 2 + 1 + rng.standard_normal(len(ease)) / 2), np.zeros(len(away))])
    found["score"], found["counted"], found["right"] = expit(score), True, overlap[:, None] >= LEVELS
    found["hit"] = np.where(overlap >= LEVELS[0], HIT, FALSE)
    image, order = np.concatenate([of[seen], away]), np.argsort(-score, kind="stable")
    boxes = Boxes(found[order], image[order], found["score"][order] > 0.5, true, tuple(CLASSES), "iou_0.5")
    none = np.zeros(n, np.intp)
    return Sample(none, np.zeros(n), none, cluster, len(CLASSES), boxes=boxes)


def corrected(values: Floats, value: float) -> tuple[float, float]:
    values = values[np.isfinite(values)]
    shift = ndtri(np.clip((values < value).mean() + (values == value).mean() / 2, 1e-3, 1 - 1e-3))
    low, high = np.quantile(values, ndtr(2 * shift + ndtri([0.025, 0.975])))
    return float(low), float(high)


def left_out(made: Evaluate, value: float, clusters: int) -> tuple[float, float]:
    if not 0 < value < 1:
        return value, value
    parts = made(1 - np.eye(clusters))
    parts = parts[np.isfinite(parts)]
    error = np.sqrt((clusters - 1) / clusters * ((parts - parts.mean()) ** 2).sum())
    half = stdtrit(clusters - 1, 0.975) * error / (value * (1 - value))
    low, high = expit([logit(value) - half, logit(value) + half])
    return float(low), float(high)


def once(sample: Sample, replicates: int, seed: int) -> dict[tuple[str, str], tuple[float, float, float]]:
    prepared = {name: metric(name, "detection").prepare(sample, "detection") for name in SHOWN}
    drawn = bootstrap.replicate(list(prepared.values()), sample.clusters, replicates, seed, len(sample.target))
    found = {}
    for (name, made), values in zip(prepared.items(), drawn, strict=True):
        value = estimate(metric(name, "detection"), sample, "detection")
        if value is None:
            continue
        ours = interval(metric(name, "detection"), sample, value, values, "detection")
        found[name, "percentile"] = (value, *bootstrap.percentile(values))
        if metric(name, "detection").ranks:
            found[name, "corrected"] = (value, *corrected(values, value))
            found[name, "jackknife"] = (value, *left_out(made, value, sample.clusters))
        found[name, "osteon"] = (
            value,
            value if ours.low is None else ours.low,
            value if ours.high is None else ours.high,
        )
    return found


def condition(n: int, lesions: float, args: argparse.Namespace) -> pd.DataFrame:
    rng = np.random.default_rng(args.seed)
    whole = draw(TRUTH, 1, lesions, np.random.default_rng(1))
    truth = {name: estimate(metric(name, "detection"), whole, "detection") for name in SHOWN}
    rows, counts = [], []
    for seed in range(args.sims):
        sample = draw(n, args.images, lesions, rng)
        counts.append((sample.clusters, *sample.boxes.true.sum(0)))
        for (name, method), bounds in once(sample, args.replicates, seed).items():
            rows.append((name, method, truth[name], *bounds))
    patients, *boxes = np.median(counts, axis=0).astype(int)
    return summary(rows).assign(n=n, patients=patients, boxes=f"{sum(boxes)} ({boxes[-1]} rare)")


def told(result: pd.DataFrame, args: argparse.Namespace) -> str:
    said = [setting(args, "images"), f"{SIDES}; mean is of the point estimates."]
    columns = {
        "images": "{row.n}",
        "patients": "{row.patients}",
        "boxes": "{row.boxes}",
        "truth": "{row.truth:.3f}",
        "mean": "{row.mean:.3f}",
    }
    return report("Coverage of the 95 % intervals of scores of boxes", said, result, ["metric"], columns)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, nargs="+", default=[100, 400], help="images")
    parser.add_argument("--lesions", type=float, nargs="+", default=[0.7], help="an image")
    parser.add_argument("--sims", type=int, default=400)
    parser.add_argument("--replicates", type=int, default=300)
    parser.add_argument("--images", type=int, default=3, help="a patient has 1 to this many")
    simulate(
        parser,
        lambda args: (condition(n, lesions, args) for lesions, n in itertools.product(args.lesions, args.n)),
        told,
    )


if __name__ == "__main__":
    main()
