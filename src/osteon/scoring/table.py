"""The score table: every metric of every task, split and group, with its interval, at both operating points."""

import warnings
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from osteon.errors import OsteonError
from osteon.predictions import Predictions, TaskFacts
from osteon.scoring import bootstrap
from osteon.scoring.intervals import interval, small
from osteon.scoring.metrics import Metric, estimate, metrics_of, sample_of
from osteon.scoring.sample import Sample
from osteon.scoring.thresholds import Threshold
from osteon.scoring.units import units

COLUMNS = {
    **dict.fromkeys(("task", "split", "split_name", "unit", "group", "operating_point"), "object"),
    "threshold": "Float64",
    "metric": "object",
    **dict.fromkeys(("value", "lo", "hi"), "Float64"),
    **dict.fromkeys(("n", "n_positive", "n_clusters"), "Int64"),
    **dict.fromkeys(("method", "note", "source"), "object"),
}
# Fewer give an interval that is noise; the config asks for as many.
LEAST_REPLICATES = 100


@dataclass(frozen=True)
class Point:
    """An operating point: its name, its threshold (None where each fold has its own) and what to say of it."""

    name: str
    threshold: float | None = None
    note: str = ""


def score(
    predictions: Predictions,
    thresholds: Mapping[str, Threshold] | None,
    *,
    replicates: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Score every task and split of a table of predictions.

    Args:
        predictions: checked image predictions.
        thresholds: the thresholds frozen on val, by task; without one a task has the protocol's operating point only.
        replicates: bootstrap replicates behind an interval, 100 or more.
        seed: the same seed gives the same intervals.

    Returns:
        Tidy rows: task, split, split_name, unit, group ("all" or "body_part=wrist"), operating_point ("protocol",
        "frozen", null for metrics without a threshold), threshold, metric, value, lo, hi (missing where undefined),
        n (labelled units), n_positive, n_clusters (patients), method, note, source.

    Raises:
        OsteonError: images of a unit disagree where truth is "same", or there are too few replicates.
    """
    parts = []
    for (task, split), frame in predictions.frame.groupby(["task", "split"], sort=False):
        facts = predictions.tasks[str(task)]
        labels = {"task": task, "split": split, "split_name": predictions.split_name(str(task), str(split))}
        frozen = (thresholds or {}).get(str(task))
        parts.append(
            score_units(units(frame, facts), facts, labels, points(facts, frozen, str(split)), replicates, seed)
        )
    return pd.concat(parts, ignore_index=True)


def points(facts: TaskFacts, frozen: Threshold | None, split: str) -> list[Point]:
    """Return a task's operating points; a multiclass head calls its likeliest class and has one without a name."""
    if facts.head != "binary":
        return [Point("")]
    found = [Point("protocol", facts.protocol_threshold)]
    if frozen is not None:
        fitted = "optimistic: threshold fitted on this split" if split == frozen.split else ""
        found.append(Point("frozen", frozen.value, fitted))
    return found


def score_units(
    table: pd.DataFrame,
    facts: TaskFacts,
    labels: Mapping[str, Any],
    operating: list[Point],
    replicates: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Score a table of units, overall and by each grouping column; unlabelled units are left out.

    A point without a threshold takes its calls from the column `decision` (0 or 1) where the table has one.

    Raises:
        OsteonError: there are fewer than 100 replicates.
    """
    check_replicates(replicates)
    rows: list[dict[str, Any]] = []
    for group, part in _groups(table[table["target"].notna()], facts):
        source = "+".join(sorted(set(part["source"]))) if "source" in part else "real"
        base = {**labels, "unit": facts.unit, "group": group, "source": source}
        # Each group draws its own stream, whichever other groups there are.
        stream = zlib.crc32(f"{labels['task']}/{labels['split']}/{group}".encode()) ^ seed
        rows += [base | row for row in _rows(part, facts, operating, replicates, stream)]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def check_replicates(replicates: int) -> None:
    """Refuse a number of bootstrap replicates that gives no interval.

    Raises:
        OsteonError: there are fewer than 100.
    """
    if replicates < LEAST_REPLICATES:
        raise OsteonError(
            f"--replicates: found {replicates}, expected {LEAST_REPLICATES} or more; 1000 is the default."
        )


def to_records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows as plain JSON values; what is missing is None."""
    plain = table.astype(object)
    return [
        {str(key): value for key, value in row.items()} for row in plain.where(plain.notna(), None).to_dict("records")
    ]


def _groups(table: pd.DataFrame, facts: TaskFacts) -> Iterator[tuple[str, pd.DataFrame]]:
    yield "all", table
    for column in facts.groups:
        for value, part in table.groupby(column):
            yield f"{column}={value}", part


def _rows(
    part: pd.DataFrame, facts: TaskFacts, operating: list[Point], replicates: int, seed: int
) -> Iterator[dict[str, Any]]:
    samples = [_sample(part, facts, point) for point in operating]
    metrics = metrics_of(facts)
    jobs: list[tuple[Metric, Point | None, Sample]]
    jobs = [(item, None, samples[0]) for item in metrics if not item.needs_threshold]
    jobs += [(i, p, s) for p, s in zip(operating, samples, strict=True) for i in metrics if i.needs_threshold]
    first = samples[0]
    drawn = np.full((len(jobs), 0), np.nan)
    if len(first.target):
        prepared = [item.prepare(sample, facts.head) for item, _, sample in jobs]
        drawn = bootstrap.replicate(prepared, first.clusters, replicates, seed, len(first.target))
    n_positive = int(first.target.sum()) if facts.head == "binary" else None
    counts = {"n": len(first.target), "n_positive": n_positive, "n_clusters": first.clusters}
    for (item, point, sample), values in zip(jobs, drawn, strict=True):
        yield counts | _row(item, point, sample, facts, values)


def _row(item: Metric, point: Point | None, sample: Sample, facts: TaskFacts, values: Any) -> dict[str, Any]:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        value = estimate(item, sample, facts.head)
    found = interval(item, sample, value, values)
    notes = [found.note, point.note if point else "", _lack(sample, facts), *(str(one.message) for one in said)]
    notes.append("small sample" if small(sample, found.method) else "")
    return {
        "operating_point": (point.name or None) if point else None,
        "threshold": point.threshold if point else None,
        "metric": item.name,
        "value": value,
        "lo": found.low,
        "hi": found.high,
        "method": found.method,
        "note": "; ".join(note for note in notes if note),
    }


def _lack(sample: Sample, facts: TaskFacts) -> str:
    counts = np.bincount(sample.target, minlength=sample.classes)
    if not len(sample.target):
        return "no labelled unit"
    return ", ".join(f"no {name}" for name, count in zip(facts.classes, counts, strict=True) if not count)


def _sample(part: pd.DataFrame, facts: TaskFacts, point: Point) -> Sample:
    sample = sample_of(part, facts, point.threshold)
    if facts.head == "binary" and point.threshold is None:
        return Sample(sample.target, sample.score, part["decision"].to_numpy().astype(np.intp), sample.cluster)
    return sample
