"""Predictions of another framework, opened as if they were a run: a file, or a folder with predictions/test.*."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from osteon.errors import OsteonError
from osteon.predictions import read
from osteon.scoring.runs import Run, joined, load
from osteon.scoring.thresholds import THRESHOLDED, Threshold, fit, frozen
from osteon.scoring.units import units

KINDS = ("parquet", "csv")
# What tells a run of ours, finished or not, from another framework's folder.
_OURS = ("result.json", "config.yaml", "checkpoints")
# What a sweep leaves beside its runs.
_OF_A_SWEEP = (
    *("jobs.csv", "jobs.json", "trials.csv", "tested.json", "study.db", "study.db.drawing"),
    *("history.png", "importance.png", "results"),
)


def open_runs(given: str | Path) -> list[Run]:
    """Open what a user names: a run folder, a folder of them, a pattern in quotes, or another framework's predictions.

    Another framework gives one file (parquet or CSV, its column `split` says val or test), or a folder with
    `predictions/test.parquet` (or test.csv) and, where a threshold is to be fitted, `predictions/val.*`. Columns:
    image_id, unit_id (what is scored), group_id (the patient) or patient_id, target, and probability, probabilities or
    value; `task`, `split`, `dataset` and `source` have the defaults of `predictions.read`. A `thresholds.json` beside
    them is used as it is.

    Raises:
        OsteonError: nothing is there, a run is not finished, or a file is not a table of predictions.
    """
    return [open_place(place) for place in places(given)]


def places(given: str | Path, depth: int = 1) -> list[Path]:
    """Return the runs and files of predictions that a user names, without opening them.

    Args:
        given: as of `open_runs`.
        depth: how far below a folder that is no run itself runs are looked for.

    Raises:
        OsteonError: nothing is there.
    """
    path = Path(given)
    if path.is_file():
        return [path]
    if not path.is_dir():
        return _matching(path, depth)
    found = [path] if _is_run(path) else list(_inside(path, depth))
    if not found:
        raise OsteonError(
            f"{path}: holds no run and no predictions. Give a folder that a run has left, a folder of such folders, "
            "or one with predictions/test.parquet (or test.csv) of another framework."
        )
    return found


def _inside(folder: Path, depth: int) -> Iterator[Path]:
    for inner in sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")):
        if _is_run(inner):
            yield inner
        elif depth > 1:
            yield from _inside(inner, depth - 1)


def runs_among(given: Sequence[str | Path]) -> list[str | Path]:
    """Leave out what a sweep leaves beside its runs: the `*` of a shell finds it, too; unless there is nothing else."""
    return [one for one in given if Path(one).name not in _OF_A_SWEEP] or list(given)


def _matching(pattern: Path, depth: int) -> list[Path]:
    root = Path(pattern.anchor or ".")
    found = sorted(root.glob(str(pattern.relative_to(pattern.anchor)))) if set("*?[") & set(str(pattern)) else []
    if not found:
        raise OsteonError(
            f"{pattern}: no such run folder or file of predictions. Give what a run has left: runs/<name>."
        )
    return [place for path in runs_among(found) for place in places(path, depth)]


def is_ours(place: Path) -> bool:
    """Return whether a place is a run of ours, finished or not, rather than another framework's predictions."""
    return any((place / name).exists() for name in _OURS)


def open_place(place: Path) -> Run:
    """Open one run, or one file or folder of predictions.

    Raises:
        OsteonError: the run is not finished, or a file is not a table of predictions.
    """
    if place.is_file():
        return Run(place, read(place), {}, {})
    return load(place) if is_ours(place) else _of_others(place)


def open_all(given: Sequence[str | Path]) -> tuple[list[Run], list[OsteonError]]:
    """Open everything that a user names, a place named twice once; what cannot be opened is told and left out."""
    runs: dict[Path, Run] = {}
    faults: list[OsteonError] = []
    for one in runs_among(given):
        try:
            found = places(one)
        except OsteonError as fault:
            faults.append(fault)
            continue
        for place in found:
            try:
                runs.setdefault(place.resolve(), open_place(place))
            except OsteonError as fault:
                faults.append(fault)
    return list(runs.values()), faults


def frozen_or_fitted(run: Run) -> dict[str, Threshold]:
    """Return a run's thresholds; where another framework froze none, that of the task's rule on its val predictions."""
    found = dict(run.thresholds)
    if is_ours(run.folder):
        return found
    frame = run.predictions.frame
    for task, facts in run.predictions.tasks.items():
        val = frame[(frame["task"] == task) & (frame["split"] == "val")]
        if task not in found and facts.head in THRESHOLDED and len(val):
            table = units(val, facts)
            if table["target"].nunique() > 1:
                found[task] = fit(table, facts)
    return found


def _is_run(folder: Path) -> bool:
    return any((folder / name).exists() for name in (*_OURS, "predictions"))


def _of_others(folder: Path) -> Run:
    files = [_file(folder / "predictions", split) for split in ("val", "test")]
    if files[1] is None:
        raise OsteonError(
            f"{folder}: its predictions hold no test.parquet or test.csv. Write the answers for the test images there."
        )
    known = folder / "thresholds.json"
    table = joined([file for file in files if file is not None], guess=True)
    return Run(folder, table, frozen(known) if known.is_file() else {}, {})


def _file(folder: Path, split: str) -> Path | None:
    return next((file for kind in KINDS if (file := folder / f"{split}.{kind}").is_file()), None)
