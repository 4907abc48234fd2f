"""Predictions of another framework, opened as if they were a run: a file, or a folder with predictions/test.*."""

from pathlib import Path

from osteon.errors import OsteonError
from osteon.predictions import read
from osteon.scoring.runs import Run, joined, load
from osteon.scoring.thresholds import frozen

KINDS = ("parquet", "csv")
# What tells a run of ours, finished or not, from another framework's folder.
_OURS = ("result.json", "config.yaml", "checkpoints")


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
    path = Path(given)
    if path.is_file():
        return [Run(path, read(path), {}, {})]
    if not path.is_dir():
        return _matching(path)
    if _is_run(path):
        return [_opened(path)]
    inside = [folder for folder in sorted(path.iterdir()) if folder.is_dir() and _is_run(folder)]
    if not inside:
        raise OsteonError(
            f"{path}: holds no run and no predictions. Give a folder that a run has left, a folder of such folders, "
            "or one with predictions/test.parquet (or test.csv) of another framework."
        )
    return [_opened(folder) for folder in inside]


def _matching(pattern: Path) -> list[Run]:
    root = Path(pattern.anchor or ".")
    found = sorted(root.glob(str(pattern.relative_to(pattern.anchor)))) if "*" in str(pattern) else []
    if not found:
        raise OsteonError(
            f"{pattern}: no such run folder or file of predictions. Give what a run has left: runs/<name>."
        )
    return [run for path in found for run in open_runs(path)]


def _is_run(folder: Path) -> bool:
    return any((folder / name).exists() for name in (*_OURS, "predictions"))


def _opened(folder: Path) -> Run:
    if any((folder / name).exists() for name in _OURS):
        return load(folder)
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
