"""Rows of the table of differences."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from osteon.scoring.comparison.exchange import exchanged
from osteon.scoring.comparison.matching import Matched
from osteon.scoring.comparison.one_unit import by_formula
from osteon.scoring.comparison.paired import METHOD, Contrast, Judged, drawn, judge
from osteon.scoring.intervals import small
from osteon.scoring.macro import HEAD, sample_of_labels
from osteon.scoring.metrics import Metric
from osteon.scoring.rows import Point, grouped, lack, meaning, positives, sample_at
from osteon.scoring.sample import Floats, Sample
from osteon.scoring.thresholds import THRESHOLDED

COLUMNS = {
    **dict.fromkeys(("task", "split", "split_name", "unit", "group", "operating_point", "metric"), "object"),
    **dict.fromkeys(("a", "b", "difference", "lo", "hi", "p", "p_holm"), "Float64"),
    **dict.fromkeys(("method", "test"), "object"),
    **dict.fromkeys(("test_p", "test_p_holm"), "Float64"),
    **dict.fromkeys(("n", "n_positive", "n_clusters", "n_differing", "a_trainings", "b_trainings"), "Int64"),
    **dict.fromkeys(("a_sd", "b_sd", "a_threshold", "b_threshold"), "Float64"),
    **dict.fromkeys(("note", "source"), "object"),
}
OPTIMISTIC = "optimistic: threshold fitted on this split"


def unit_rows(
    found: Matched, metrics: Sequence[Metric], labels: Mapping[str, Any], replicates: int, seed: int
) -> Iterator[dict[str, Any]]:
    """Yield a row a group, operating point and metric of one task; unlabelled units are left out."""
    facts = found.facts
    labelled = found.units[found.units["target"].notna()]
    points = [Point("")]
    if facts.head in THRESHOLDED:
        frozen = Point("frozen", None, OPTIMISTIC if labels["split"] == "val" else "")
        points = [Point("protocol", facts.protocol_threshold), *([frozen] if found.frozen else [])]
    for base, part, stream in grouped(labelled, facts, labels, seed):
        contrasts = []
        for place, point in enumerate(points):
            a, b = (
                tuple(sample_at(table.loc[part.index], own, point) for table in tables)
                for own, tables in found.of_sides
            )
            several = [item for item in metrics if item.needs_threshold or place == 0]
            contrasts += [Contrast(item, facts.head, a, b, point if item.needs_threshold else None) for item in several]
        contrasts.sort(key=lambda one: one.metric.needs_threshold)
        for contrast, row in _judged(contrasts, replicates, stream):
            positive = positives(contrast.metric.name, contrast.first, facts)
            cuts = _cuts(found, contrast.point)
            alike = facts if facts.call == found.call_b else replace(facts, call="")  # a note of `match` tells both
            said = (meaning(contrast.metric.name, contrast.first, alike), row["note"], lack(contrast.first, facts))
            yield base | row | cuts | {"n_positive": positive, "note": "; ".join(filter(None, said))}


def mean_rows(
    findings: Sequence[Matched], metrics: Sequence[Metric], labels: Mapping[str, Any], replicates: int, seed: int
) -> Iterator[dict[str, Any]]:
    """Yield a row a group and metric of the mean over the findings of one multilabel task.

    Findings of which a group has one outcome only are left out of the mean, on both sides.
    """
    whole = pd.concat([found.units.assign(finding=found.task) for found in findings], ignore_index=True)
    a, b = (
        [pd.concat([found.b[k] if side else found.a[k] for found in findings], ignore_index=True) for k in range(count)]
        for side, count in enumerate((len(findings[0].a), len(findings[0].b)))
    )
    for base, part, stream in grouped(whole[whole["target"].notna()], findings[0].facts, labels, seed):
        outcomes = part.groupby("finding")["target"].nunique()
        kept = part[part["finding"].map(outcomes) > 1]
        samples = [tuple(_of_findings(table, kept) for table in tables) for tables in (a, b)]
        lost = [found.task for found in findings if outcomes.get(found.task, 0) < 2]
        note = f"left out, of one outcome only: {', '.join(lost)}" if lost else ""
        contrasts = [Contrast(item, HEAD, samples[0], samples[1]) for item in metrics]
        for _, row in _judged(contrasts, replicates, stream):
            yield base | row | {"n": part["unit_id"].nunique(), "note": "; ".join(filter(None, (row["note"], note)))}


def _cuts(found: Matched, point: Point | None) -> dict[str, float | None]:
    """Return each side's threshold; of several trainings every one has its own, and none is told."""
    if point is None or not point.name:
        return {}
    own = {name: tables[0] for name, tables in (("a", found.a), ("b", found.b)) if len(tables) == 1}
    held = {name: table["threshold"].iloc[0] for name, table in own.items() if "threshold" in table}
    return {f"{name}_threshold": held.get(name) if point.threshold is None else point.threshold for name in ("a", "b")}


def _of_findings(table: pd.DataFrame, kept: pd.DataFrame) -> Sample:
    return sample_of_labels(table.loc[kept.index].assign(finding=kept["finding"]))


def _judged(contrasts: list[Contrast], replicates: int, seed: int) -> Iterator[tuple[Contrast, dict[str, Any]]]:
    if not contrasts:
        return
    draws = swaps = np.full((len(contrasts), 0), np.nan)
    if len(contrasts[0].first.target):
        draws, swaps = drawn(contrasts, replicates, seed), exchanged(contrasts, replicates, seed)
    for contrast, values, swapped in zip(contrasts, draws, swaps, strict=True):
        yield contrast, _row(contrast, values, swapped)


def _row(contrast: Contrast, values: Floats, swapped: Floats) -> dict[str, Any]:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        a, b = contrast.values(contrast.a), contrast.values(contrast.b)
    sample, item = contrast.first, contrast.metric
    difference = None if a is None or b is None else float(np.mean(b) - np.mean(a))
    differing = contrast.differing()
    found = _judge(contrast, difference, (values, swapped), differing)
    test = by_formula(contrast) if difference is not None else None
    notes = [contrast.point.note if contrast.point else "", *found.notes, test.note if test else ""]
    notes += [*dict.fromkeys(str(one.message) for one in said)]
    notes.append("small sample" if found.low is not None and small(item, sample, "bootstrap") else "")
    return {
        "operating_point": (contrast.point.name or None) if contrast.point else None,
        "metric": item.name,
        "a": None if a is None else float(np.mean(a)),
        "b": None if b is None else float(np.mean(b)),
        "difference": difference,
        "lo": found.low,
        "hi": found.high,
        "p": found.p,
        "method": METHOD if found.p is not None else "none",
        "test": test.name if test else None,
        "test_p": test.p if test else None,
        "n": len(sample.target),
        "n_clusters": sample.clusters,
        "n_differing": differing,
        "a_trainings": len(contrast.a),
        "b_trainings": len(contrast.b),
        "a_sd": _spread(a),
        "b_sd": _spread(b),
        "note": "; ".join(note for note in notes if note),
    }


def _judge(contrast: Contrast, difference: float | None, draws: tuple[Floats, Floats], differing: int) -> Judged:
    if difference is None:
        return Judged(notes=() if len(contrast.first.target) else ("no labelled unit",))
    if contrast.metric.name == "ece":
        return Judged(notes=("no interval and no p: biased upwards in small samples, on both sides",))
    return judge(*draws, difference, contrast.first.clusters, differing)


def _spread(values: list[float] | None) -> float | None:
    """Return the standard deviation over trainings, n - 1 below; None where there is one."""
    return None if values is None or len(values) < 2 else float(np.std(values, ddof=1))
