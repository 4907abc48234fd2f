"""A finished run as its folder tells it: predictions, frozen thresholds, result, each checked before it is scored."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from osteon.errors import OsteonError
from osteon.predictions import Predictions, merge, read
from osteon.predictions.facts import owner
from osteon.scoring.thresholds import THRESHOLDED, Threshold, frozen

_RESTORE = "Restore the file that the run left, or train the run again."


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

    def said(self, key: str) -> Any:
        """Return a fact of the run, None where its predictions file does not give it."""
        return self.predictions.run.get(key)


def load(folder: Path) -> Run:
    """Read predictions/val.parquet, predictions/test.parquet, thresholds.json and result.json of a run folder.

    Nothing is guessed: the predictions must describe their tasks and their run as `predictions.write` does, and
    every binary or detection task must have its threshold, but for a finding of several, or the images or exams of
    boxes, that val has one outcome of.
    Only val.parquet may be absent.

    Raises:
        OsteonError: the folder or one of its files is missing or is not what a run leaves.
    """
    if folder.is_file():
        raise OsteonError(
            f"{folder}: this is a file; here the folder of a finished run is needed. Files of predictions are taken by "
            "osteon score, compare and leaderboard."
        )
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
    result = read_result(folder / "result.json")
    files = [folder / "predictions" / f"{split}.parquet" for split in ("val", "test")]
    table = joined([file for file in files if file.is_file()])
    return Run(folder, table, _thresholds(folder / "thresholds.json", table), result)


def read_result(file: Path) -> dict[str, Any]:
    """Return what a run's result.json holds.

    Raises:
        OsteonError: it is no JSON, or no object with `scores` or `source`.
    """
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise OsteonError(f"{file}: not JSON ({fault}). Score the folder of a finished run.") from fault
    if not isinstance(found, dict) or not {"scores", "source"} & set(found):
        what = (
            f"an object without 'scores' and 'source' ({len(found)} keys)" if isinstance(found, dict) else repr(found)
        )
        raise OsteonError(f"{file}: found {what:.80}, expected the JSON object with 'scores' or 'source'. {_RESTORE}")
    return found


def joined(files: Sequence[Path], *, guess: bool = False) -> Predictions:
    """Read the predictions of one run from a file a split, named as its split is.

    Args:
        files: val and test, or test alone.
        guess: whether facts that a file of another framework lacks are filled in (`predictions.read`).

    Raises:
        OsteonError: a file holds another split than its name says, or the files are of two runs.
    """
    tables = [_split(file, guess) for file in files]
    if tables[0].run != tables[-1].run:
        keys = sorted(key for key in {*tables[0].run, *tables[-1].run} if _differs(tables, key))
        raise OsteonError(f"{files[0]}, {files[-1]}: of two runs, they differ in their {', '.join(keys)}. {_RESTORE}")
    try:
        return merge(tables)
    except OsteonError as fault:
        raise OsteonError(f"{files[0].parent}: {fault}") from fault


def _differs(tables: list[Predictions], key: str) -> bool:
    return bool(tables[0].run.get(key) != tables[-1].run.get(key))


def _split(file: Path, guess: bool) -> Predictions:
    table = read(file, guess=guess)
    found = sorted(set(table.frame["split"]))
    if found != [file.stem]:
        way = f"Name the split in a column split ({file.stem})." if guess else _RESTORE
        raise OsteonError(f"{file}: found rows of split {', '.join(found)}, expected {file.stem} alone. {way}")
    return table


def _thresholds(file: Path, table: Predictions) -> dict[str, Threshold]:
    found = frozen(file)
    boxed = {task for task, facts in table.tasks.items() if facts.head == "detection"}
    for task, facts in table.tasks.items():
        # What is made of boxes may lack one as a finding may: all exams of val can be of one outcome.
        spared = facts.of or owner(task, boxed - {task})
        if facts.head in THRESHOLDED and not spared and task not in found:
            held = ", ".join(found) or "none"
            raise OsteonError(
                f"{file}: no threshold of task {task!r}; found {held}. A run freezes one on val. {_RESTORE}"
            )
    return found
