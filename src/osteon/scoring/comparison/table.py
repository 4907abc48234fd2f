"""Two sides compared: every metric of every shared task, overall and by group."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from osteon.errors import OsteonError, nearest
from osteon.predictions import TaskFacts
from osteon.predictions.facts import MONITOR
from osteon.scoring.comparison.holm import adjusted
from osteon.scoring.comparison.matching import Matched, match, shared
from osteon.scoring.comparison.rows import COLUMNS, mean_rows, unit_rows
from osteon.scoring.comparison.sides import Side
from osteon.scoring.macro import HEAD, owners
from osteon.scoring.metrics import METRICS, Metric, metric, metrics_of
from osteon.scoring.rows import check_replicates
from osteon.scoring.settings import drawn_otherwise
from osteon.scoring.thresholds import THRESHOLDED

SPLITS = ("test", "val")


@dataclass(frozen=True)
class Comparison:
    """Two sides compared.

    Attributes:
        a: the side that is subtracted.
        b: the other one.
        table: a row a task, group, operating point and metric; `difference` is B minus A.
        chosen: task -> the metrics that claims are made of: those asked for, else the one its runs chose epochs by.
        units: task -> the unit of a number that is predicted, such as months; "" where there is none.
        notes: what was not compared, and what differs and does no harm.
    """

    a: Side
    b: Side
    table: pd.DataFrame
    chosen: dict[str, list[str]]
    units: dict[str, str]
    notes: tuple[str, ...]


def compare(
    a: Side,
    b: Side,
    *,
    metrics: Sequence[str] = (),
    split: str = "test",
    replicates: int = 1000,
    seed: int = 0,
) -> Comparison:
    """Compare two sides on the units of one split.

    Args:
        a: the side that is subtracted; several trainings count by the mean of their scores.
        b: the other one.
        metrics: those to compare; none: all of the head, of which the monitored one is claimed of.
        split: test, or val.
        replicates: bootstrap replicates, 100 or more.
        seed: the same seed gives the same draws.

    Returns:
        The table and what to say of it. Columns `p_holm` and `test_p_holm` are Holm's (1979, Scand J Stat 6:65), for
        one metric at one operating point over the groups of a task, or over the tasks for the group "all".

    Raises:
        OsteonError: the sides share no task, or differ in their units, targets or patients; there is no such metric
            or split; there are too few replicates.
    """
    check_replicates(replicates)
    if split not in SPLITS:
        raise OsteonError(f"--split: found {split!r}, expected {' or '.join(SPLITS)}.")
    tasks, notes = shared(a, b, split)
    matched = {task: match(a, b, task, split) for task in tasks}
    asked = _asked({task: found.facts for task, found in matched.items()}, metrics)
    parts: list[dict[str, Any]] = []
    for task, found in matched.items():
        labels = {"task": task, "split": split, "split_name": _named(a, b, task, split)}
        parts += unit_rows(found, asked[task], labels, replicates, seed)
        notes += [f"task {task}: {note}" for note in (*found.notes, *_unfrozen(found, a, b))]
    for owner, names in _owners(matched).items():
        labels = {"task": owner, "split": split, "split_name": _named(a, b, names[0], split)}
        parts += mean_rows([matched[name] for name in names], asked[owner], labels, replicates, seed)
    table = adjusted(pd.DataFrame(parts, columns=list(COLUMNS)).astype(COLUMNS))
    chosen = {task: [item.name for item in asked[task]] if metrics else [_primary(a, b, task)] for task in asked}
    words = {task: found.facts.unit_name for task, found in matched.items()}
    return Comparison(a, b, table, chosen, words, tuple(notes + _ranked(a, b) + _drawn(a, b, table)))


def _owners(matched: Mapping[str, Matched]) -> dict[str, list[str]]:
    return owners({task: found.facts for task, found in matched.items()})


def _asked(facts: Mapping[str, TaskFacts], names: Sequence[str]) -> dict[str, list[Metric]]:
    """Return task -> its metrics that are asked for, all where none is; the means over findings under their own task.

    Raises:
        OsteonError: no task has a metric that is asked for.
    """
    found = {task: {item.name: item for item in metrics_of(fact)} for task, fact in facts.items()}
    found |= {owner: {item.name: item for item in METRICS.values() if HEAD in item.heads} for owner in owners(facts)}
    for name in names:
        for task, fact in facts.items():
            if name.startswith("within_") and fact.head == "regression":
                found[task][name] = metric(name, fact.head)
    options = list(dict.fromkeys(name for known in found.values() for name in known))
    if missing := [name for name in names if name not in options]:
        hint = nearest(missing[0], options)
        raise OsteonError(f"--metric {missing[0]}: the tasks compared have {', '.join(options)}.{hint}")
    return {task: [item for item in known.values() if not names or item.name in names] for task, known in found.items()}


def _primary(a: Side, b: Side, task: str) -> str:
    """Return the metric that a task's runs chose their epochs by; its head's own where they chose by two, or none."""
    told = [side.first.predictions for side in (a, b) if task not in side.first.predictions.guessed]
    told = [predictions for predictions in told if task in predictions.tasks]
    if not told:
        known = a.first.predictions.tasks.get(task)
        return MONITOR[known.head] if known else "macro_auroc"
    monitors = {predictions.tasks[task].monitor for predictions in told}
    return monitors.pop() if len(monitors) == 1 else MONITOR[told[0].tasks[task].head]


def _named(a: Side, b: Side, task: str, split: str) -> str:
    names = {side.first.predictions.split_name(task, split) for side in (a, b)} - {split}
    return ", ".join(sorted(names)) or split


def _unfrozen(found: Matched, a: Side, b: Side) -> Iterator[str]:
    for side, tables in ((a, found.a), (b, found.b)):
        if found.facts.head in THRESHOLDED and not all("threshold" in table for table in tables):
            yield f"no frozen threshold: {side} has neither one in thresholds.json nor val predictions to fit it on"


def _ranked(a: Side, b: Side) -> list[str]:
    joined = [str(side) for side in (a, b) if any(len(training) > 1 for training in side.trainings)]
    return [f"{', '.join(joined)}: an AUROC ranks the scores of several folds' models together"] if joined else []


def _drawn(a: Side, b: Side, table: pd.DataFrame) -> list[str]:
    if not table["source"].str.contains("phantom").any():
        return []
    keys = drawn_otherwise(a.first.folder, b.first.folder)
    return [f"the phantoms have the same ids, but not the same images: {keys}"] if keys else []
