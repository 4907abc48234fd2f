"""What each variant of an ablation does: its paired difference to the base on test, held against all the others."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from osteon.predictions import TaskFacts
from osteon.scoring.comparison import Side, compare, side_of
from osteon.scoring.comparison.claims import better, claimed
from osteon.scoring.comparison.holm import holm
from osteon.scoring.runs import Run, load

POINTS = ("", "protocol")  # a score at two thresholds counts at the published one


def effects(folders: Mapping[str, Sequence[Path]], metric: str, replicates: int = 1000) -> pd.DataFrame:
    """Compare every variant with the first one, the base, on the same test units.

    Args:
        folders: variant -> run folders, one a seed.
        metric: of the task, on test, over all units.
        replicates: bootstrap replicates behind an interval and p.

    Returns:
        A row a variant: variant, mean and sd over seeds, and but for the base difference (variant minus base), lo, hi
        (95 %, over patients), p, p_holm over all variants (Holm 1979), better (`base`, `variant` or "" where nothing
        may be claimed), n (units), n_clusters (patients), unit, note, source.

    Raises:
        OsteonError: runs do not predict the same units, or have no such score.
    """
    runs = {name: [load(folder) for folder in several] for name, several in folders.items()}
    runs = _on_one_scale(runs)
    base, *others = runs
    side = side_of("A", base, runs[base])
    rows = [_row(side, side_of("B", name, runs[name]), name, metric, replicates) for name in others]
    table = pd.DataFrame([_of_base(base, rows[0]), *rows])
    known = table["p"].notna()
    table.loc[known, "p_holm"] = holm(table.loc[known, "p"].to_numpy(np.float64))
    table["better"] = [_claim(row) for row in table.itertuples()]
    return table.drop(columns=["base_mean", "base_sd", "operating_point"])


def _row(base: Side, other: Side, name: str, metric: str, replicates: int) -> dict[str, object]:
    found = compare(base, other, metrics=[metric], replicates=replicates).table
    whole = found[(found["group"] == "all") & (found["metric"] == metric)]
    whole = whole[whole["operating_point"].fillna("").isin(POINTS)]
    row = whole.iloc[0]
    keys = ("difference", "lo", "hi", "p", "n", "n_clusters", "unit", "note", "source", "metric", "operating_point")
    spread = {"mean": row["b"], "sd": row["b_sd"], "base_mean": row["a"], "base_sd": row["a_sd"]}
    return {"variant": name, **spread, **{key: row[key] for key in keys}, "p_holm": np.nan}


def _of_base(name: str, like: Mapping[str, object]) -> dict[str, object]:
    kept = {key: like[key] for key in ("n", "n_clusters", "unit", "source", "metric", "operating_point")}
    return {"variant": name, "mean": like["base_mean"], "sd": like["base_sd"], **kept, "note": "", "p": np.nan}


def _claim(row: object) -> str:
    """Say which of the two is better, "" where nothing may be claimed."""
    if not claimed(row):
        return ""
    return {"B": "variant", "A": "base"}.get(better(row), "differs")


def _on_one_scale(runs: dict[str, list[Run]]) -> dict[str, list[Run]]:
    """Read the answers of all runs as grades where heads differ: grades, classes and numbers are asked one question."""
    heads = {facts.head for several in runs.values() for run in several for facts in run.predictions.tasks.values()}
    if len(heads) < 2 or "ordinal" not in heads or heads - {"ordinal", "multiclass", "regression"}:
        return runs
    first = next(run for several in runs.values() for run in several if _head(run) == "ordinal")
    (facts,) = first.predictions.tasks.values()
    return {name: [as_grades(run, facts) for run in several] for name, several in runs.items()}


def _head(run: Run) -> str:
    return next(iter(run.predictions.tasks.values())).head


def as_grades(run: Run, facts: TaskFacts) -> Run:
    """Return a run whose classes or numbers are answers of an ordinal head.

    Classes give the expected grade; a number is the expected grade, and calls the grade next to it. Of a number there
    are no probabilities, so that scores of these mean nothing.

    Args:
        run: of one task.
        facts: of the same task with an ordinal head.
    """
    (task,), head = run.predictions.tasks, _head(run)
    if head == "ordinal":
        return run
    frame, count = run.predictions.frame.copy(), len(facts.classes)
    if head == "multiclass":
        probabilities = np.stack(frame["probabilities"].to_list())
        frame["value"] = probabilities @ np.arange(count)
    else:
        value = np.clip(frame["value"].to_numpy(np.float64), 0, count - 1)
        frame["value"], frame["probabilities"] = value, list(np.eye(count)[np.rint(value).astype(int)])
    predictions = replace(run.predictions, frame=frame, tasks={task: facts})
    return replace(run, predictions=predictions, thresholds={})
