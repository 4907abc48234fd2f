"""How a model does on women and men, young and old, left and right, with and without a cast: one row a group."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from osteon.predictions import TaskFacts
from osteon.scoring import bands
from osteon.scoring.comparison.holm import holm
from osteon.scoring.metrics import METRICS
from osteon.scoring.rows import LEAST_REPLICATES, Job, Point, computed, grouped, lack, sample_at
from osteon.scoring.thresholds import Threshold
from osteon.scoring.units import UNKNOWN, units

GROUPS = ("sex", "age_years", "laterality", "view", "body_part", "site", "cast", "metal", "hardware")
SCORES = {
    "binary": ("auroc", "sensitivity", "specificity"),
    "multiclass": ("macro_auroc", "accuracy"),
    "ordinal": ("quadratic_kappa", "mae"),
    "regression": ("mae", "bias"),
}
MOST = 12  # values of a column; more are ids
LEVEL, Z = 0.05, 1.96


def group_rows(
    task: str,
    facts: TaskFacts,
    test: pd.DataFrame,
    manifest: pd.DataFrame,
    threshold: Threshold | None,
    targets: Collection[str],
) -> Iterator[dict[str, Any]]:
    """Yield a row a group and score on the labelled units of test, "all" first; calls at the frozen threshold.

    Args:
        task: its name.
        facts: of it.
        test: its image predictions of test.
        manifest: with `image_id` and the columns to group by.
        threshold: frozen on val; None: the protocol's.
        targets: columns that are asked for, by which nothing is grouped.
    """
    names = [name for name in GROUPS if name in manifest and name not in targets]
    placed = manifest.drop_duplicates("image_id").set_index("image_id")[names].reindex(test["image_id"])
    joined = test.drop(columns=[name for name in names if name in test]).assign(
        **{name: placed[name].to_numpy() for name in names}
    )
    made = units(joined, replace(facts, groups=tuple(names)))
    made = made[made["target"].notna()].drop(columns=[bands.TARGET], errors="ignore")
    kept = tuple(name for name in names if 1 < (made[name][made[name] != UNKNOWN]).nunique() <= MOST)
    point = Point("frozen", threshold.value) if threshold is not None else Point("protocol", facts.protocol_threshold)
    rows = []
    for base, part, seed in grouped(made, replace(facts, groups=kept), {"task": task, "split": "test"}, 0):
        sample = sample_at(part, facts, point)
        jobs = [
            Job(METRICS[one], sample, point if METRICS[one].needs_threshold else None) for one in SCORES[facts.head]
        ]
        for row in computed(jobs, facts.head, lack(sample, facts), LEAST_REPLICATES, seed):
            told = {name: row[name] for name in ("metric", "value", "lo", "hi", "method", "note")}
            told |= {"n": len(sample.target), "n_clusters": sample.clusters, "unit": facts.unit}
            rows.append({"task": task, "kind": "group", "name": base["group"], "verdict": ""} | told)
    worse = _worse(rows)
    yield from (row | {"verdict": "worse" if place in worse else ""} for place, row in enumerate(rows))


def _worse(rows: Sequence[Mapping[str, Any]]) -> set[int]:
    """Return which rows are worse than the score of all units, at 0.05 by Holm over all groups and scores of a task.

    The distance is measured in standard errors, a half of the 95 % interval's side towards the whole's score being 1.96
    of them: approximate, as intervals need not be normal and a group is a part of the whole.
    """
    from scipy.special import ndtr

    whole = {row["metric"]: row["value"] for row in rows if row["name"] == "all"}
    p: dict[int, float] = {}
    behind = set()
    for place, row in enumerate(rows):
        middle, metric = whole.get(row["metric"]), METRICS[row["metric"]]
        if row["name"] == "all" or middle is None or row["lo"] is None or row["hi"] is None or not metric.monitored:
            continue
        side = (row["hi"] if middle > row["value"] else row["lo"]) - row["value"]
        away = abs(middle - row["value"]) / (abs(side) / Z) if side else 0.0
        p[place] = float(2 * ndtr(-away))
        if (middle > row["value"]) == metric.higher_is_better:
            behind.add(place)
    adjusted = dict(zip(p, holm(np.array(list(p.values()))), strict=True)) if p else {}
    return {place for place, value in adjusted.items() if value <= LEVEL and place in behind}
