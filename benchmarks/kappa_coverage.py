"""How often the 95 % intervals hold the truth, by simulation: kappa first, sensitivity and AUROC beside it.

Patients have 1 to --studies studies. Truth and score are latent normals that share a patient's effect (--correlation of
two studies of one patient); score = truth * shift + noise, called positive above shift / 2, so that sensitivity =
specificity = Phi(shift / 2), AUROC = Phi(shift / sqrt 2), and the shift is solved for the kappa asked for. "osteon" is
what the score table prints; the percentile bootstrap and BCa are its rivals.

    python benchmarks/kappa_coverage.py --sims 4000 --out benchmarks/results/kappa_coverage.md
"""

import argparse
import itertools

import numpy as np
import pandas as pd
from coverage import SIDES, report, setting, simulate, summary
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from osteon.scoring import bootstrap
from osteon.scoring.counts import cells, kappa
from osteon.scoring.intervals import interval
from osteon.scoring.metrics import METRICS, estimate
from osteon.scoring.sample import Floats, Sample

SHOWN = ("kappa", "sensitivity", "auroc")


def true_kappa(shift: float, prevalence: float) -> float:
    right = ndtr(shift / 2)
    sick, well = prevalence, 1 - prevalence
    shares = (sick * right, well * (1 - right), sick * (1 - right), well * right)
    return float(kappa(*(np.array([share]) for share in shares))[0])


def draw(n: int, shift: float, args: argparse.Namespace, prevalence: float, rng: np.random.Generator) -> Sample:
    sizes = rng.integers(1, args.studies + 1, size=n)
    cluster = np.repeat(np.arange(n), sizes)[:n]
    shared, own = np.sqrt(args.correlation), np.sqrt(1 - args.correlation)

    def latent() -> Floats:
        return shared * rng.standard_normal(n)[cluster] + own * rng.standard_normal(n)

    target = (latent() < ndtri(prevalence)).astype(np.intp)
    score = latent() + shift * target
    return Sample(target, score, (score > shift / 2).astype(np.intp), cluster)


def bca(sample: Sample, value: float, values: Floats) -> tuple[float, float]:
    """Bias-corrected and accelerated interval of kappa, jackknife over patients (Efron 1987)."""
    table = cells(sample)
    tn, fp, fn, tp = (table.sum(0) - table).T
    without = kappa(tp, fp, fn, tn)
    away = without.mean() - without
    scale = (away**2).sum() ** 1.5
    bend = (away**3).sum() / (6 * scale) if scale else 0.0
    share = ((values < value).mean() + (values <= value).mean()) / 2
    bias = ndtri(np.clip(share, 1 / len(values), 1 - 1 / len(values)))
    z = bias + ndtri([0.025, 0.975])
    low, high = np.quantile(values, ndtr(bias + z / (1 - bend * z)))
    return float(low), float(high)


def once(sample: Sample, args: argparse.Namespace, seed: int) -> dict[tuple[str, str], tuple[float, float, float]]:
    prepared = [METRICS[name].prepare(sample, "binary") for name in SHOWN]
    drawn = bootstrap.replicate(prepared, sample.clusters, args.replicates, seed, len(sample.target))
    found = {}
    for name, values in zip(SHOWN, drawn, strict=True):
        value = estimate(METRICS[name], sample, "binary")
        if value is None:
            continue
        ours = interval(METRICS[name], sample, value, values)
        found[name, "percentile"] = (value, *bootstrap.percentile(values))
        if name == "kappa":
            found[name, "BCa"] = (value, *bca(sample, value, values))
        found[name, "osteon"] = (value, -1.0, 1.0) if ours.low is None else (value, ours.low, ours.high)
    return found


def condition(n: int, asked: float, prevalence: float, args: argparse.Namespace) -> pd.DataFrame:
    shift = brentq(lambda value: true_kappa(value, prevalence) - asked, 0.1, 12)
    truth = {"kappa": asked, "sensitivity": ndtr(shift / 2), "auroc": ndtr(shift / np.sqrt(2))}
    rng = np.random.default_rng(args.seed)
    rows, patients = [], []
    for seed in range(args.sims):
        sample = draw(n, shift, args, prevalence, rng)
        patients.append(sample.clusters)
        for (name, method), bounds in once(sample, args, seed).items():
            rows.append((name, method, truth[name], *bounds))
    return summary(rows).assign(patients=int(np.median(patients)), n=n, prevalence=prevalence)


def told(result: pd.DataFrame, args: argparse.Namespace) -> str:
    said = [
        setting(args, "studies", args.correlation, 2),
        f"{SIDES}. Samples in which the metric is undefined are left out.",
    ]
    columns = {
        "n": "{row.n}",
        "patients": "{row.patients}",
        "prevalence": "{row.prevalence:.2f}",
        "truth": "{row.truth:.3f}",
    }
    return report("Coverage of the 95 % intervals", said, result, ["metric"], columns)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, nargs="+", default=[1199, 207, 100, 50], help="studies")
    parser.add_argument("--kappa", type=float, nargs="+", default=[0.7, 0.85], help="true kappa")
    parser.add_argument("--prevalence", type=float, nargs="+", default=[0.45, 0.2])
    parser.add_argument("--sims", type=int, default=4000)
    parser.add_argument("--replicates", type=int, default=1000)
    parser.add_argument("--studies", type=int, default=4, help="a patient has 1 to this many")
    parser.add_argument("--correlation", type=float, default=0.5)
    simulate(
        parser,
        lambda args: (
            condition(n, asked, prevalence, args)
            for prevalence, asked, n in itertools.product(args.prevalence, args.kappa, args.n)
        ),
        told,
    )


if __name__ == "__main__":
    main()
