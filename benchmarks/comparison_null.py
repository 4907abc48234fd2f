"""How often a comparison says that two sides differ where they do not, and how often its intervals hold the truth.

Null: two readers of one quality are drawn, then exchanged at random within each patient, so that A and B differ by
chance alone; the share of p <= 0.05 is told of `osteon compare` (A and B exchanged), of the plain percentile interval
of the paired bootstrap turned round, of DeLong's test and of McNemar's exact one, whose p is discrete: it must stay at
5 % or below. Then of readers who are equal in one score only: B's scores on another scale, ROC curves of one area that
cross, calls of one kappa at other rates. There exchanging A and B is no longer exact.
With --intervals instead: B reads better; the share of intervals that hold the difference of a million units.
Patients have 1 to --units units that share half of their variance; the two readers' noise correlates with 0.6.
The tests of DeLong and McNemar are told where a patient has one unit only.

    python benchmarks/comparison_null.py --sims 4000 --out benchmarks/results/comparison_null.md
    python benchmarks/comparison_null.py --intervals --sims 2000 --out benchmarks/results/comparison_intervals.md
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import ndtr

from osteon.scoring.comparison.exchange import exchanged
from osteon.scoring.comparison.one_unit import by_formula
from osteon.scoring.comparison.paired import Contrast, drawn, judge
from osteon.scoring.metrics import metric
from osteon.scoring.sample import Floats, Sample

SHOWN = {
    "binary": ("auroc", "kappa", "accuracy", "sensitivity", "average_precision", "brier"),
    "regression": ("mae", "rmse", "pearson", "within_12"),
}
TRUTH = 1_000_000
Pair = tuple[Sample, Sample]
Draw = Callable[[np.ndarray, np.random.Generator, bool], Pair]


@dataclass(frozen=True)
class Kind:
    """Two readers: how they are drawn under the null and where B is better."""

    name: str
    head: str
    null: Draw
    better: Draw | None = None
    shown: tuple[str, ...] = ()

    @property
    def metrics(self) -> tuple[str, ...]:
        return self.shown or SHOWN[self.head]


def latent(cluster: np.ndarray, rng: np.random.Generator) -> Floats:
    """Return (n,) deviates of variance 1, half of it the patient's."""
    shared = rng.standard_normal(int(cluster.max()) + 1)[cluster]
    return np.asarray((shared + rng.standard_normal(len(cluster))) / np.sqrt(2))


def noises(cluster: np.ndarray, rng: np.random.Generator, exchanged: bool) -> tuple[Floats, Floats]:
    """Return the noise of A and of B, correlated by 0.6; exchanged at random within patients, if asked for."""
    common, own = latent(cluster, rng), [latent(cluster, rng) for _ in range(2)]
    a, b = (np.sqrt(0.6) * common + np.sqrt(0.4) * one for one in own)
    swap = rng.random(int(cluster.max()) + 1)[cluster] < (0.5 if exchanged else 0.0)
    return np.where(swap, b, a), np.where(swap, a, b)


def findings(a: float, b: float) -> Draw:
    def draw(cluster: np.ndarray, rng: np.random.Generator, exchanged: bool) -> Pair:
        target = (latent(cluster, rng) > 0.3).astype(np.intp)
        made = zip((a, b), noises(cluster, rng, exchanged), strict=True)
        scores = [ndtr(shift * (target - 0.5) + noise) for shift, noise in made]
        first, second = (Sample(target, score, (score > 0.5).astype(np.intp), cluster) for score in scores)
        return first, second

    return draw


def ages(a: float, b: float) -> Draw:
    def draw(cluster: np.ndarray, rng: np.random.Generator, exchanged: bool) -> Pair:
        truth, none = 120 + 40 * latent(cluster, rng), np.zeros(len(cluster), np.intp)
        values = [truth + size * noise for size, noise in zip((a, b), noises(cluster, rng, exchanged), strict=True)]
        first, second = (Sample(none, value, none, cluster, 1, truth, value) for value in values)
        return first, second

    return draw


def unlike(bend: Callable[[Floats, np.ndarray], Floats], cuts: tuple[float, float] = (0.5, 0.5)) -> Draw:
    """Return readers of whom B's (n,) noise and targets are bent into other scores; not exchanged."""

    def draw(cluster: np.ndarray, rng: np.random.Generator, exchanged: bool) -> Pair:
        target = (latent(cluster, rng) > 0.3).astype(np.intp)
        a, b = noises(cluster, rng, exchanged=False)
        scores = ndtr(1.5 * (target - 0.5) + a), bend(b, target)
        made = zip(scores, cuts, strict=True)
        first, second = (Sample(target, score, (score > cut).astype(np.intp), cluster) for score, cut in made)
        return first, second

    return draw


def plain(noise: Floats, target: np.ndarray) -> Floats:
    return np.asarray(ndtr(1.5 * (target - 0.5) + noise))


def pale(noise: Floats, target: np.ndarray) -> Floats:
    return np.asarray(plain(noise, target) ** 8 / 20)


def crossing(noise: Floats, target: np.ndarray) -> Floats:
    # Positives spread 2.5 times as much; the area is Phi(mean / sqrt(1 + sd^2)) as A's is Phi(1.5 / sqrt(2)).
    mean = 1.5 / np.sqrt(2) * np.sqrt(1 + 2.5**2)
    return np.asarray(ndtr(np.where(target == 1, mean + 2.5 * noise, noise)))


def cut_of_equal_kappa(mine: float) -> float:
    """Return B's cut, on the other side of the best one, at which its kappa is A's at `mine`."""
    a, b = unlike(plain)(np.arange(TRUTH), np.random.default_rng(2), False)
    kappa = metric("kappa", "binary")

    def at(sample: Sample, cut: float) -> float:
        called = Sample(sample.target, sample.score, (sample.score > cut).astype(np.intp), sample.cluster)
        return float(kappa.prepare(called, "binary")(called.one())[0])

    return float(brentq(lambda cut: at(b, cut) - at(a, mine), 0.6, 0.95))


KINDS = (
    Kind("AUROC 0.86", "binary", findings(1.5, 1.5), findings(1.2, 1.8)),
    Kind("AUROC 0.98", "binary", findings(3.0, 3.0), findings(2.6, 3.2)),
    Kind("errors of 12 months", "regression", ages(12, 12), ages(12, 9.6)),
)
LOW_CUT = 0.3


def unlike_kinds() -> tuple[Kind, ...]:
    rates = unlike(plain, (LOW_CUT, cut_of_equal_kappa(LOW_CUT)))
    return (
        Kind("another scale", "binary", unlike(pale), shown=("auroc", "average_precision")),
        Kind("ROC curves cross", "binary", unlike(crossing), shown=("auroc",)),
        Kind("calls at other rates", "binary", rates, shown=("kappa",)),
    )


def contrasts(pair: Pair, kind: Kind) -> list[Contrast]:
    return [Contrast(metric(name, kind.head), kind.head, (pair[0],), (pair[1],)) for name in kind.metrics]


def truths(draw: Draw, kind: Kind) -> list[float]:
    pair = draw(np.arange(TRUTH), np.random.default_rng(1), False)
    return [float(one.prepare()(pair[0].one())[0]) for one in contrasts(pair, kind)]


def once(made: list[Contrast], replicates: int, seed: int, truth: list[float]) -> Iterator[tuple[str, str, bool]]:
    """Yield (metric, method, whether p <= 0.05 or, with a truth, whether the interval holds it)."""
    values, clusters = drawn(made, replicates, seed), made[0].first.clusters
    swaps = np.full_like(values, np.nan) if truth else exchanged(made, replicates, seed)
    for place, (one, row, swapped) in enumerate(zip(made, values, swaps, strict=True)):
        name, known = one.metric.name, row[np.isfinite(row)]
        a, b = one.values(one.a), one.values(one.b)
        if a is None or b is None:
            continue
        found = judge(row, swapped, b[0] - a[0], clusters, one.differing())
        low, high = np.quantile(known, [0.025, 0.975])
        if truth:
            if found.low is not None and found.high is not None:
                yield name, "osteon", found.low <= truth[place] <= found.high
                yield name, "percentile", bool(low <= truth[place] <= high)
            continue
        yield name, "osteon", found.p is not None and found.p <= 0.05
        yield name, "percentile", bool(low > 0 or high < 0)
        test = by_formula(one)
        if test.p is not None:
            yield name, str(test.name), test.p <= 0.05


def condition(kind: Kind, patients: int, units: int, args: argparse.Namespace) -> pd.DataFrame:
    rng, rows = np.random.default_rng(args.seed), []
    draw = kind.better if args.intervals and kind.better else kind.null
    truth = truths(draw, kind) if args.intervals else []
    for seed in range(args.sims):
        cluster = np.repeat(np.arange(patients), rng.integers(1, units + 1, size=patients))
        pair = draw(cluster, rng, not args.intervals)
        rows += list(once(contrasts(pair, kind), args.replicates, seed, truth))
    frame = pd.DataFrame(rows, columns=["metric", "method", "found"])
    shares = frame.groupby(["metric", "method"], sort=False)["found"].agg(["mean", "size"]).reset_index()
    return shares.assign(kind=kind.name, patients=patients, units=f"1-{units}" if units > 1 else "1")


def conditions(kinds: tuple[Kind, ...], args: argparse.Namespace) -> Iterator[pd.DataFrame]:
    for kind in kinds:
        for patients, units in [size for n in args.patients for size in ((n, 1), (n // 2, args.units))]:
            found = condition(kind, patients, units, args)
            print(found.to_string(), file=sys.stderr, flush=True)
            yield found


def table(parts: list[pd.DataFrame], methods: list[str]) -> list[str]:
    lines = ["| data | patients | units each | metric | " + " | ".join(methods) + " |"]
    lines += ["| --- | ---: | ---: | --- | " + " | ".join("---:" for _ in methods) + " |"]
    for part in parts:
        for name, rows in part.groupby("metric", sort=False):
            shares = dict(zip(rows["method"], rows["mean"], strict=True))
            cells = " | ".join(f"{shares[one]:.1%}" if one in shares else "" for one in methods)
            first = rows.iloc[0]
            lines.append(f"| {first['kind']} | {first['patients']} | {first['units']} | {name} | {cells} |")
    return lines


def of_p(args: argparse.Namespace) -> Iterator[str]:
    methods, many = ["osteon", "percentile", "DeLong", "McNemar"], 1.96 * np.sqrt(0.0475 / args.sims)
    yield f"{args.sims} simulations a row, {args.replicates} replicates: 95 % of exact tests lie between"
    yield f"{0.05 - many:.1%} and {0.05 + many:.1%}. Share of p <= 0.05 where A and B are exchanged at random."
    yield from ("", *table(list(conditions(KINDS, args)), methods))
    yield from ("", "## Readers who are unlike, but equal in the score that is compared", "")
    yield from table(list(conditions(unlike_kinds(), args)), methods)


def of_intervals(args: argparse.Namespace) -> Iterator[str]:
    yield "Share of 95 % intervals that hold the true difference, B being better, of the samples in which six or more "
    yield f"patients differ; the others are given no interval. {args.sims} simulations, {args.replicates} replicates."
    yield from ("", *table(list(conditions(KINDS, args)), ["osteon", "percentile"]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sims", type=int, default=1000)
    parser.add_argument("--replicates", type=int, default=1000)
    parser.add_argument("--patients", type=int, nargs="+", default=[200, 50])
    parser.add_argument("--units", type=int, default=3, help="a patient has 1 to this many; half as many patients then")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--intervals", action="store_true", help="of intervals, not of p")
    parser.add_argument("--out", type=Path, help="write the Markdown here too")
    args = parser.parse_args()
    title = "# Intervals of a difference" if args.intervals else "# Comparisons where nothing differs"
    command = f"python benchmarks/comparison_null.py {' '.join(sys.argv[1:])}".strip()
    lines = [title, "", f"`{command}`", "", *(of_intervals(args) if args.intervals else of_p(args))]
    text = "\n".join(lines) + "\n"
    print(text)
    if args.out:
        args.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
