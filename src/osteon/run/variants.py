"""One dataset that several tasks describe: read as each describes it, and joined image by image."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from osteon.config import DatasetSpec, Task
from osteon.errors import OsteonError
from osteon.manifest import Card, Reading

Variants = dict[str, tuple[DatasetSpec, ...]]
SHOWN = 3


def variants(tasks: Mapping[str, Task]) -> Variants:
    """Return dataset -> the ways in which the tasks describe it, each once, in the order of the tasks.

    Raises:
        OsteonError: two tasks call datasets of different kinds alike.
    """
    found: Variants = {}
    for name, spec in [(name, spec) for name, task in tasks.items() for spec in task.datasets]:
        before = found.get(spec.name, ())
        if before and before[0].kind != spec.kind:
            raise OsteonError(
                f"tasks.{name}.dataset: {spec.name!r} is of kind {spec.kind} here and of kind {before[0].kind} in "
                "another task. Give one of them another name."
            )
        found[spec.name] = before if spec in before else (*before, spec)
    return found


def joined_card(cards: Sequence[Card]) -> Card:
    """Return what a dataset says of itself in all its descriptions together.

    Raises:
        OsteonError: two of them declare a target of one name in different ways.
    """
    targets = dict(cards[0].targets)
    for card in cards[1:]:
        for name, target in card.targets.items():
            if targets.setdefault(name, target) != target:
                raise OsteonError(
                    f"tasks.*.dataset: two tasks describe the target {name!r} of the dataset {card.name!r} "
                    "differently. Describe it alike, or call the target of one of them otherwise."
                )
    return replace(cards[0], targets=targets)


def joined_reading(readings: Sequence[Reading], name: str) -> Reading:
    """Return one row an image, with the targets of all readings of a dataset; an image that one lacks is null there.

    Args:
        readings: of one folder, each as a task describes it.
        name: of the dataset.

    Raises:
        OsteonError: the readings say different things of an image; names the column and the first images.
    """
    if len(readings) == 1:
        return readings[0]
    rows = readings[0].rows.set_index("image_id")
    for reading in readings[1:]:
        rows = _joined(rows, reading.rows.set_index("image_id"), name)
    rejected = pd.concat([reading.rejected for reading in readings], ignore_index=True).drop_duplicates(["path"])
    rejected = rejected[~rejected["path"].isin(rows["path"])]  # one description can use it
    notes = tuple(dict.fromkeys(note for reading in readings for note in reading.notes))
    return replace(readings[0], rows=rows.reset_index(), rejected=rejected.reset_index(drop=True), notes=notes)


def _joined(left: pd.DataFrame, right: pd.DataFrame, name: str) -> pd.DataFrame:
    both = left.index.intersection(right.index)
    for column in left.columns.intersection(right.columns):
        one, other = left.loc[both, column], right.loc[both, column]
        unlike = one.notna() & other.notna() & (one.astype(str) != other.astype(str))
        if unlike.any():
            first = ", ".join(map(str, both[unlike][:SHOWN]))
            raise OsteonError(
                f"tasks.*.dataset: two tasks describe the dataset {name!r} so that {int(unlike.sum()):,} images have "
                f"another {column} in each (first: {first}). Describe them alike, or train them apart."
            )
    return left.combine_first(right)
