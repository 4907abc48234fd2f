"""The difference of one metric between two sides on the same patients, its interval and its p value.

Whole patients are drawn with replacement, the same ones for both sides and for all trainings of a side, and the
difference is taken in every draw. The interval is the expanded percentile interval, which covers better than the plain
one in small samples; p is that interval turned round. Where A and B are exchanged at random within patients, p <= 0.05
in 4-6 % of simulations with 100 or 200 patients (plain: 5-6.5 %), and seldom where few patients differ; at an AUROC of
0.98 in 6-7 %, of an average precision there in 6-7.5 % (benchmarks/results/comparison_null.md).

It covers what other patients would give for these trained models. It does not cover what other trainings would give:
with two to five seeds a side, drawing seeds would show too little of their spread. That is told apart, as the standard
deviation over seeds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from osteon.scoring import bootstrap
from osteon.scoring.boxes import answers_of_boxes
from osteon.scoring.grades import at_cut
from osteon.scoring.intervals import counted
from osteon.scoring.metrics import Metric, estimate
from osteon.scoring.rows import Point
from osteon.scoring.sample import Evaluate, Floats, Sample

METHOD = "paired bootstrap"
# With k patients whose answers differ, exchanging A and B in any of them can give no p below 2^(1-k): below 6 none
# under 0.05, and the draws know next to nothing of the spread.
FEWEST = 6
# Differences below this are rounding.
_LEAST = 1e-12
# Of grades, what is called counts.
CALLED = ("quadratic_kappa", "class_mae", "class_mse")


@dataclass(frozen=True)
class Contrast:
    """A metric to compare at an operating point (None: it needs none): a sample a training, the same units in all."""

    metric: Metric
    head: str
    a: tuple[Sample, ...]
    b: tuple[Sample, ...]
    point: Point | None = None

    @property
    def first(self) -> Sample:
        """Any of the samples: units, targets and patients are the same in all."""
        return self.a[0]

    def prepare(self) -> Evaluate:
        """Return weights -> mean over B's trainings minus mean over A's, NaN where one of them is undefined."""
        sides = [[self.metric.prepare(sample, self.head) for sample in samples] for samples in (self.a, self.b)]

        def evaluate(weights: Floats) -> Floats:
            a, b = (np.mean([one(weights) for one in prepared], axis=0) for prepared in sides)
            return np.asarray(b - a)

        return evaluate

    def values(self, samples: Sequence[Sample]) -> list[float] | None:
        """Return the metric of each training, None where one of them is undefined."""
        found = [estimate(self.metric, sample, self.head) for sample in samples]
        known = [value for value in found if value is not None]
        return known if len(known) == len(found) else None

    def differing(self) -> int:
        """Return how many patients have a unit that the metric leans on and that A and B answer differently."""
        a, b = (np.mean([answers(self.metric, sample) for sample in samples], axis=0) for samples in (self.a, self.b))
        wrong = np.abs(a - b).reshape(len(a), int(np.prod(a.shape[1:]))).max(1) > _LEAST
        if self.metric.name in ("sensitivity", "specificity") or self.metric.name.startswith("recall_"):
            wrong &= counted(self.metric.name, self.first)
        return len(np.unique(self.first.cluster[wrong]))


@dataclass(frozen=True)
class Judged:
    """What the draws say of a difference: 95 % interval and two-sided p, None where there is none; why, in `notes`."""

    low: float | None = None
    high: float | None = None
    p: float | None = None
    notes: tuple[str, ...] = ()


def answers(metric: Metric, sample: Sample) -> Floats:
    """Return what of the answers the metric looks at, (n,) or (n, k): calls, successes, numbers, scores or boxes."""
    if len(sample.boxes.true):
        return answers_of_boxes(sample)
    if metric.success is not None:
        return metric.success(sample).astype(np.float64)
    if metric.needs_threshold or metric.name in CALLED:
        return np.eye(sample.classes)[sample.call]
    if metric.name == "auroc_at_cut":
        return at_cut(sample).score
    return sample.value if len(sample.value) else sample.score


def judge(values: Floats, clusters: int, differing: int, level: float = 0.95) -> Judged:
    """Return the interval and p value of a difference from its (replicates,) paired draws, NaN where undefined.

    Interval: the percentiles of the draws at the tails 1 - Phi(sqrt(c / (c - 1)) t), t the quantile of c - 1 degrees of
    freedom for c patients (Hesterberg 2015, Am Stat 69:371, the expanded percentile interval; for many patients Efron's
    own). p: twice the smaller share of draws on one side of 0, (r + 1) / (R + 1) so that it is never 0 (Davison and
    Hinkley 1997, Bootstrap Methods, 4.2), a draw of 0 counted on both sides, carried back by the same expansion; at
    least 2^(1 - differing), the least that exchanging A and B could give. Fewer than `FEWEST` differing patients have
    no interval, and draws without any difference p = 1.
    """
    known = values[np.isfinite(values)]
    if not len(known) or clusters < 2:
        return Judged(notes=("one patient" if len(known) else "undefined in every draw",))
    if np.abs(known).max() <= _LEAST:
        return Judged(p=1.0, notes=("no difference in any draw",))
    lost = 1 - len(known) / len(values)
    notes = (f"{lost:.0%} of draws undefined",) if lost > 0.01 else ()
    p = max(_p(known, clusters), 2.0 ** (1 - differing))
    if differing < FEWEST:
        return Judged(
            p=min(p, 1.0),
            notes=(*notes, f"answers differ in {differing} of {clusters} patients: too few for an interval"),
        )
    low, high = np.quantile(known, _tails(clusters, level))
    return Judged(float(low), float(high), min(p, 1.0), notes)


def _tails(clusters: int, level: float) -> tuple[float, float]:
    from scipy.special import ndtr, stdtrit

    tail = float(ndtr(-np.sqrt(clusters / (clusters - 1)) * stdtrit(clusters - 1, (1 + level) / 2)))
    return tail, 1 - tail


def _p(known: Floats, clusters: int) -> float:
    from scipy.special import ndtri, stdtr

    rarer = min((known <= _LEAST).sum(), (known >= -_LEAST).sum())
    share = min(2 * (rarer + 1) / (len(known) + 1), 1.0)
    return float(2 * stdtr(clusters - 1, np.sqrt((clusters - 1) / clusters) * ndtri(share / 2)))


def drawn(contrasts: Sequence[Contrast], replicates: int, seed: int) -> Floats:
    """Return (contrasts, replicates) differences under the same draws of patients for all."""
    first = contrasts[0].first
    prepared = [contrast.prepare() for contrast in contrasts]
    width = max(len(first.target), int(first.boxes.true.sum()))
    return bootstrap.replicate(prepared, first.clusters, replicates, seed, width)
