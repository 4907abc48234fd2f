"""The interval of each metric. All of them take the patient as the unit that was sampled.

The percentile bootstrap is short in small samples: with 1-4 units a patient and a nominal 95 % it covers kappa 91-93 %
of the time at 100 units and 87-91 % at 50, a sensitivity of 0.85 91 % and 88 %, an AUROC of 0.93 90 % and 86 %, and
less the nearer the value is to 1 (benchmarks/results/kappa_coverage.md). Where a formula that knows clusters does
better it is used; it equals Wilson's and DeLong's own where every patient has one unit. The bootstrap serves every
other metric.

Of 50 units the bootstrap covers a mean absolute error 90-93 %, limits of agreement 81-87 % and a quadratic kappa 92 %;
what is used here 93-96 %, 90-95 % and 94-96 % (benchmarks/results/interval_coverage.md). Where errors have heavy tails,
RMSE and limits of agreement stay short: 88-92 % up to 200 units. So does the bootstrap of a macro average precision,
86-92 %, and of a balanced accuracy with a rare grade, 90-92 %, for which the jackknife is no better: these are marked
as small samples below 50 units of the rarest class. A share of 0.997 of 50 units is covered 85 % by Wilson, 15 % by the
bootstrap.

COCO's average precision itself reads high in small samples (mAP50 0.52 on average where the truth is 0.47, with 70 true
boxes, 7 of them of the rarest class), as the best precision to the right of a recall is taken, and resampling doubles
the error: the percentile bootstrap covers mAP50 84-89 %, mAP50-95 84-92 %, one class 88-91 % of the time with 7-480
boxes of a class. The bootstrap corrected for that bias on the logit scale, used here, covers 90-92 %, 88-91 % and
90-95 %, and FROC 91-96 %: still short (benchmarks/results/box_coverage.md). The jackknife over patients covers
91-94 %, 91-95 % and 93-96 %, with intervals a tenth wider, but costs an evaluation a patient. The share of
lesions found and the false positives an image are covered 93-95 % and 91-94 %.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osteon.scoring import agreement, bootstrap, delong, jackknife, limits
from osteon.scoring.boxes import true_boxes
from osteon.scoring.froc import lesions
from osteon.scoring.grades import at_cut
from osteon.scoring.metrics import PROPORTIONS, Metric
from osteon.scoring.proportions import clustered, wilson
from osteon.scoring.ranking import curves
from osteon.scoring.sample import Floats, Moments, Sample

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


def interval(item: Metric, sample: Sample, value: float | None, replicates: Floats, head: str = "binary") -> Interval:
    """Choose and compute the 95 % interval of one metric.

    Shares: Wilson (`proportions.clustered`). AUROC, alone or the mean of several: DeLong (`delong`). Kappa:
    `agreement.interval`. Errors, correlations and the quadratic kappa: `jackknife.interval` on the metric's own scale.
    Limits of agreement: `limits.interval`. Average precisions of boxes and FROC: `bootstrap.on_logits`. ECE: none, as
    its bias in small samples exceeds its spread. All others: the percentile of the clustered bootstrap.

    Args:
        item: the metric.
        sample: the labelled units.
        value: the point estimate, None where undefined.
        replicates: (replicates,) bootstrap values, NaN where undefined.
        head: the kind of head that the sample is of.
    """
    if value is None:
        return Interval()
    if item.name == "ece":
        return Interval(note="biased upwards in small samples")
    found = _formula(item, sample, value, head) or _bootstrap(item, sample, value, replicates)
    return found if found.low is not None else Interval(note="no spread to resample")


def _formula(item: Metric, sample: Sample, value: float, head: str) -> Interval | None:
    """Return the interval of a metric that has a formula for it, None where it has none."""
    if item.scale:
        return _smooth(item, sample, value, head)
    if item.name == "kappa":
        return Interval(*agreement.interval(sample))
    if item.success is not None:
        return Interval(*clustered(item.success(sample), sample.cluster))
    if item.name == "lesion_sensitivity":
        return Interval(*clustered(*lesions(sample)))
    if item.name in PROPORTIONS or item.name.startswith("recall_"):
        inside = counted(item.name, sample)
        right = sample.call[inside] == sample.target[inside]
        return Interval(*clustered(right, sample.cluster[inside]))
    return _area(item.name, sample, value)


def _area(name: str, sample: Sample, value: float) -> Interval | None:
    if name == "auroc":
        return _auroc(sample, value)
    if name == "auroc_at_cut":
        return _auroc(at_cut(sample), value)
    return Interval(*delong.interval_of_mean(curves(sample))) if name == "macro_auroc" else None


def _smooth(item: Metric, sample: Sample, value: float, head: str) -> Interval:
    """Bound a smooth function of sums; at the end of its range a metric shows no spread, but for kappa there is one."""
    if item.name == "quadratic_kappa" and value == 1:
        return Interval(*agreement.perfect(sample), "wilson, n = patients")
    if item.scale == "mover":
        return Interval(*limits.interval(sample, value))
    prepared = item.prepare(sample, head)
    if value in item.range or not isinstance(prepared, Moments):
        return Interval()
    return Interval(*jackknife.interval(prepared, value, item.scale))


def small(item: Metric, sample: Sample, method: str) -> bool:
    """Return whether the sample is so small that an interval by `method` may cover less than it says."""
    if method == "none":
        return False
    few = FEW_RANKED if method.startswith(("bootstrap", "delong")) else FEW_UNITS
    return sample.clusters < FEW_PATIENTS or _rarest(item, sample) < few


def _rarest(item: Metric, sample: Sample) -> int:
    """Return the units or true boxes of the rarest class that a score leans on; all units where it is of no class."""
    if item.scale or item.success is not None:
        return len(sample.target)
    if sample.boxes.names:
        return int(true_boxes(item.name, sample).min(initial=FEW_RANKED))
    if item.name == "auroc_at_cut":
        sample = at_cut(sample)
    if len(sample.label):
        return int(np.bincount(sample.label * 2 + sample.target, minlength=2 * (int(sample.label.max()) + 1)).min())
    return int(np.bincount(sample.target, minlength=sample.classes).min())


def _bootstrap(item: Metric, sample: Sample, value: float, replicates: Floats) -> Interval:
    known = np.isfinite(replicates)
    if not known.any() or np.ptp(replicates[known]) == 0:
        return Interval()
    share = 1 - known.mean()
    note = f"{share:.0%} of replicates undefined" if share > 0.01 else ""
    if sample.boxes.names and 0 < value < 1:
        boxes = int(true_boxes(item.name, sample).sum())
        return Interval(*bootstrap.on_logits(replicates, value, boxes, sample.clusters), "bootstrap, logit", note)
    return Interval(*bootstrap.percentile(replicates), "bootstrap", note)


def counted(name: str, sample: Sample) -> NDArray[np.bool_]:
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
