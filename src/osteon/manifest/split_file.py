"""A split that others can use: a file of `image_id`, `group_id`, `split`, one row an image, or an earlier run's."""

from collections.abc import Collection
from pathlib import Path

import pandas as pd

from osteon.errors import OsteonError, nearest
from osteon.manifest.schema import SPLITS

COLUMNS = ("image_id", "group_id", "split")
MANIFEST = "manifest.parquet"  # of a run, whose split another run may follow
SHOWN = 5


def from_file(frame: pd.DataFrame, file: Path, left_out: Collection[str] = ()) -> pd.DataFrame:
    """Return `frame` with `group_id` and `split` as a file says, whatever split its rows had.

    Args:
        frame: a completed manifest.
        file: as `osteon data split` writes it, or a run folder, whose split is taken.
        left_out: images of the dataset that the run does not use (rejected, filtered): the file may name them.

    Raises:
        OsteonError: the file is missing or no such table; an image is listed twice, is unknown, or is missing there; a
            group or a patient is in two splits.
    """
    listed = _read(file)
    _refuse(file, listed["image_id"], listed["image_id"].duplicated(), "names an image twice")
    wrong = ~listed["split"].isin(SPLITS)
    _refuse(file, listed["split"], wrong, f"must hold {', '.join(SPLITS)}")
    known = listed["image_id"].isin([*frame["image_id"], *left_out])
    _refuse(file, listed["image_id"], ~known, "names images that the dataset does not have; is it another's split?")
    missing = frame["image_id"][~frame["image_id"].isin(listed["image_id"])]
    _refuse(file, missing, pd.Series(True, index=missing.index), "lacks images of the dataset")
    _refuse_torn(file, listed["group_id"], listed["split"], "group")
    rows = listed.set_index("image_id").loc[frame["image_id"]]
    done = frame.assign(group_id=rows["group_id"].to_numpy(), split=rows["split"].to_numpy())
    _refuse_torn(file, done["patient_id"], done["split"], "patient")
    return done


def _table(file: Path) -> pd.DataFrame:
    if not file.is_file():
        raise OsteonError(f"data.split_file={file}: there is no such file.")
    try:
        if file.name == MANIFEST:
            return pd.read_parquet(file, columns=list(COLUMNS))
        return pd.read_csv(file, dtype="str", keep_default_na=False)
    except (OSError, ValueError) as fault:
        kind = "parquet" if file.name == MANIFEST else "a CSV"
        raise OsteonError(f"data.split_file={file}: cannot be read as {kind} ({fault}).") from None


def _read(file: Path) -> pd.DataFrame:
    table = _table(file / MANIFEST if file.is_dir() else file)
    for column in COLUMNS:
        if column not in table:
            has = ", ".join(map(str, table.columns))
            raise OsteonError(
                f"data.split_file={file}: no column {column!r}.{nearest(column, map(str, table))} It has: {has}"
            )
    blank = (table[list(COLUMNS)] == "").any(axis=1)
    _refuse(file, table["image_id"], blank, "has rows with a blank cell")
    return table


def _refuse(file: Path, values: pd.Series, at_fault: pd.Series, rule: str) -> None:
    bad = values[at_fault]
    if len(bad):
        shown = ", ".join(map(repr, bad.head(SHOWN)))
        raise OsteonError(
            f"data.split_file={file}: {rule}: {len(bad):,}: {shown}{' ...' if len(bad) > SHOWN else ''}. "
            "Make it anew: osteon data split"
        )


def _refuse_torn(file: Path, key: pd.Series, split: pd.Series, said: str) -> None:
    """Refuse a group or patient with rows in several splits."""
    torn = split.where(key.notna()).groupby(key).transform("nunique") > 1
    _refuse(file, key[torn].drop_duplicates(), pd.Series(True, index=key[torn].drop_duplicates().index),
            f"has a {said} in two splits")  # fmt: skip
