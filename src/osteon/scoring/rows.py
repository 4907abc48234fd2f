"""Rows of the score table from a table of units: every metric, overall and by group, with its interval."""

import warnings
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from osteon.errors import OsteonError
from osteon.predictions import TaskFacts
from osteon.predictions.facts import CALLS
from osteon.scoring import bands, bootstrap
from osteon.scoring.boxes import remark, true_boxes
from osteon.scoring.intervals import interval, small
from osteon.scoring.metrics import Metric, estimate, metrics_of, sample_of
from osteon.scoring.registry import IN_UNITS
from osteon.scoring.sample import Floats, Sample

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


@dataclass(frozen=True)
class Job:
    """A metric to compute: of which sample, at which operating point (None: it needs none)."""

    metric: Metric
    sample: Sample
    point: Point | None = None


def score_units(
    table: pd.DataFrame,
    facts: TaskFacts,
    labels: Mapping[str, Any],
    operating: list[Point],
    replicates: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Score a table of units, overall and by each grouping column; unlabelled units are left out.

    A regression whose scale is known is scored by quarter of the scale too (`bands.by_target`). A point without a
    threshold has one a unit, the column `threshold`, where the table has it.

    Raises:
        OsteonError: there are fewer than 100 replicates.
    """
    check_replicates(replicates)
    rows: list[dict[str, Any]] = []
    for base, part, stream in grouped(table[table["target"].notna()], facts, labels, seed):
        rows += [base | row for row in _rows(part, facts, operating, replicates, stream)]
    return framed(rows)


def grouped(
    table: pd.DataFrame, facts: TaskFacts, labels: Mapping[str, Any], seed: int
) -> Iterator[tuple[dict[str, Any], pd.DataFrame, int]]:
    """Yield what all rows of a group share, its units, and its seed: each draws its own stream, whatever others do."""
    for group, part in _groups(table, facts):
        source = "+".join(sorted(set(part["source"]))) if "source" in part else "real"
        base = {**labels, "unit": facts.unit, "group": group, "source": source}
        yield base, part, zlib.crc32(f"{labels['task']}/{labels['split']}/{group}".encode()) ^ seed


def framed(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return rows as a table with the columns and kinds of the score table."""
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


def _groups(table: pd.DataFrame, facts: TaskFacts) -> Iterator[tuple[str, pd.DataFrame]]:
    yield "all", table
    for column in (*facts.groups, *({bands.TARGET} & set(table))):
        parts = {str(value): part for value, part in table.groupby(column)}
        for value in sorted(parts, key=bands.order):
            yield f"{bands.NAMES.get(column, column)}={value}", parts[value]


def _rows(
    part: pd.DataFrame, facts: TaskFacts, operating: list[Point], replicates: int, seed: int
) -> Iterator[dict[str, Any]]:
    samples = [sample_at(part, facts, point) for point in operating]
    metrics, first = metrics_of(facts), samples[0]
    jobs = [Job(item, first) for item in metrics if not item.needs_threshold]
    jobs += [Job(i, s, p) for p, s in zip(operating, samples, strict=True) for i in metrics if i.needs_threshold]
    counts = {"n": len(first.target), "n_clusters": first.clusters}
    for row in computed(jobs, facts.head, lack(first, facts), replicates, seed):
        said = {"note": "; ".join(filter(None, (meaning(row["metric"], first, facts), row["note"])))}
        yield counts | {"n_positive": positives(row["metric"], first, facts)} | row | said


def positives(metric: str, sample: Sample, facts: TaskFacts) -> int | None:
    """Return the positive units, or the true boxes that a score is of."""
    if facts.head == "detection":
        return int(true_boxes(metric, sample).sum())
    return int(sample.target.sum()) if facts.head == "binary" else None


def computed(jobs: list[Job], head: str, note: str, replicates: int, seed: int) -> Iterator[dict[str, Any]]:
    """Yield a row a job: its value and interval, from the same bootstrap draws for all; `note` stands in each."""
    first = jobs[0].sample
    drawn: Floats = np.full((len(jobs), 0), np.nan)
    if len(first.target):
        prepared = [job.metric.prepare(job.sample, head) for job in jobs]
        width = max(len(first.target), int(first.boxes.true.sum()))
        drawn = bootstrap.replicate(prepared, first.clusters, replicates, seed, width)
    for job, values in zip(jobs, drawn, strict=True):
        yield _row(job, head, values, note)


def _row(job: Job, head: str, values: Floats, note: str) -> dict[str, Any]:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        value = estimate(job.metric, job.sample, head)
    found, point = interval(job.metric, job.sample, value, values, head), job.point
    notes = [found.note, point.note if point else "", note, *(str(one.message) for one in said)]
    notes.append("small sample" if small(job.metric, job.sample, found.method) else "")
    return {
        "operating_point": (point.name or None) if point else None,
        "threshold": point.threshold if point else None,
        "metric": job.metric.name,
        "value": value,
        "lo": found.low,
        "hi": found.high,
        "method": found.method,
        "note": "; ".join(one for one in notes if one),
    }


def meaning(metric: str, sample: Sample, facts: TaskFacts) -> str:
    """Say what the number of a metric stands for, where its name does not."""
    if facts.head == "detection":
        return remark(metric, sample)
    if facts.head == "regression" and facts.unit_name and metric in IN_UNITS:
        return f"in {facts.unit_name}"
    if facts.cut and metric == "auroc_at_cut":
        return f"positive: {facts.classes[facts.cut]} and above"
    return f"called: the {facts.call} grade" if facts.call in CALLS[1:] and metric not in ("mae", "mse") else ""


def lack(sample: Sample, facts: TaskFacts) -> str:
    """Say which classes have no unit; empty where all have some."""
    if not len(sample.target):
        return "no labelled unit"
    if facts.head == "regression":
        return ""
    if facts.head == "detection":
        return "" if sample.boxes.true.sum() else "no true box"
    counts = np.bincount(sample.target, minlength=sample.classes)
    return ", ".join(f"no {name}" for name, count in zip(facts.classes, counts, strict=True) if not count)


def sample_at(part: pd.DataFrame, facts: TaskFacts, point: Point) -> Sample:
    """Return labelled units called at an operating point: by its threshold, else by each unit's own."""
    own = point.threshold is None and "threshold" in part
    return sample_of(part, facts, part["threshold"].to_numpy(np.float64) if own else point.threshold)
