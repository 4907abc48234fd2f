"""What a dataset holds against what its complete release does."""

import pandas as pd

from osteon.manifest import Card, Target
from osteon.manifest.boxes import array_of, looked


def counted(rows: pd.DataFrame, rejected: int, key: str, card: Card) -> int | None:
    """Return how many there are of what a card's `expected` names; None where the rows cannot tell.

    Args:
        rows: the manifest's rows that can be used.
        rejected: how many rows cannot.
        key: `images`, `patients`, `studies` (a patient's), `left out`, a binary target (its positives), or
            `column=value`, where a class goes by its name and rows of no split count as train; of boxes it is the
            boxes of the class that count.
        card: what the dataset says of itself.
    """
    if key == "images":
        return len(rows) + rejected
    if key == "patients":
        return int(rows["patient_id"].nunique())
    if key == "studies":
        return len(rows[["patient_id", "study_id"]].drop_duplicates())
    column, _, value = key.partition("=")
    if column not in rows:
        return None
    if column in card.targets and card.targets[column].kind == "boxes":
        return _boxes(rows[column], card.targets[column]).get(value)
    return int((_said(rows, column, card.targets.get(column)) == (value or "1")).sum())


def _said(rows: pd.DataFrame, column: str, target: Target | None) -> pd.Series:
    """Return a column as the words that a key compares with."""
    if column == "split":
        return rows["split"].fillna("train")
    if target and target.classes:
        return rows[column].map(dict(enumerate(target.classes)))
    return rows[column].map(lambda value: f"{value:g}" if isinstance(value, float) else str(value))


def _boxes(cells: pd.Series, target: Target) -> dict[str, int]:
    """Return how many boxes of each class there are."""
    known = [array_of(cell)[:, 4] for cell in cells[looked(cells)]]
    found = pd.Series([index for indices in known for index in indices], dtype="float64").value_counts()
    return {name: int(found.get(float(index), 0)) for index, name in enumerate(target.classes)}


def labels(rows: pd.DataFrame, name: str, target: Target) -> str:
    """Return in words how a target is distributed over rows: counts of classes or boxes, or the spread of a number."""
    known = rows[name].dropna()
    if known.empty:
        return "none labelled"
    without = f", {len(rows) - len(known):,} unlabelled" if len(known) < len(rows) else ""
    if target.kind == "boxes":
        empty = int((known.map(len) == 0).sum())
        each = ", ".join(f"{name} {count:,}" for name, count in _boxes(known, target).items())
        told = f"{each} box(es) on {len(known) - empty:,} of {len(known):,} images"
    elif target.kind == "regression":
        told = f"{len(known):,}: mean {known.mean():.1f}, {known.min():g} to {known.max():g} {target.unit}"
    elif target.kind == "binary":
        told = f"{int((known == 1).sum()):,} of {len(known):,} ({(known == 1).mean():.1%})"
    else:
        counts = known.value_counts()
        told = ", ".join(f"{said} {int(counts.get(float(i), 0)):,}" for i, said in enumerate(target.classes))
    return told + without
