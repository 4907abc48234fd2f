"""The interval of each metric. All of them take the patient as the unit that was sampled.

The percentile bootstrap is short in small samples: with 1-4 units a patient and a nominal 95 % it covers kappa 91-93 %
of the time at 100 units and 87-91 % at 50, a sensitivity of 0.85 91 % and 88 %, an AUROC of 0.93 90 % and 86 %, and
less the nearer the value is to 1 (benchmarks/results/kappa_coverage.md). Where a formula that knows clusters does
better it is used; it equals Wilson's and DeLong's own where every patient has one unit. The bootstrap serves every
other metric.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osteon.scoring import agreement, bootstrap, delong
from osteon.scoring.metrics import PROPORTIONS, Metric
from osteon.scoring.proportions import clustered, wilson
from osteon.scoring.sample import Floats, Sample

# Below these the simulated coverage leaves 93-97 %: patients, and units of the rarer class (more of them are needed for
# a bootstrap and for the AUROC, which covers 91-94 % with 20-45 positives where it is 0.96 or more).
FEW_PATIENTS = 20
FEW_UNITS = 10
FEW_RANKED = 50


@dataclass(frozen=True)
class Interval:
    """A 95 % interval with the name of its method; without bounds where there is none that could be stood for."""

    low: float | None = None
    high: float | None = None
    method: str = "none"
    note: str = ""


def interval(item: Metric, sample: Sample, value: float | None, replicates: Floats) -> Interval:
    """Choose and compute the 95 % interval of one metric.

    Proportions: Wilson (`proportions.clustered`). AUROC: DeLong (`delong.interval`). Kappa: `agreement.interval`. ECE:
    none, as its bias in small samples exceeds its spread. All others: the percentile of the clustered bootstrap.

    Args:
        item: the metric.
        sample: the labelled units.
        value: the point estimate, None where undefined.
        replicates: (replicates,) bootstrap values, NaN where undefined.
    """
    if value is None:
        return Interval()
    if item.name == "ece":
        return Interval(note="biased upwards in small samples")
    if item.name == "kappa":
        found = Interval(*agreement.interval(sample))
    elif item.name in PROPORTIONS or item.name.startswith("recall_"):
        counted = _counted(item.name, sample)
        right = sample.call[counted] == sample.target[counted]
        found = Interval(*clustered(right, sample.cluster[counted]))
    elif item.name == "auroc":
        found = _auroc(sample, value)
    else:
        found = _bootstrap(replicates)
    return found if found.low is not None else Interval(note="no spread to resample")


def small(sample: Sample, method: str) -> bool:
    """Return whether the sample is so small that an interval by `method` may cover less than it says."""
    rarest = int(np.bincount(sample.target, minlength=sample.classes).min())
    few = FEW_RANKED if method.startswith(("bootstrap", "delong")) else FEW_UNITS
    return method != "none" and (sample.clusters < FEW_PATIENTS or rarest < few)


def _bootstrap(replicates: Floats) -> Interval:
    known = np.isfinite(replicates)
    if not known.any() or np.ptp(replicates[known]) == 0:
        return Interval()
    low, high = bootstrap.percentile(replicates)
    share = 1 - known.mean()
    return Interval(low, high, "bootstrap", f"{share:.0%} of replicates undefined" if share > 0.01 else "")


def _counted(name: str, sample: Sample) -> NDArray[np.bool_]:
    """Return a mask of the units in a proportion's denominator; its numerator is those called rightly."""
    if name == "accuracy":
        return np.ones(len(sample.target), bool)
    given = sample.call if name in ("ppv", "npv") else sample.target
    kind = {"sensitivity": 1, "ppv": 1, "specificity": 0, "npv": 0}
    return np.equal(given, kind[name] if name in kind else int(name.removeprefix("recall_")))


def _auroc(sample: Sample, value: float) -> Interval:
    """Bound an AUROC; 0 and 1 show neither bootstrap nor DeLong any spread.

    For these, as many disjoint pairs of a positive and a negative, no patient in two of them, can be formed as the
    rarer kind has patients. They are independent trials of "positive above negative", whose probability is the AUROC,
    and all agree: Wilson's bound for that many trials holds, and is cautious as the other pairs are not used.
    """
    positive = sample.target == 1
    if 0 < value < 1:
        return Interval(*delong.interval(sample.score, positive, sample.cluster))
    pairs = min(len(np.unique(sample.cluster[positive])), len(np.unique(sample.cluster[~positive])))
    return Interval(*wilson(value * pairs, pairs), "wilson, n = disjoint pairs")
