"""How a model does on women and men, young and old, left and right, with and without a cast: one row a group."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

import pandas as pd

from osteon.predictions import TaskFacts
from osteon.scoring import bands
from osteon.scoring.rows import LEAST_REPLICATES, Job, Point, computed, grouped, lack, sample_at
from osteon.scoring.metrics import METRICS
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
    joined = test.drop(columns=[name for name in names if name in test]).assign(**{name: placed[name].to_numpy() for name in names})
    made = units(joined, replace(facts, groups=tuple(names)))
    made = made[made["target"].notna()].drop(columns=[bands.TARGET], errors="ignore")
    kept = tuple(name for name in names if 1 < (made[name][made[name] != UNKNOWN]).nunique() <= MOST)
    point = Point("frozen", threshold.value) if threshold is not None else Point("protocol", facts.protocol_threshold)
    whole: dict[str, float | None] = {}
    for base, part, seed in grouped(made, replace(facts, groups=kept), {"task": task}, 0):
        sample = sample_at(part, facts, point)
        jobs = [Job(METRICS[name], sample, point if METRICS[name].needs_threshold else None) for name in SCORES[facts.head]]
        for row in computed(jobs, facts.head, lack(sample, facts), LEAST_REPLICATES, seed):
            if base["group"] == "all":
                whole[row["metric"]] = row["value"]
            told = {name: row[name] for name in ("metric", "value", "lo", "hi", "method", "note")}
            told |= {"n": len(sample.target), "n_clusters": sample.clusters, "unit": facts.unit}
            verdict = "worse" if _worse(row, whole.get(row["metric"])) else ""
            yield {"task": task, "kind": "group", "name": base["group"], "verdict": verdict} | told


def _worse(row: dict[str, Any], whole: float | None) -> bool:
    """Return whether a group's whole interval lies on the worse side of the score of all units."""
    metric = METRICS[row["metric"]]
    if whole is None or row["lo"] is None or row["hi"] is None or not metric.monitored:
        return False
    return bool(row["hi"] < whole) if metric.higher_is_better else bool(row["lo"] > whole)
