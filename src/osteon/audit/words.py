"""What an audit found, in sentences that a clinician reads."""

from typing import Any

import pandas as pd

from osteon.predictions import TaskFacts
from osteon.scoring.comparison.words import named

WHAT = {
    "metadata": "Part of what the model knows may be who the patient is and where the film was taken, not what the bone "
    "shows.",
    "seen": "Part of what the model knows may be who gets a cast or metal, not what the bone shows.",
    "size": "Part of what the model knows may be where and how the film was made, not what the bone shows.",
    "margin": "The model may read a marker, a sticker or burned-in text, not the bone.",
}
NEXT = {
    "metadata": "Compare within such groups, or train and test on matched ones.",
    "seen": "Read the rows without a cast or metal, or leave such films out.",
    "size": "Look at sizes by class; test on films of another site.",
    "margin": "Look at the margins of the films by class, crop or mask them, and train again.",
}


def warning(row: Any, facts: TaskFacts) -> str:
    """Return what a row of the audit warns of; "" where it warns of nothing."""
    if row.verdict == "shortcut":
        return f"{_subject(row)}{_near(row, facts)} {WHAT[row.name]} {NEXT[row.name]}"
    if row.verdict == "weak":
        return (
            f"{_subject(row)}the model's {named(row.metric)} of {_number(row.model, facts)} is not shown to be better than "
            f"that of {row.shown} ({_number(row.value, facts)}; difference {_number(row.difference, facts)} "
            f"[{_number(row.difference_lo, facts)}, {_number(row.difference_hi, facts)}], n = {row.n}). Neither is it shown "
            "that these tell anything: the model is weak or the sample small."
        )
    if row.verdict == "worse":
        return (
            f"{_subject(row)}{named(row.metric)} is worse where {_group(row.name)}: {_number(row.value, facts)} "
            f"[{_number(row.lo, facts)}, {_number(row.hi, facts)}] on {row.n} units. One of many groups is so by chance."
        )
    return ""


def _subject(row: Any) -> str:
    return f"{row.task}: "


def _near(row: Any, facts: TaskFacts) -> str:
    unit = f" {facts.unit_name}" if facts.head == "regression" and facts.unit_name else ""
    said = f"{row.shown} gives {named(row.metric)} {_number(row.value, facts)}{unit}"
    bounds = f"[{_number(row.lo, facts)}, {_number(row.hi, facts)}]"
    said += f" {bounds}, the model {_number(row.model, facts)}{unit}"
    if pd.notna(row.share):
        said += f": {min(row.share, 9.99):.0%} of what the model has above chance"
    if row.difference_lo * row.difference_hi <= 0:
        said += ", and the model is not shown to be better"
    return f"{said}."


def _number(value: Any, facts: TaskFacts) -> str:
    if pd.isna(value):
        return "n/a"
    return f"{value:.1f}" if facts.head == "regression" else f"{value:.2f}"


def _group(name: str) -> str:
    column, _, value = name.partition("=")
    return f"{column.removesuffix('_years').replace('_', ' ')} is {value}"
