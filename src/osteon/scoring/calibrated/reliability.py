"""How far probabilities can be believed, before and after the temperature: Brier, log loss, ECE, and bin by bin."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from osteon.predictions import TaskFacts
from osteon.scoring.calibrated.points import share_row
from osteon.scoring.calibration import BINS
from osteon.scoring.comparison.paired import Contrast, drawn, interval
from osteon.scoring.metrics import METRICS, Metric, sample_of
from osteon.scoring.rows import Job, computed
from osteon.scoring.sample import Floats, Sample

STAGES = ("before", "after")


def score_rows(
    before: pd.DataFrame, after: pd.DataFrame, facts: TaskFacts, replicates: int, seed: int
) -> Iterator[dict[str, Any]]:
    """Yield a row a metric: before and after with their intervals, and the paired difference with its own.

    Args:
        before: units of test as they were predicted.
        after: the same, calibrated.
        facts: of the task.
        replicates: bootstrap replicates behind an interval.
        seed: the same seed gives the same intervals.
    """
    for metric, head, samples in _measured(before, after, facts):
        rows = [row for one in samples for row in computed([Job(metric, one)], head, "", replicates, seed)]
        told = {f"{stage}{end}": row[key] for stage, row in zip(STAGES, rows, strict=True) for key, end in _ENDS}
        row = {"metric": metric.name, **told, "n": len(samples[0].target), "method": rows[0]["method"]}
        values = (rows[0]["value"], rows[1]["value"])
        row["difference"] = None if None in values else values[1] - values[0]
        contrast = Contrast(metric, head, (samples[0],), (samples[1],))
        low = high = None
        if row["difference"] is not None and metric.name != "ece":
            draws = drawn([contrast], replicates, seed)[0]
            found = interval(draws, samples[0].clusters, contrast.differing())
            low, high = found.low, found.high
        yield row | {"difference_lo": low, "difference_hi": high, "note": rows[0]["note"]}


_ENDS = (("value", ""), ("lo", "_lo"), ("hi", "_hi"))


def _measured(
    before: pd.DataFrame, after: pd.DataFrame, facts: TaskFacts
) -> Iterator[tuple[Metric, str, tuple[Sample, Sample]]]:
    """Yield each metric with the kind of sample it is computed from; of classes ECE is of the likeliest class."""
    plain = [sample_of(table, facts) for table in (before, after)]
    several = tuple(_of_classes(one) for one in plain)
    sure = tuple(confidence(one) for one in plain)
    brier = "brier" if facts.head == "binary" else "multiclass_brier"
    binary = facts.head == "binary"
    yield (
        METRICS[brier],
        "binary" if binary else "multiclass",
        (plain[0], plain[1]) if binary else (several[0], several[1]),
    )
    yield METRICS["log_loss"], "multiclass", (several[0], several[1])
    yield METRICS["ece"], "binary", (sure[0], sure[1])


def _of_classes(sample: Sample) -> Sample:
    if sample.score.ndim > 1:  # of grades too: what counts here is their probability, not the expected one
        return Sample(sample.target, sample.score, sample.call, sample.cluster, sample.classes)
    score: Floats = np.column_stack([1 - sample.score, sample.score])
    return Sample(sample.target, score, sample.call, sample.cluster)


def confidence(sample: Sample) -> Sample:
    """Return a binary sample as it is; of classes the probability of the likeliest, and whether it was right.

    Whatever grade a task calls: what is judged here are its probabilities.
    """
    if sample.score.ndim == 1:
        return sample
    right = (sample.score.argmax(1) == sample.target).astype(np.intp)
    return Sample(right, sample.score.max(1), np.ones_like(right), sample.cluster)


def bins(table: pd.DataFrame, facts: TaskFacts) -> pd.DataFrame:
    """Return the bins of ECE that hold a unit: low, high, predicted (mean probability), value (share), lo, hi, n.

    The share is of positive units; of classes of units whose likeliest class is right, beside its probability.
    """
    sample = confidence(sample_of(table, facts))
    place = np.minimum((sample.score * BINS).astype(np.intp), BINS - 1)
    rows = []
    for index in np.unique(place):
        inside = place == index
        share = share_row(sample.target[inside] == 1, sample.cluster[inside])
        rows.append(
            {"low": index / BINS, "high": (index + 1) / BINS, "predicted": float(sample.score[inside].mean())} | share
        )
    return pd.DataFrame(rows, columns=["low", "high", "predicted", "value", "lo", "hi", "n"])
