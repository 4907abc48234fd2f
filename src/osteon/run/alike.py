"""Whether the datasets of one task ask the same: a target of one name must mean one thing."""

from collections.abc import Sequence

from osteon import datasets
from osteon.config import Task
from osteon.errors import OsteonError
from osteon.manifest import Card, Target


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
