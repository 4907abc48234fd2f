"""Scores of run folders from their files alone; the folds of one cross-validation are joined and scored as one."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from osteon.errors import OsteonError
from osteon.predictions import Predictions, TaskFacts, merge, read
from osteon.scoring.table import Point, score, score_units
from osteon.scoring.thresholds import Threshold, frozen
from osteon.scoring.units import units


@dataclass(frozen=True)
class Run:
    """A finished run as its folder tells it."""

    folder: Path
    predictions: Predictions
    thresholds: dict[str, Threshold]
    result: dict[str, Any]

    @property
    def folds(self) -> int:
        """Number of folds of the cross-validation it belongs to; 1 for none."""
        return int(self.predictions.run.get("folds") or 1)

    @property
    def fold(self) -> int:
        """Its fold, from 0."""
        return int(self.predictions.run.get("fold") or 0)


def load(folder: Path) -> Run:
    """Read predictions/val.parquet, predictions/test.parquet, thresholds.json and result.json of a run folder.

    Raises:
        OsteonError: the folder or one of its files is missing or is not what a run leaves.
    """
    if not folder.is_dir():
        raise OsteonError(f"{folder}: no such run folder. Give folders that a run has left, such as runs/<name>.")
    lacking = [
        name for name in ("predictions/test.parquet", "thresholds.json", "result.json") if not (folder / name).is_file()
    ]
    if lacking:
        raise OsteonError(
            f"{folder}: not the folder of a finished run, it lacks {', '.join(lacking)}. "
            "Resume the run to its end, or choose the folder that holds result.json."
        )
    parts = [_read_split(folder, split) for split in ("val", "test") if _has(folder, split)]
    try:
        result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    except ValueError as fault:
        raise OsteonError(
            f"{folder / 'result.json'}: not JSON ({fault}). Score the folder of a finished run."
        ) from fault
    if not isinstance(result, dict):
        raise OsteonError(f"{folder / 'result.json'}: holds no JSON object, so this is no run of ours.")
    table, thresholds = merge(parts), frozen(folder / "thresholds.json")
    _check_frozen(folder, table, thresholds)
    return Run(folder, table, thresholds, result)


def _read_split(folder: Path, split: str) -> Predictions:
    file = folder / "predictions" / f"{split}.parquet"
    table = read(file)
    found = sorted(set(table.frame["split"]))
    if found != [split]:
        raise OsteonError(f"{file}: found rows of split {', '.join(found)}, expected {split} alone.")
    return table


def _check_frozen(folder: Path, table: Predictions, thresholds: dict[str, Threshold]) -> None:
    for task, facts in table.tasks.items():
        if facts.head == "binary" and task not in thresholds:
            raise OsteonError(f"{folder / 'thresholds.json'}: no threshold of task {task!r}; the run froze one on val.")


def score_runs(run_folders: Sequence[Path], *, replicates: int = 1000, seed: int = 0) -> pd.DataFrame:
    """Score runs again from their files; runs of one cross-validation (same backbone, seed and number of folds) as one.

    Returns:
        The rows of `table.score` with the column `run` in front: the folder's name, or the names of a joined set.

    Raises:
        OsteonError: no folder is given, one is not a finished run, or the folds of a set do not fit together.
    """
    if not run_folders:
        raise OsteonError("no run folder to score. Give one or more, such as runs/<name>.")
    sets: dict[Any, list[Run]] = {}
    for folder in dict.fromkeys(Path(item) for item in run_folders):
        run = load(folder)
        about = run.predictions.run
        same = (run.folds, about.get("backbone"), about.get("seed"), *sorted(run.predictions.tasks))
        sets.setdefault(same if run.folds > 1 else folder, []).append(run)
    parts = []
    for runs in sets.values():
        if len(runs) == 1:
            table = score(runs[0].predictions, runs[0].thresholds, replicates=replicates, seed=seed)
        else:
            table = score_folds(runs, replicates=replicates, seed=seed)
        table.insert(0, "run", " + ".join(run.folder.name for run in runs))
        parts.append(table)
    return pd.concat(parts, ignore_index=True)


def score_folds(runs: Sequence[Run], *, replicates: int = 1000, seed: int = 0) -> pd.DataFrame:
    """Join the out-of-fold test predictions of the runs of one cross-validation and score them as one table.

    Each fold's units are called by the threshold its own run froze. Scores of different models are ranked together in
    the AUROC, which costs it something where the folds' calibrations differ.

    Raises:
        OsteonError: a fold is missing or given twice, or two folds share an image, a unit or a patient.
    """
    _complete(runs)
    _alike(runs)
    parts = []
    for task, facts in runs[0].predictions.tasks.items():
        tables = [_fold_units(run, task, facts) for run in runs]
        joined = pd.concat(tables, ignore_index=True)
        _disjoint(joined, runs, task)
        operating = [Point("protocol", facts.protocol_threshold)] if facts.head == "binary" else [Point("")]
        if "decision" in joined and joined["decision"].notna().all():
            operating.append(Point("frozen", None, "each fold's own threshold"))
        names = runs[0].predictions.split_names
        labels = {"task": task, "split": "test", "split_name": f"{names.get('test', 'test')}, {len(runs)} folds joined"}
        parts.append(_pooled(score_units(joined, facts, labels, operating, replicates, seed), len(runs)))
    return pd.concat(parts, ignore_index=True)


def _pooled(table: pd.DataFrame, folds: int) -> pd.DataFrame:
    """Say of the metrics without a threshold that they rank the scores of different models together."""
    ranks = table["operating_point"].isna() & table["value"].notna()
    said = f"scores of {folds} models ranked together"
    notes = table["note"].where(table["note"] == "", table["note"] + "; ") + said
    return table.assign(note=table["note"].where(~ranks, notes))


def _fold_units(run: Run, task: str, facts: TaskFacts) -> pd.DataFrame:
    if run.predictions.tasks.get(task) != facts:
        raise OsteonError(f"{run.folder}: task {task} is not described as in the other folds; train all folds alike.")
    frame = run.predictions.frame
    frame = frame[(frame["task"] == task) & (frame["split"] == "test")]
    table = units(frame, facts).assign(fold=run.fold)
    if task in run.thresholds:
        table["decision"] = (table["probability"] > run.thresholds[task].value) * 1.0
    return table


def _alike(runs: Sequence[Run]) -> None:
    """Refuse folds of different images or settings; runs of other frameworks that say neither are taken on trust."""
    for key, what in (("cohort", "images or splits"), ("settings", "settings")):
        said = {run.predictions.run.get(key) for run in runs}
        if len(said) > 1:
            raise OsteonError(
                f"folds {', '.join(run.folder.name for run in runs)}: they differ in their {what}, so they are no one "
                "cross-validation. Train all folds with one command line but data.fold, or score each folder alone."
            )


def _complete(runs: Sequence[Run]) -> None:
    found, count = sorted(run.fold for run in runs), runs[0].folds
    if missing := sorted(set(range(count)) - set(found)):
        raise OsteonError(
            f"folds {', '.join(map(str, missing))} of {count} are missing beside {', '.join(map(str, found))}. "
            "Train them (data.fold=<k>) and give all folders, or score each folder alone."
        )
    if len(found) > count:
        raise OsteonError(f"one fold is given twice: found folds {found} of {count}. Give one run a fold.")


def _disjoint(joined: pd.DataFrame, runs: Sequence[Run], task: str) -> None:
    for column, what in (("unit_id", "unit"), ("group_id", "patient")):
        pairs = joined[[column, "fold"]].drop_duplicates()
        shared = pairs[column][pairs[column].duplicated()]
        if len(shared):
            raise OsteonError(
                f"task {task}: {len(shared)} {what}s are in the test tables of several folds, first {shared.iloc[0]}; "
                "out-of-fold tables must be disjoint. With an official test split folds vary val only: score each "
                f"folder alone. Folders: {', '.join(run.folder.name for run in runs)}."
            )


def _has(folder: Path, split: str) -> bool:
    return split == "test" or (folder / "predictions" / f"{split}.parquet").is_file()
