"""External validation: what is learned from and what is tested on, chosen by dataset, site or body part."""

import pandas as pd

from osteon.config.data import Part
from osteon.errors import OsteonError, nearest

SHOWN = 8


def hold_out(frame: pd.DataFrame, part: Part) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Make the rows that are asked for the test set, before the others are divided into train and val.

    Left out are other images of patients who are tested, copies of tested images, and what the owners of the data set
    aside as their test: it is not learned from.

    Args:
        frame: manifest with `group_id` and `slot`; `split` holds official values or none.
        part: `data.test_on`.

    Returns:
        The rows that are kept, and notes.

    Raises:
        OsteonError: no row is as asked, or all are.
    """
    tested = matching(frame, part, "data.test_on")
    if tested.all():
        raise OsteonError(f"data.test_on: all {len(frame):,} images are of {_said(part)}; none is left to learn from.")
    theirs = frame["group_id"].isin(frame.loc[tested, "group_id"]) | frame["slot"].isin(frame.loc[tested, "slot"])
    theirs &= ~tested
    official = ~tested & ~theirs & (frame["split"] == "test")
    kept = frame.assign(split=frame["split"].mask(tested, "test"))[~theirs & ~official]
    unknown = _unknown(kept[kept["split"] != "test"], part)
    patients = frame.loc[tested, "group_id"].nunique()
    notes = [f"test is {_said(part)}: {int(tested.sum()):,} images of {patients:,} groups (patients)"]
    if theirs.any():
        notes.append(f"left out: {int(theirs.sum()):,} other images of groups that are tested, or copies")
    if official.any():
        notes.append(f"left out: {int(official.sum()):,} images of an official test set, not learned from")
    if unknown:
        notes.append(
            f"{unknown:,} images do not say their {' or '.join(part.wanted)} and may be of it; they are learned from. "
            "Leave them out: data.train_on"
        )
    return kept, tuple(notes)


def learn_from(frame: pd.DataFrame, part: Part) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Leave out the rows of train and val that are not as asked for.

    Args:
        frame: manifest, divided.
        part: `data.train_on`.

    Returns:
        The rows that are kept, and notes.

    Raises:
        OsteonError: no row is as asked.
    """
    left = ~matching(frame, part, "data.train_on") & (frame["split"] != "test")
    others = f"; {int(left.sum()):,} other images of train and val are left out" if left.any() else ""
    return frame[~left], (f"learned from: {_said(part)}{others}",)


def matching(frame: pd.DataFrame, part: Part, key: str) -> pd.Series:
    """Return which rows are as a part says, bool.

    Raises:
        OsteonError: a value that no row has; names those there are.
    """
    found = pd.Series(True, index=frame.index)
    for column, wanted in part.wanted.items():
        held = set(frame[column].dropna())
        for value in wanted:
            if value not in held:
                raise OsteonError(f"{key}.{column}: no image has {value!r}.{_those_there_are(value, frame[column])}")
        found &= frame[column].isin(wanted).fillna(False).astype(bool)
    if not found.any():
        raise OsteonError(f"{key}: no image is of {_said(part)}.")
    return found


def _those_there_are(value: str, cells: pd.Series) -> str:
    held, unknown = cells.value_counts(), int(cells.isna().sum())
    shown = ", ".join(f"{name} ({count:,} images)" for name, count in held.head(SHOWN).items())
    more = " ..." if len(held) > SHOWN else ""
    blank = f"; {unknown:,} images say none (in a private set also where few patients share one)" if unknown else ""
    return (
        f"{nearest(value, map(str, held.index))} "
        f"There are: {shown or f'none, as nothing says the {cells.name}'}{more}{blank if shown else ''}"
    )


def _unknown(frame: pd.DataFrame, part: Part) -> int:
    """Return how many rows do not say what a part asks for; they may be of it."""
    return int(frame[list(part.wanted)].isna().any(axis=1).sum())


def _said(part: Part) -> str:
    return ", ".join(f"{column}={'|'.join(wanted)}" for column, wanted in part.wanted.items())
