"""The metrics by name: which head has them, which way is better, whether they need a threshold."""

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from osteon.errors import OsteonError, nearest
from osteon.predictions import TaskFacts
from osteon.scoring import calibration, counts, ranking
from osteon.scoring.sample import Codes, Evaluate, Sample
from osteon.scoring.units import scores, units

Prepare = Callable[[Sample], Evaluate]


@dataclass(frozen=True)
class Metric:
    """One metric.

    Attributes:
        name: as in the score table and in `monitor`.
        heads: how to prepare it for each kind of head that has it.
        higher_is_better: its direction.
        needs_threshold: whether it is a metric of called classes, so that it exists at each operating point.
        range: least and greatest value.
        fallback: what an undefined value counts as where a number must be had (the monitored metric): chance, or worst.
    """

    name: str
    heads: dict[str, Prepare]
    higher_is_better: bool = True
    needs_threshold: bool = False
    range: tuple[float, float] = (0.0, 1.0)
    fallback: float = 0.0

    def prepare(self, sample: Sample, head: str) -> Evaluate:
        """Sort and count once; the result evaluates any weights."""
        return self.heads[head](sample)


def _called(name: str, formula: counts.Formula, **more: Prepare) -> Metric:
    return Metric(name, {"binary": counts.binary(formula), **more}, needs_threshold=True)


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("auroc", {"binary": ranking.auroc}, fallback=0.5),
        Metric("macro_auroc", {"multiclass": ranking.macro_auroc}, fallback=0.5),
        Metric("average_precision", {"binary": ranking.average_precision}),
        Metric("brier", {"binary": calibration.brier}, False, fallback=1.0),
        Metric("multiclass_brier", {"multiclass": calibration.multiclass_brier}, False, range=(0.0, 2.0), fallback=2.0),
        Metric("log_loss", {"multiclass": calibration.log_loss}, False, range=(0.0, float("inf")), fallback=36.1),
        Metric("ece", {"binary": calibration.ece}, False, fallback=1.0),
        Metric(
            "kappa",
            {"binary": counts.binary(counts.kappa), "multiclass": counts.multiclass(counts.multiclass_kappa)},
            needs_threshold=True,
            range=(-1.0, 1.0),
        ),
        _called("sensitivity", counts.sensitivity),
        _called("specificity", counts.specificity),
        _called("ppv", counts.ppv),
        _called("npv", counts.npv),
        _called("accuracy", counts.accuracy, multiclass=counts.multiclass(counts.multiclass_accuracy)),
        _called(
            "balanced_accuracy",
            counts.balanced_accuracy,
            multiclass=counts.multiclass(counts.multiclass_balanced_accuracy),
        ),
        _called("f1", counts.f1),
    )
}
# What the binomial formulas hold for: shares of units.
PROPORTIONS = ("sensitivity", "specificity", "ppv", "npv", "accuracy")


def metric(name: str, head: str) -> Metric:
    """Return the metric called `name` of a head; `recall_<k>` is the recall of class k of a multiclass head.

    Raises:
        OsteonError: there is none of that name, or that head has it not.
    """
    if (found := re.fullmatch(r"recall_(\d+)", name)) and head == "multiclass":
        return Metric(name, {head: counts.multiclass(counts.recall(int(found[1])))}, needs_threshold=True)
    options = [option.name for option in METRICS.values() if head in option.heads]
    if name not in options:
        raise OsteonError(
            f"metric {name!r} is not one of the {head} head: {', '.join(options)}.{nearest(name, options)}"
        )
    return METRICS[name]


def metrics_of(facts: TaskFacts) -> list[Metric]:
    """Return the metrics of a task's score table, in its order."""
    listed = [item for item in METRICS.values() if facts.head in item.heads]
    if facts.head == "multiclass":
        listed += [metric(f"recall_{index}", facts.head) for index in range(len(facts.classes))]
    return listed


def direction(name: str) -> str:
    """Return "max" or "min": what the best epoch has of the metric called `name`.

    Raises:
        OsteonError: there is no such metric.
    """
    if name not in METRICS and not re.fullmatch(r"recall_\d+", name):
        raise OsteonError(f"monitor {name!r} is not one of {', '.join(METRICS)}.{nearest(name, METRICS)}")
    return "max" if name not in METRICS or METRICS[name].higher_is_better else "min"


def sample_of(table: pd.DataFrame, facts: TaskFacts, threshold: float | None = None) -> Sample:
    """Return the labelled units of a unit table, called positive strictly above `threshold` (default: protocol's)."""
    table = table[table["target"].notna()]
    score = scores(table, facts)
    if facts.head == "binary":
        call: Codes = (score > (facts.protocol_threshold if threshold is None else threshold)).astype(np.intp)
    else:
        call = score.argmax(1)
    cluster = pd.factorize(table["group_id"])[0]
    return Sample(table["target"].to_numpy().astype(np.intp), score, call, cluster, len(facts.classes))


def estimate(item: Metric, sample: Sample, head: str) -> float | None:
    """Return the metric's value, None where it is undefined; kappa of one class only is 0, with a warning."""
    if not len(sample.target):
        return None
    if item.name == "kappa" and len(np.unique(np.concatenate([sample.target, sample.call]))) == 1:
        warnings.warn("kappa: targets and calls are all of one class, kappa is set to 0", stacklevel=2)
    value = float(item.prepare(sample, head)(sample.one())[0])
    return value if np.isfinite(value) else None


def monitor(frame: pd.DataFrame, facts: TaskFacts) -> float:
    """Return the task's monitored metric on image predictions of one split (or on their unit table), always finite.

    Metrics of calls use the protocol's threshold: no threshold is frozen before training ends. Where the metric is
    undefined (no labelled unit, one class only) its `Metric.fallback` is returned: chance for the areas, else worst.
    """
    item = metric(facts.monitor, facts.head)
    table = units(frame, facts) if "image_id" in frame else frame
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        value = estimate(item, sample_of(table, facts), facts.head)
    return item.fallback if value is None else value
