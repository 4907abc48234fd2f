"""Which runs are the folds of one cross-validation, and what is refused where they do not fit together."""

from collections.abc import Callable, Hashable, Iterable, Sequence

import pandas as pd

from osteon.errors import OsteonError
from osteon.scoring.runs import Run
from osteon.scoring.settings import differing

# What folds must share, and what each stands for.
SHARED = {"cohort": "images or splits", "settings": "settings"}


def sets(runs: Sequence[Run]) -> list[list[Run]]:
    """Return the runs to score together: whole cross-validations apart, what does not make one left for refusal."""
    found = []
    for alike in _by(runs, lambda run: _cross_validation(run) if run.folds > 1 else run.folder):
        parts = _by(alike, lambda run: tuple(run.said(key) for key in SHARED))
        whole = all(sorted(run.fold for run in part) == list(range(part[0].folds)) for part in parts)
        found += parts if whole else [alike]
    return found


def _cross_validation(run: Run) -> Hashable:
    return (run.folds, run.said("backbone"), run.said("seed"), *sorted(run.predictions.tasks))


def _by(runs: Iterable[Run], key: Callable[[Run], Hashable]) -> list[list[Run]]:
    found: dict[Hashable, list[Run]] = {}
    for run in runs:
        found.setdefault(key(run), []).append(run)
    return list(found.values())


def check_set(runs: Sequence[Run]) -> None:
    """Refuse runs that are not all the folds of one cross-validation.

    Raises:
        OsteonError: they differ in their images, splits or settings, or a fold is missing or given twice.
    """
    _alike(runs)
    _complete(runs)


def _alike(runs: Sequence[Run]) -> None:
    """Refuse folds of different images or settings; runs of other frameworks that say neither are taken on trust."""
    for key, what in SHARED.items():
        sides = _by(runs, lambda run, key=key: run.said(key))  # type: ignore[misc]
        if len(sides) > 1:
            listed = " | ".join(", ".join(str(run.folder) for run in side) for side in sides)
            raise OsteonError(
                f"folds {listed}: they differ in their {what} (`{key}` of their predictions){_keys(key, sides)}, so "
                "they are no one cross-validation. Train all folds with one command line but data.fold, or score each "
                "folder alone."
            )


def _keys(key: str, sides: Sequence[Sequence[Run]]) -> str:
    return differing(sides[0][0].folder, sides[1][0].folder) if key == "settings" else ""


def _complete(runs: Sequence[Run]) -> None:
    found, count = sorted(run.fold for run in runs), runs[0].folds
    if missing := sorted(set(range(count)) - set(found)):
        raise OsteonError(
            f"{runs[0].folder}: folds {', '.join(map(str, missing))} of {count} are missing beside "
            f"{', '.join(map(str, found))}. Train them (data.fold=<k>) and give all folders, or score each folder "
            "alone."
        )
    if len(found) > count:
        raise OsteonError(
            f"{runs[0].folder}: one fold is given twice: found folds {found} of {count}. Give one run a fold."
        )


def check_disjoint(joined: pd.DataFrame, runs: Sequence[Run], task: str) -> None:
    """Refuse folds that share a unit or a patient."""
    for column, what in (("unit_id", "unit"), ("group_id", "patient")):
        pairs = joined[[column, "fold"]].drop_duplicates()
        shared = pairs[column][pairs[column].duplicated()]
        if len(shared):
            raise OsteonError(
                f"task {task}: {len(shared)} {what}s are in the test tables of several folds, first {shared.iloc[0]}; "
                "out-of-fold tables must be disjoint. With an official test split folds vary val only: score each "
                f"folder alone. Folders: {', '.join(run.folder.name for run in runs)}."
            )
