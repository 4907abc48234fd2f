"""Scores of run folders from their files alone; the folds of one cross-validation are joined and scored as one."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from osteon.errors import OsteonError, named
from osteon.predictions import TaskFacts
from osteon.scoring.fold_sets import SHARED, check_disjoint, check_set, sets
from osteon.scoring.foreign import frozen_or_fitted, open_runs
from osteon.scoring.macro import owners, score_labels
from osteon.scoring.metrics import ranks
from osteon.scoring.runs import Run
from osteon.scoring.table import Point, check_replicates, points, score, score_units
from osteon.scoring.units import units


def score_runs(run_folders: Sequence[str | Path], *, replicates: int = 1000, seed: int = 0) -> pd.DataFrame:
    """Score runs again from their files; runs of one cross-validation (same backbone, seed and number of folds) as one.

    Complete cross-validations of other images or settings are scored each for itself; incomplete ones are refused.

    Args:
        run_folders: what `foreign.open_runs` opens: run folders, folders of them, predictions of other frameworks.
        replicates: bootstrap replicates behind an interval, 100 or more.
        seed: the same seed gives the same intervals.

    Returns:
        The rows of `table.score` with the column `run` in front: the folder's name (its path, where two folders have
        one name), or "<first> ... <last>" of a joined set.

    Raises:
        OsteonError: nothing is given, one is neither a finished run nor a table of predictions, or the folds of a set
            do not fit together.
    """
    if not run_folders:
        raise OsteonError("no run folder to score. Give one or more, such as runs/<name>.")
    check_replicates(replicates)
    opened = [run for given in run_folders for run in open_runs(given)]
    table, faults = score_each(opened, replicates=replicates, seed=seed)
    if faults:
        raise faults[0]
    return table


def score_each(runs: Sequence[Run], *, replicates: int = 1000, seed: int = 0) -> tuple[pd.DataFrame, list[OsteonError]]:
    """Score runs that are open as `score_runs` does, one that is given twice once.

    Returns:
        Its rows, and the faults of the runs that cannot be scored.

    Raises:
        OsteonError: there are fewer than 100 replicates, or nothing can be scored.
    """
    check_replicates(replicates)
    # One folder written in two ways is one run, called as it was written first.
    once: dict[Path, Run] = {}
    for run in runs:
        once.setdefault(run.folder.resolve(), run)
    names = [whole.name for whole in once]
    called = {
        run.folder: whole.name if names.count(whole.name) == 1 else str(run.folder) for whole, run in once.items()
    }
    parts: list[pd.DataFrame] = []
    faults: list[OsteonError] = []
    for some in sets(list(once.values())):
        try:
            table = score_set(some, replicates=replicates, seed=seed)
        except OsteonError as fault:
            faults.append(fault)
            continue
        ends = dict.fromkeys(called[run.folder] for run in (some[0], some[-1]))
        table.insert(0, "run", " ... ".join(ends))
        parts.append(table)
    if not parts:
        raise faults[0]
    return pd.concat(parts, ignore_index=True), faults


def score_set(runs: Sequence[Run], *, replicates: int = 1000, seed: int = 0) -> pd.DataFrame:
    """Score one run, or all folds of a cross-validation; another framework's threshold is fitted on its val rows."""
    if len(runs) > 1:
        return score_folds(runs, replicates=replicates, seed=seed)
    with named(runs[0].folder):
        return score(runs[0].predictions, frozen_or_fitted(runs[0]), replicates=replicates, seed=seed)


def score_folds(runs: Sequence[Run], *, replicates: int = 1000, seed: int = 0) -> pd.DataFrame:
    """Join the out-of-fold test predictions of the runs of one cross-validation and score them as one table.

    Each fold's units are called by the threshold its own run froze. Scores of different models are ranked together in
    the AUROC (and of boxes in average precisions and FROC), which costs them something where the folds' calibrations
    differ.

    Raises:
        OsteonError: the folds differ in their images, splits or settings, a fold is missing or given twice, or two
            folds share an image, a unit or a patient.
    """
    check_set(runs)
    tasks = runs[0].predictions.tasks
    tables = {task: joined(runs, task, facts) for task, facts in tasks.items()}
    parts = []
    for task, table in tables.items():
        operating = points(tasks[task], None, "test")
        if "threshold" in table and table["threshold"].notna().all():
            operating.append(Point("frozen", None, "each fold's own threshold"))
        parts.append(score_units(table, tasks[task], _labels(runs, task), operating, replicates, seed))
    for owner, names in owners(tasks).items():
        labels = _labels(runs, names[0]) | {"task": owner}
        parts.append(score_labels({name: tables[name] for name in names}, tasks, labels, replicates, seed))
    return pd.concat([_noted(part, runs) for part in parts], ignore_index=True)


def joined(runs: Sequence[Run], task: str, facts: TaskFacts) -> pd.DataFrame:
    """Return the test units of a task from all folds, `threshold` each fold's own.

    Raises:
        OsteonError: a fold describes the task in another way, or two folds share a unit or a patient.
    """
    table = pd.concat([_fold_units(run, task, facts) for run in runs], ignore_index=True)
    check_disjoint(table, runs, task)
    return table


def _labels(runs: Sequence[Run], task: str) -> dict[str, str]:
    name = runs[0].predictions.split_name(task, "test")
    return {"task": task, "split": "test", "split_name": f"{name}, {len(runs)} folds joined"}


def _noted(table: pd.DataFrame, runs: Sequence[Run]) -> pd.DataFrame:
    """Say what was taken on trust, and which metrics rank the scores of different models together."""
    ranking = table["metric"].map(ranks) & table["value"].notna()
    said = [ranking.map({True: f"scores of {len(runs)} models ranked together", False: ""})]
    unknown = [what for key, what in SHARED.items() if runs[0].said(key) is None]
    if unknown:
        said.append(pd.Series(f"not compared: the folds' {', '.join(unknown)}", index=table.index))
    notes = pd.concat([table["note"], *said], axis=1)
    return table.assign(note=["; ".join(filter(None, row)) for row in notes.to_numpy()])


def _fold_units(run: Run, task: str, facts: TaskFacts) -> pd.DataFrame:
    if run.predictions.tasks.get(task) != facts:
        raise OsteonError(f"{run.folder}: task {task} is not described as in the other folds; train all folds alike.")
    frame = run.predictions.frame
    frame = frame[(frame["task"] == task) & (frame["split"] == "test")]
    with named(run.folder):
        table = units(frame, facts).assign(fold=run.fold)
    if task in run.thresholds:
        table["threshold"] = run.thresholds[task].value
    return table
