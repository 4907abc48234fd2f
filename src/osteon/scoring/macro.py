"""The findings of one multilabel task scored together: the mean over findings, with patients drawn once for all."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from osteon.predictions import TaskFacts
from osteon.scoring.registry import METRICS
from osteon.scoring.rows import Job, check_replicates, computed, framed, grouped
from osteon.scoring.sample import Sample

HEAD = "multilabel"


def owners(tasks: Mapping[str, TaskFacts]) -> dict[str, list[str]]:
    """Return multilabel task -> the tasks that its findings are written as, in their order."""
    found: dict[str, list[str]] = {}
    for name, facts in tasks.items():
        if facts.of:
            found.setdefault(facts.of, []).append(name)
    return found


def score_labels(
    tables: Mapping[str, pd.DataFrame],
    facts: Mapping[str, TaskFacts],
    labels: Mapping[str, Any],
    replicates: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Score the findings of one multilabel task together, overall and by its grouping columns.

    Findings of which a group has one outcome only are left out of its means and named in the note; n is the number of
    units with a label of any finding.

    Args:
        tables: task of a finding -> its units.
        facts: task of a finding -> its facts.
        labels: what all rows say: task (the multilabel one), split, split_name.
        replicates: bootstrap replicates behind an interval, 100 or more.
        seed: the same seed gives the same intervals.

    Raises:
        OsteonError: there are fewer than 100 replicates.
    """
    check_replicates(replicates)
    first = facts[next(iter(tables))]
    table = pd.concat([part.assign(finding=name) for name, part in tables.items()], ignore_index=True)
    rows: list[dict[str, Any]] = []
    for base, part, stream in grouped(table[table["target"].notna()], first, labels, seed):
        rows += [base | row for row in _rows(part, tables, len(f"{first.of}."), replicates, stream)]
    return framed(rows)


def _rows(
    part: pd.DataFrame, names: Mapping[str, Any], prefix: int, replicates: int, seed: int
) -> Iterator[dict[str, Any]]:
    outcomes = part.groupby("finding")["target"].nunique()
    kept = [name for name in names if outcomes.get(name, 0) > 1]
    lost = ", ".join(name[prefix:] for name in names if name not in kept)
    sample = sample_of_labels(part[part["finding"].isin(kept)])
    jobs = [Job(item, sample) for item in METRICS.values() if HEAD in item.heads]
    note = f"left out, of one outcome only: {lost}" if lost else ""
    counts = {"n": part["unit_id"].nunique(), "n_positive": None, "n_clusters": part["group_id"].nunique()}
    yield from (counts | row for row in computed(jobs, HEAD, note, replicates, seed))


def sample_of_labels(table: pd.DataFrame) -> Sample:
    """Return the labelled units of all findings as one sample: a row a unit and finding, patients coded across all."""
    score = table["probability"].to_numpy(np.float64)
    label, cluster = (pd.factorize(table[name])[0] for name in ("finding", "group_id"))
    call = (score > 0.5).astype(np.intp)
    return Sample(table["target"].to_numpy().astype(np.intp), score, call, cluster, label=label)
