"""The metadata of a predictions file, JSON under one key of the parquet schema: checked before it is believed."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from osteon.errors import OsteonError
from osteon.predictions.facts import LATER, TaskFacts

KEY = "osteon"
# What the run's facts are where they are given; other keys are left as they are.
RUN = {
    **dict.fromkeys(("name", "backbone", "cohort", "settings"), str),
    **dict.fromkeys(("fold", "folds", "seed"), int),
}


@dataclass(frozen=True)
class About:
    """What a file says of its tasks, its run and its splits."""

    tasks: dict[str, TaskFacts] = field(default_factory=dict)
    run: dict[str, Any] = field(default_factory=dict)
    split_names: dict[str, str] = field(default_factory=dict)


def parse(value: Any, where: str, whole: bool = False) -> About:
    """Return the metadata of a file from its JSON value.

    Args:
        value: the JSON value; an empty object where the file has none.
        where: the file, for messages.
        whole: whether every fact must be there, so that none is guessed.

    Raises:
        OsteonError: a part is missing or of another kind; names the file, the key, what was found and expected.
    """
    parts = {"": value} if not isinstance(value, dict) else {key: value.get(key, {}) for key in _PARTS}
    for key, part in parts.items():
        if not isinstance(part, dict):
            raise OsteonError(f"{where}: metadata {key or KEY} is {part!r}, expected a JSON object. {_RESTORE}")
    if whole and (lacking := [key for key in ("tasks", "run") if not parts[key]]):
        raise OsteonError(f"{where}: its parquet metadata ({KEY!r}) lacks {' and '.join(lacking)}. {_RESTORE}")
    check_run(parts["run"], where)
    for split, name in parts["split_names"].items():
        if not isinstance(name, str):
            raise OsteonError(f"{where}: metadata split_names.{split} is {name!r}, expected a text. {_RESTORE}")
    tasks = {name: _task(item, f"{where}: metadata tasks.{name}", whole) for name, item in parts["tasks"].items()}
    return About(tasks, parts["run"], parts["split_names"])


def check_run(run: Mapping[str, Any], where: str) -> None:
    """Refuse facts of a run that have no meaning: a number of folds that is a word, a fold outside 0..folds-1.

    Raises:
        OsteonError: names the file, the key, what was found and what was expected.
    """
    for key, kind in RUN.items():
        value = run.get(key)
        if value is not None and (not isinstance(value, kind) or isinstance(value, bool)):
            expected = "a text" if kind is str else "a whole number"
            raise OsteonError(f"{where}: metadata run.{key} is {value!r}, expected {expected}. {_RESTORE}")
    fold, given = run.get("fold"), run.get("folds")
    folds: int = 1 if given is None else given
    if folds < 1:
        raise OsteonError(f"{where}: metadata run.folds is {folds}, expected 1 or more. {_RESTORE}")
    if folds > 1 and (fold is None or not 0 <= fold < folds):
        raise OsteonError(f"{where}: metadata run.fold is {fold}, expected one of 0..{folds - 1}. {_RESTORE}")


_PARTS = ("tasks", "run", "split_names")
_RESTORE = "Restore the file that the run left, or write it again with osteon.predictions.write."


def _task(value: Any, where: str, whole: bool) -> TaskFacts:
    if not isinstance(value, dict):
        raise OsteonError(f"{where} is {value!r}, expected a JSON object. {_RESTORE}")
    needed = [item.name for item in fields(TaskFacts) if item.name not in LATER]
    if whole and (lacking := [name for name in needed if name not in value]):
        raise OsteonError(f"{where} lacks {', '.join(lacking)}. {_RESTORE}")
    try:
        return TaskFacts.from_json(value)
    except OsteonError as fault:
        raise OsteonError(f"{where}: {fault}") from fault
