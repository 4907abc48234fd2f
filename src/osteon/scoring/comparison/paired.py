"""The difference of one metric between two sides on the same patients, its interval and its p value.

Whole patients are drawn with replacement, the same ones for both sides and for all trainings of a side, and the
difference is taken in every draw: the interval is the expanded percentile interval, which covers better than the plain
one in small samples. p is of another kind: A and B are exchanged at random within patients (`exchange`), as the
interval turned round errs 6-9 % of the time at an AUROC of 0.98. Where nothing differs p <= 0.05 in 5 % of
simulations, within their error, and less often where few patients differ. Readers who are equal in one score only are
not exchangeable: of another scale 4-6 %, of one kappa at other rates 2-3 %, of ROC curves that cross 6 % and, with 25
to 100 patients of several units, 7-9 % (benchmarks/results/comparison_null.md). Interval and p may disagree at the
margin; a difference is claimed where both allow it.

It covers what other patients would give for these trained models. It does not cover what other trainings would give:
with two to five seeds a side, drawing seeds would show too little of their spread. That is told apart, as the standard
deviation over seeds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from osteon.scoring import bootstrap
from osteon.scoring.boxes import answers_of_boxes
from osteon.scoring.grades import at_cut
from osteon.scoring.intervals import counted
from osteon.scoring.metrics import Metric, estimate
from osteon.scoring.rows import Point
from osteon.scoring.sample import Evaluate, Floats, Sample

METHOD = "paired bootstrap, p by exchange"
# With k patients whose answers differ, exchanging A and B in any of them can give no p below 2^(1-k): below 6 none
# under 0.05, and the draws know next to nothing of the spread.
FEWEST = 6
SAME = "no difference in any draw"
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


def interval(values: Floats, clusters: int, differing: int, level: float = 0.95) -> Judged:
    """Return the interval of a difference, without p.

    The percentiles of the draws at the tails 1 - Phi(sqrt(c / (c - 1)) t), t the quantile of c - 1 degrees of freedom
    for c patients (Hesterberg 2015, Am Stat 69:371, the expanded percentile interval; for many patients Efron's own).
    Fewer than `FEWEST` differing patients have no interval.

    Args:
        values: (replicates,) paired draws of patients (`drawn`), NaN where undefined.
        clusters: patients.
        differing: patients whose answers differ.
        level: how often the interval should hold the truth.
    """
    known = values[np.isfinite(values)]
    if not len(known) or clusters < 2:
        return Judged(notes=("one patient" if len(known) else "undefined in every draw",))
    if np.abs(known).max() <= _LEAST:
        return Judged(notes=(SAME,))
    lost = 1 - len(known) / len(values)
    notes = (f"{lost:.0%} of draws undefined",) if lost > 0.01 else ()
    if differing < FEWEST:
        few = f"answers differ in {differing} of {clusters} patients: too few for an interval"
        return Judged(notes=(*notes, few))
    low, high = np.quantile(known, _tails(clusters, level))
    return Judged(float(low), float(high), notes=notes)


def judge(values: Floats, swapped: Floats, difference: float, clusters: int, differing: int) -> Judged:
    """Return the 95 % interval and p value of a difference.

    p: the share of exchanges whose difference is as large as the one found, (r + 1) / (R + 1) so that it is never 0
    (Phipson and Smyth 2010, Stat Appl Genet Mol Biol 9:39); at least 2^(1 - differing), the least that exchanging A and
    B could give; 1 where no draw differs.

    Args:
        values: as of `interval`.
        swapped: (replicates,) differences of exchanged sides (`exchange.exchanged`), NaN where undefined.
        difference: B minus A as it was found.
        clusters: patients.
        differing: patients whose answers differ.
    """
    found = interval(values, clusters, differing)
    if SAME in found.notes:
        return replace(found, p=1.0)
    if clusters < 2 or not np.isfinite(values).any():
        return found
    return replace(found, p=max(_p(swapped[np.isfinite(swapped)], difference), min(2.0 ** (1 - differing), 1.0)))


def _tails(clusters: int, level: float) -> tuple[float, float]:
    from scipy.special import ndtr, stdtrit

    tail = float(ndtr(-np.sqrt(clusters / (clusters - 1)) * stdtrit(clusters - 1, (1 + level) / 2)))
    return tail, 1 - tail


def _p(swapped: Floats, difference: float) -> float:
    # A sum in another order is as large.
    reached = np.abs(swapped) >= abs(difference) * (1 - 1e-9) - _LEAST
    return float((reached.sum() + 1) / (len(swapped) + 1))


def drawn(contrasts: Sequence[Contrast], replicates: int, seed: int) -> Floats:
    """Return (contrasts, replicates) differences under the same draws of patients for all."""
    first = contrasts[0].first
    prepared = [contrast.prepare() for contrast in contrasts]
    width = max(len(first.target), int(first.boxes.true.sum()))
    return bootstrap.replicate(prepared, first.clusters, replicates, seed, width)
