"""The metrics of a task by name, and the samples that they are computed from."""

import re
import warnings

import numpy as np
import pandas as pd

from osteon.errors import OsteonError, nearest
from osteon.predictions import TaskFacts
from osteon.scoring.boxes import sample_of_boxes
from osteon.scoring.grades import called
from osteon.scoring.registry import METRICS, PROPORTIONS, Metric, ap50, recall, within
from osteon.scoring.sample import Codes, Floats, Sample
from osteon.scoring.units import scores, units

__all__ = [
    "METRICS",
    "PROPORTIONS",
    "Metric",
    "direction",
    "estimate",
    "metric",
    "metrics_of",
    "monitor",
    "ranks",
    "sample_of",
]

# By how much an answer may be off to count as near, by the unit of the target.
NEAR = {"months": 12, "years": 1, "grades": 1}


def metric(name: str, head: str) -> Metric:
    """Return the metric called `name` of a head.

    `recall_<k>` is the recall of class k of a multiclass or ordinal head, `within_<k>` the share of a regression
    head's units that are at most k of the unit off, `ap50_<class>` the average precision of a class of boxes.

    Raises:
        OsteonError: there is none of that name, or that head has it not.
    """
    for pattern, heads, make in _FAMILIES:
        if (found := re.fullmatch(pattern, name)) and head in heads:
            return make(found[1])
    options = [option.name for option in METRICS.values() if head in option.heads]
    if name not in options:
        raise OsteonError(
            f"metric {name!r} is not one of the {head} head: {', '.join(options)}.{nearest(name, options)}"
        )
    return METRICS[name]


_FAMILIES = (
    (r"recall_(\d+)", ("multiclass", "ordinal"), recall),
    (r"within_(\d+)", ("regression",), within),
    (r"ap50_(.+)", ("detection",), ap50),
)


def metrics_of(facts: TaskFacts) -> list[Metric]:
    """Return the metrics of a task's score table, in its order; those that its classes or unit give no sense left out.

    A regression has the share within 12 months, one year or one grade; in other units only where it is monitored.
    """
    count = len(facts.classes)
    senseless = {"within_12", *(f"top{k}" for k in (2, 3) if k >= count), *(() if facts.cut else ("auroc_at_cut",))}
    senseless |= {"map50_frequent"} if count == 1 else set()
    listed = [item for item in METRICS.values() if facts.head in item.heads and item.name not in senseless]
    if facts.head in ("multiclass", "ordinal"):
        listed += [recall(str(index)) for index in range(count)]
    if facts.head == "detection":
        listed += [ap50(name) for name in facts.classes]
    if facts.head == "regression":
        asked = re.fullmatch(r"within_(\d+)", facts.monitor)
        margins = ([NEAR[facts.unit_name]] if facts.unit_name in NEAR else []) + ([int(asked[1])] if asked else [])
        listed += [within(str(margin)) for margin in dict.fromkeys(margins)]
    return listed


def direction(name: str) -> str:
    """Return "max" or "min": what the best epoch has of the metric called `name`.

    Raises:
        OsteonError: there is no such metric, or it has no better and worse.
    """
    known = [item.name for item in METRICS.values() if item.monitored]
    if name not in known and not any(re.fullmatch(pattern, name) for pattern, _, _ in _FAMILIES):
        raise OsteonError(f"monitor {name!r} is not one of {', '.join(known)}.{nearest(name, known)}")
    return "max" if name not in METRICS or METRICS[name].higher_is_better else "min"


def ranks(name: str) -> bool:
    """Return whether the metric called `name` compares the scores of units with each other."""
    return METRICS[name].ranks if name in METRICS else name.startswith("ap50_")


def sample_of(table: pd.DataFrame, facts: TaskFacts, threshold: float | Floats | None = None) -> Sample:
    """Return the labelled units of a unit table.

    They are called positive, and boxes shown, strictly above `threshold`: the protocol's where it is None; one a unit
    where it is an array, as long as the table.
    """
    labelled = table["target"].notna().to_numpy()
    threshold = facts.protocol_threshold if threshold is None else threshold
    if isinstance(threshold, np.ndarray):
        threshold = threshold[labelled]
    table = table[labelled]
    if facts.head == "detection":
        return sample_of_boxes(table, facts, threshold)
    score, number = scores(table, facts), table["target"].to_numpy(np.float64)
    cluster = pd.factorize(table["group_id"])[0]
    if facts.head == "regression":
        same = np.zeros(len(table), np.intp)
        return Sample(same, score, same, cluster, 1, number, score)
    if facts.head == "binary":
        call: Codes = (score > threshold).astype(np.intp)
        return Sample(number.astype(np.intp), score, call, cluster)
    if facts.head == "multiclass":
        return Sample(number.astype(np.intp), score, score.argmax(1), cluster, len(facts.classes))
    value = table["value"].to_numpy(np.float64)
    call = called(score, value, facts.call)
    return Sample(number.astype(np.intp), score, call, cluster, len(facts.classes), number, value, cut=facts.cut or 0)


def estimate(item: Metric, sample: Sample, head: str) -> float | None:
    """Return the metric's value, None where it is undefined; kappa of one class only is 0, with a warning."""
    if not len(sample.target):
        return None
    one = sample.target[0]
    if item.name in ("kappa", "quadratic_kappa") and (sample.target == one).all() and (sample.call == one).all():
        warnings.warn(f"{item.name}: targets and calls are all of one class, kappa is set to 0", stacklevel=2)
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
