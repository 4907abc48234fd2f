"""How often the 95 % intervals of errors, limits of agreement and graded agreement hold the truth, by simulation.

Patients have 1 to --units units that share half of their variance. Numbers: a true age in months and an error that is
normal, or has tails (Student's t with 5 degrees of freedom). Grades: five, as common as in knee radiographs (40, 17,
26, 14, 3 %), cut from a latent severity; the call is cut from a noisy copy of it, whose noise is told by --noise.
Findings: four, of 40, 20, 30 and 50 % of the units, whose scores share half of their variance with each other. The
truth of each score is that of a million units. "osteon" is what the score table prints; the percentile bootstrap and
the jackknife without a scale of its own ("plain") are its rivals.

    python benchmarks/interval_coverage.py --sims 1000 --out benchmarks/results/interval_coverage.md
"""

import argparse
import itertools
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from coverage import SIDES, report, setting, simulate, summary
from scipy.special import ndtri

from osteon.scoring import bootstrap, jackknife
from osteon.scoring.intervals import interval
from osteon.scoring.metrics import METRICS, estimate
from osteon.scoring.sample import Floats, Moments, Sample

SHOWN = {
    "regression": ("mae", "rmse", "bias", "loa_low", "loa_high", "within_12", "pearson", "r2"),
    "ordinal": ("quadratic_kappa", "off_by_one", "mae", "class_mae", "accuracy", "balanced_accuracy", "auroc_at_cut"),
    "multilabel": ("macro_auroc", "macro_average_precision"),
}
PREVALENCES = (0.4, 0.2, 0.3, 0.5)
CUTS = ndtri(np.cumsum([0.40, 0.17, 0.26, 0.14]))
TRUTH = 1_000_000
Draw = Callable[[int, int, np.random.Generator], Sample]


def latent(cluster: np.ndarray, tails: bool, rng: np.random.Generator) -> Floats:
    """Return (n,) deviates of variance 1, half of it the patient's."""
    found = (rng.standard_normal(int(cluster.max()) + 1)[cluster] + rng.standard_normal(len(cluster))) / np.sqrt(2)
    if tails:
        found *= np.sqrt(3 / rng.chisquare(5, int(cluster.max()) + 1))[cluster]
    return np.asarray(found)


def patients(n: int, most: int, rng: np.random.Generator) -> np.ndarray:
    return np.repeat(np.arange(n), rng.integers(1, most + 1, size=n))[:n]


def ages(tails: bool) -> Draw:
    def draw(n: int, most: int, rng: np.random.Generator) -> Sample:
        cluster = patients(n, most, rng)
        truth = 120 + 40 * latent(cluster, False, rng)
        value = truth + 2 + 14 * latent(cluster, tails, rng)
        none = np.zeros(n, np.intp)
        return Sample(none, value, none, cluster, 1, truth, value)

    return draw


def graded(noise: float) -> Draw:
    def draw(n: int, most: int, rng: np.random.Generator) -> Sample:
        cluster = patients(n, most, rng)
        severity = latent(cluster, False, rng)
        seen = (severity + noise * latent(cluster, False, rng)) / np.hypot(1, noise)
        target, call = np.searchsorted(CUTS, severity), np.searchsorted(CUTS, seen)
        # The expected grade: the called one, and how far into it.
        value = np.interp(seen, [-2, *CUTS, 2.5], [0, 0.5, 1.5, 2.5, 3.5, 4])
        score = np.exp(-2 * (value[:, None] - np.arange(5)) ** 2)
        score /= score.sum(1, keepdims=True)
        return Sample(target, score, call, cluster, 5, target * 1.0, value, cut=2)

    return draw


def findings(shift: float) -> Draw:
    def draw(n: int, most: int, rng: np.random.Generator) -> Sample:
        cluster = patients(n, most, rng)
        shared, parts = latent(cluster, False, rng), []
        for prevalence in PREVALENCES:
            target = latent(cluster, False, rng) < ndtri(prevalence)
            parts.append((target, (shared + latent(cluster, False, rng)) / np.sqrt(2) + shift * target))
        target, score = (np.concatenate(part) for part in zip(*parts, strict=True))
        label, count = np.repeat(np.arange(len(PREVALENCES)), n), len(PREVALENCES)
        called = (score > shift / 2).astype(np.intp)
        return Sample(target.astype(np.intp), score, called, np.tile(cluster, count), label=label)

    return draw


def once(sample: Sample, head: str, replicates: int, seed: int) -> dict[tuple[str, str], tuple[float, float, float]]:
    prepared = [METRICS[name].prepare(sample, head) for name in SHOWN[head]]
    drawn = bootstrap.replicate(prepared, sample.clusters, replicates, seed, len(sample.target))
    found = {}
    for name, made, values in zip(SHOWN[head], prepared, drawn, strict=True):
        value = estimate(METRICS[name], sample, head)
        if value is None:
            continue
        ours = interval(METRICS[name], sample, value, values, head)
        found[name, "percentile"] = (value, *bootstrap.percentile(values))
        if METRICS[name].scale not in ("", "plain") and isinstance(made, Moments):
            low, high, _ = jackknife.interval(made, value, "plain")
            found[name, "plain"] = (value, value, value) if low is None or high is None else (value, low, high)
        bounds = (value, value) if ours.low is None or ours.high is None else (ours.low, ours.high)
        found[name, "osteon"] = (value, *bounds)
    return found


def condition(n: int, kind: str, head: str, draw: Draw, args: argparse.Namespace) -> pd.DataFrame:
    rng = np.random.default_rng(args.seed)
    whole = draw(TRUTH, 1, np.random.default_rng(1))
    truth = {name: estimate(METRICS[name], whole, head) for name in SHOWN[head]}
    rows, counts = [], []
    for seed in range(args.sims):
        sample = draw(n, args.units, rng)
        counts.append(sample.clusters)
        for (name, method), bounds in once(sample, head, args.replicates, seed).items():
            rows.append((name, method, truth[name], *bounds))
    return summary(rows).assign(n=n, patients=int(np.median(counts)), kind=kind, head=head)


def told(result: pd.DataFrame, args: argparse.Namespace) -> str:
    columns = {"data": "{row.kind}", "n": "{row.n}", "patients": "{row.patients}", "truth": "{row.truth:.3f}"}
    said = [setting(args, "units"), f"{SIDES}."]
    return report("Coverage of the 95 % intervals of numbers and grades", said, result, ["head", "metric"], columns)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, nargs="+", default=[200, 50], help="units")
    parser.add_argument("--noise", type=float, nargs="+", default=[0.5, 0.25], help="of the graded call")
    parser.add_argument("--shift", type=float, nargs="+", default=[1.2, 2.1], help="of the score of a finding")
    parser.add_argument("--sims", type=int, default=1000)
    parser.add_argument("--replicates", type=int, default=500)
    parser.add_argument("--units", type=int, default=4, help="a patient has 1 to this many")
    simulate(parser, conditions, told)


def conditions(args: argparse.Namespace) -> Iterator[pd.DataFrame]:
    kinds = [("normal", "regression", ages(False)), ("tails", "regression", ages(True))]
    kinds += [(f"noise {noise:g}", "ordinal", graded(noise)) for noise in args.noise]
    kinds += [(f"shift {shift:g}", "multilabel", findings(shift)) for shift in args.shift]
    for (kind, head, draw), n in itertools.product(kinds, args.n):
        yield condition(n, kind, head, draw, args)


if __name__ == "__main__":
    main()
