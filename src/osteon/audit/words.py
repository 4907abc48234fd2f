"""What an audit found, in sentences that a clinician reads."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from osteon.predictions import TaskFacts
from osteon.scoring.comparison.words import named

# What a baseline that comes near the model may mean, and what to do about it.
MEANING = {
    "metadata": "Part of what the model knows may be who the patient is and where the film was taken, not what the "
    "bone shows. Compare within such groups, or train and test on matched ones.",
    "seen": "Part of what the model knows may be who gets a cast or metal, not what the bone shows. Read the rows "
    "without them, or leave such films out.",
    "size": "Part of what the model knows may be where and how the film was made, not what the bone shows. Look at "
    "sizes by class; test on films of another site.",
    "margin": "The model may read a marker, a sticker or burned-in text, not the bone; on films cropped to a joint the "
    "margin shows bone as well, and then this says little. Look at the margins by class, mask them, and train again.",
}


def warnings(table: pd.DataFrame, tasks: Mapping[str, TaskFacts]) -> list[str]:
    """Return a sentence for every baseline that comes near a model and every group that does worse.

    Models that are not shown to be better than a baseline which itself tells nothing share a sentence a baseline.
    """
    said = [_near(row, tasks[row.task]) for row in _rows(table, "shortcut")]
    for _, part in table[table["verdict"] == "weak"].groupby("name", sort=False):
        said.append(_weak([*part.itertuples()], tasks))
    return said + [_worse(row, tasks[row.task]) for row in _rows(table, "worse")]


def _rows(table: pd.DataFrame, verdict: str) -> Any:
    return table[table["verdict"] == verdict].itertuples()


def _near(row: Any, facts: TaskFacts) -> str:
    unit = f" {facts.unit_name}" if facts.head == "regression" and facts.unit_name else ""
    bounds = f"[{_number(row.lo, facts)}, {_number(row.hi, facts)}]"
    said = f"{row.task}: {row.shown}: {named(row.metric)} {_number(row.value, facts)}{unit} {bounds}, "
    said += f"the model {_number(row.model, facts)}{unit}"
    if pd.notna(row.share):
        said += f"; that is {min(row.share, 9.99):.0%} of what the model has above chance"
    if row.difference_lo * row.difference_hi <= 0:
        said += ", and the model is not shown to be better"
    return f"{said}. {MEANING[row.name]}"


def _weak(rows: list[Any], tasks: Mapping[str, TaskFacts]) -> str:
    each = [
        f"{row.task} ({named(row.metric)} {_number(row.model, tasks[row.task])} against "
        f"{_number(row.value, tasks[row.task])}, difference {_number(row.difference, tasks[row.task])} "
        f"[{_number(row.difference_lo, tasks[row.task])}, {_number(row.difference_hi, tasks[row.task])}], n = {row.n})"
        for row in rows
    ]
    return (
        f"the model is not shown to be better than {rows[0].shown}: {'; '.join(each)}. Nor is it shown that these tell "
        "anything by themselves: the model is weak or the sample small."
    )


def _worse(row: Any, facts: TaskFacts) -> str:
    column, _, value = row.name.partition("=")
    where = f"{column.removesuffix('_years').replace('_', ' ')} is {value}"
    found = f"{_number(row.value, facts)} [{_number(row.lo, facts)}, {_number(row.hi, facts)}], n = {row.n}"
    return f"{row.task}: {named(row.metric)} is worse where {where}: {found} (0.05, Holm over all groups and scores)."


def _number(value: Any, facts: TaskFacts) -> str:
    if pd.isna(value):
        return "n/a"
    return f"{value:.1f}" if facts.head == "regression" else f"{value:.2f}"
