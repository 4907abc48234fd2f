"""One side of a comparison: one trained model, or several trainings of one recipe, as tables of units."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from osteon.errors import OsteonError, named
from osteon.predictions import TaskFacts
from osteon.scoring.fold_sets import check_set, sets
from osteon.scoring.folds import joined
from osteon.scoring.foreign import open_runs
from osteon.scoring.runs import Run
from osteon.scoring.settings import differing
from osteon.scoring.thresholds import THRESHOLDED, fit
from osteon.scoring.units import units

# What trainings of one recipe share; the seed is what they differ in.
RECIPE = ("backbone", "settings")


@dataclass(frozen=True)
class Side:
    """One side of a comparison.

    Attributes:
        letter: "A" or "B".
        name: as it was given.
        trainings: the runs of each training: one, or all folds of a cross-validation.
    """

    letter: str
    name: str
    trainings: tuple[tuple[Run, ...], ...]

    def __str__(self) -> str:
        return f"{self.letter} ({self.name})"

    @property
    def first(self) -> Run:
        """The first run: what all of them say of the tasks."""
        return self.trainings[0][0]

    def tasks(self, split: str) -> dict[str, TaskFacts]:
        """Return the tasks that every training predicts on a split.

        Raises:
            OsteonError: a training lacks a task of the first one, or describes it otherwise; there is no such split.
        """
        runs = [run for training in self.trainings for run in training]
        found = [{task: run.predictions.tasks[task] for task in _held(run, split)} for run in runs]
        if not found[0]:
            raise OsteonError(f"{self}: {runs[0].folder} has no predictions of {split}. Choose another --split.")
        for run, tasks in zip(runs, found, strict=True):
            if wrong := [task for task in {**found[0], **tasks} if tasks.get(task) != found[0].get(task)]:
                raise OsteonError(
                    f"{self}: {run.folder} lacks task {wrong[0]} or describes it otherwise than {runs[0].folder}, so "
                    "they are no trainings of one recipe. Give runs of one recipe."
                )
        return found[0]

    def tables(self, task: str, facts: TaskFacts, split: str) -> list[pd.DataFrame]:
        """Return a table of units a training, sorted by `unit_id`; `threshold` the frozen one, if there is one.

        Columns as of `units.units`. Every run's threshold is its own: the one it froze, or that of the task's rule
        on the val predictions of a framework that has frozen none.

        Raises:
            OsteonError: folds are to be joined on another split than test, or share a unit or a patient.
        """
        tables = []
        for training in self.trainings:
            if len(training) > 1 and split != "test":
                raise OsteonError(f"{self}: folds are joined on test only, found --split {split}. Give single runs.")
            whole = joined(training, task, facts) if len(training) > 1 else _called(training[0], task, facts, split)
            tables.append(whole.sort_values("unit_id", ignore_index=True))
        return tables


def side(letter: str, given: str | Path) -> Side:
    """Open one side; several runs must be trainings of one recipe.

    Raises:
        OsteonError: what is given is no run, or its runs do not belong together.
    """
    return side_of(letter, str(given), open_runs(given))


def side_of(letter: str, name: str, runs: Sequence[Run]) -> Side:
    """Make one side of opened runs, as `side` does of what is named; several must be trainings of one recipe.

    Raises:
        OsteonError: the runs do not belong together.
    """
    once = {run.folder.resolve(): run for run in runs}
    found = [tuple(part) for part in sets([_ordered(run) for run in once.values()])]
    for training in found:
        if len(training) > 1:
            check_set(training)
    made = Side(letter, name, tuple(found))
    _check_recipe(made)
    return made


def _ordered(run: Run) -> Run:
    """Return the run with its images in one order, so that sums do not depend on that of the file."""
    table = run.predictions
    frame = table.frame.sort_values(["task", "split", "image_id"], ignore_index=True)
    return replace(run, predictions=replace(table, frame=frame))


def _check_recipe(made: Side) -> None:
    firsts = [training[0] for training in made.trainings]
    for key in RECIPE:
        said = {str(run.said(key)): run for run in firsts if run.said(key) is not None}
        if len(said) > 1:
            one, other = list(said.values())[:2]
            raise OsteonError(
                f"{made}: {one.folder} and {other.folder} differ in their {key}{_told(key, one, other)}, so they are "
                "no trainings of one recipe. Give a folder, or a pattern in quotes, that holds the seeds of one recipe "
                "only."
            )
    seeds = Counter(run.said("seed") for run in firsts)
    if several := [seed for seed, count in seeds.items() if count > 1 and seed is not None]:
        folders = ", ".join(str(run.folder) for run in firsts if run.said("seed") == several[0])
        raise OsteonError(f"{made}: seed {several[0]} is there more than once: {folders}. Give one run a seed.")


def _told(key: str, one: Run, other: Run) -> str:
    return differing(one.folder, other.folder) if key == "settings" else f": {one.said(key)} and {other.said(key)}"


def _held(run: Run, split: str) -> list[str]:
    frame = run.predictions.frame
    held = set(frame.loc[frame["split"] == split, "task"])
    return [task for task in run.predictions.tasks if task in held]


def _rows(run: Run, task: str, split: str) -> pd.DataFrame:
    frame = run.predictions.frame
    return frame[(frame["task"] == task) & (frame["split"] == split)]


def _called(run: Run, task: str, facts: TaskFacts, split: str) -> pd.DataFrame:
    with named(run.folder):
        table = units(_rows(run, task, split), facts)
        cut = _threshold(run, task, facts)
    return table if cut is None else table.assign(threshold=cut)


def _threshold(run: Run, task: str, facts: TaskFacts) -> float | None:
    if task in run.thresholds:
        return run.thresholds[task].value
    val = units(_rows(run, task, "val"), facts) if facts.head in THRESHOLDED and task in _held(run, "val") else None
    return None if val is None or val["target"].nunique() < 2 else fit(val, facts).value
