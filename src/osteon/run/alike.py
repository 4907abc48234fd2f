"""Whether the datasets of a run mean the same: a target of one name one thing, a patient's number one person."""

from collections.abc import Mapping, Sequence
from itertools import combinations

from osteon import datasets
from osteon.config import Task
from osteon.errors import OsteonError
from osteon.manifest import Card, Reading, Target


def check_alike(name: str, task: Task, cards: Sequence[Card]) -> None:
    """Refuse targets that a dataset of a task lacks, or that two of them describe differently.

    Args:
        name: of the task.
        task: its settings.
        cards: of its datasets, in their order.

    Raises:
        OsteonError: names the task's key, both datasets and what differs.
    """
    truth = task.whole.target if task.whole is not None else None
    for card in cards:
        for target in task.targets:
            datasets.check_target(f"tasks.{name}.target", target, card)
            _check_same(f"tasks.{name}.also", target, cards[0], card)
        if truth is not None:
            _check_truth(f"tasks.{name}.whole.target", truth, card)
            _check_same(f"tasks.{name}.also", truth, cards[0], card)


def shared_numbers(readings: Mapping[str, Reading]) -> tuple[str, ...]:
    """Tell of patients' numbers that two datasets use: they are taken for two people, which nobody can check here.

    Args:
        readings: dataset -> what its adapter found, ids not yet hidden; no id is told.
    """
    numbers = {name: _numbers(reading, name) for name, reading in readings.items()}
    notes = []
    for (one, mine), (other, theirs) in combinations(numbers.items(), 2):
        if shared := sum(mine[number] != theirs[number] for number in mine.keys() & theirs.keys()):
            notes.append(
                f"{shared:,} patient ids of {other} ({len(theirs):,}) are also ids of {one}; they are taken for other "
                "people. Are they the same, as of one hospital? Put both into one table, where a patient stays together"
            )
    return tuple(notes)


def _numbers(reading: Reading, name: str) -> dict[str, str]:
    """Return the ids of a dataset's patients: as its owners write them -> as this run does."""
    if "patient_id" not in reading.rows:
        return {}
    return {str(one).removeprefix(f"{name}:"): str(one) for one in reading.rows["patient_id"].dropna().unique()}


def _check_truth(key: str, target: str, card: Card) -> None:
    datasets.check_target(key, target, card)
    kind = card.targets[target].kind
    if kind != "binary":
        raise OsteonError(f"{key}: found {target!r}, a {kind} target; expected a binary one.")


def _check_same(key: str, target: str, first: Card, other: Card) -> None:
    one, two = first.targets[target], other.targets[target]
    differ = next((field for field in Target.__dataclass_fields__ if getattr(one, field) != getattr(two, field)), None)
    if differ is not None:
        raise OsteonError(
            f"{key}: {first.name!r} and {other.name!r} declare {target!r} differently: its {differ} is "
            f"{getattr(one, differ)!r} there and {getattr(two, differ)!r} here. Images of both make one number only "
            "where it means the same; describe it alike, or ask each in a task of its own."
        )
