"""How often the 95 % intervals hold the truth, by simulation: kappa first, sensitivity and AUROC beside it.

Patients have 1 to --studies studies. Truth and score are latent normals that share a patient's effect (--correlation of
two studies of one patient); score = truth * shift + noise, called positive above shift / 2, so that sensitivity =
specificity = Phi(shift / 2), AUROC = Phi(shift / sqrt 2), and the shift is solved for the kappa asked for. "osteon" is
what the score table prints; the percentile bootstrap and BCa are its rivals.

    python benchmarks/kappa_coverage.py --sims 4000 --out benchmarks/results/kappa_coverage.md
"""

import argparse
import itertools
import sys
from pathlib import Path

import numpy as np
import pandas as pd
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


def once(sample: Sample, args: argparse.Namespace, seed: int) -> dict[tuple[str, str], tuple[float, float]]:
    prepared = [METRICS[name].prepare(sample, "binary") for name in SHOWN]
    drawn = bootstrap.replicate(prepared, sample.clusters, args.replicates, seed, len(sample.target))
    found = {}
    for name, values in zip(SHOWN, drawn, strict=True):
        value = estimate(METRICS[name], sample, "binary")
        if value is None:
            continue
        ours = interval(METRICS[name], sample, value, values)
        found[name, "percentile"] = bootstrap.percentile(values)
        if name == "kappa":
            found[name, "BCa"] = bca(sample, value, values)
        found[name, "osteon"] = (-1.0, 1.0) if ours.low is None else (ours.low, ours.high)
    return found


def condition(n: int, asked: float, prevalence: float, args: argparse.Namespace) -> pd.DataFrame:
    shift = brentq(lambda value: true_kappa(value, prevalence) - asked, 0.1, 12)
    truth = {"kappa": asked, "sensitivity": ndtr(shift / 2), "auroc": ndtr(shift / np.sqrt(2))}
    rng = np.random.default_rng(args.seed)
    rows, patients = [], []
    for seed in range(args.sims):
        sample = draw(n, shift, args, prevalence, rng)
        patients.append(sample.clusters)
        for (name, method), (low, high) in once(sample, args, seed).items():
            rows.append((name, method, truth[name], low, high))
    frame = pd.DataFrame(rows, columns=["metric", "method", "truth", "low", "high"])
    frame["below"], frame["above"] = frame["truth"] < frame["low"], frame["truth"] > frame["high"]
    frame["width"] = frame["high"] - frame["low"]
    result = frame.groupby(["metric", "method"], sort=False).agg(
        truth=("truth", "first"), below=("below", "mean"), above=("above", "mean"), width=("width", "median")
    )
    result.insert(0, "patients", int(np.median(patients)))
    return result.reset_index().assign(n=n, prevalence=prevalence)


def report(result: pd.DataFrame, command: str, args: argparse.Namespace) -> str:
    lines = ["# Coverage of the 95 % intervals", "", f"`{command}`", ""]
    lines += [
        f"{args.sims} simulations a row (standard error of a coverage of 95 %: {np.sqrt(0.0475 / args.sims):.2%}), "
        f"{args.replicates} replicates, 1-{args.studies} studies a patient, correlation {args.correlation} within one.",
        "truth < interval and truth > interval are the shares missed on either side. Samples in which the metric is "
        "undefined are left out.",
    ]
    for name in SHOWN:
        lines += ["", f"## {name}", ""]
        lines += ["| n | patients | prevalence | truth | method | coverage | truth < | truth > | median width |"]
        lines += ["| ---: | ---: | ---: | ---: | --- | ---: | ---: | ---: | ---: |"]
        for row in result[result["metric"] == name].itertuples():
            lines.append(
                f"| {row.n} | {row.patients} | {row.prevalence:.2f} | {row.truth:.3f} | {row.method} | "
                f"{1 - row.below - row.above:.1%} | {row.below:.1%} | {row.above:.1%} | {row.width:.3f} |"
            )
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, nargs="+", default=[1199, 207, 100, 50], help="studies")
    parser.add_argument("--kappa", type=float, nargs="+", default=[0.7, 0.85], help="true kappa")
    parser.add_argument("--prevalence", type=float, nargs="+", default=[0.45, 0.2])
    parser.add_argument("--sims", type=int, default=4000)
    parser.add_argument("--replicates", type=int, default=1000)
    parser.add_argument("--studies", type=int, default=4, help="a patient has 1 to this many")
    parser.add_argument("--correlation", type=float, default=0.5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="write the Markdown here too")
    args = parser.parse_args()
    parts = []
    for prevalence, asked, n in itertools.product(args.prevalence, args.kappa, args.n):
        parts.append(condition(n, asked, prevalence, args))
        print(parts[-1].to_string(), file=sys.stderr, flush=True)
    text = report(pd.concat(parts), f"python benchmarks/kappa_coverage.py {' '.join(sys.argv[1:])}".strip(), args)
    print(text)
    if args.out:
        args.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
