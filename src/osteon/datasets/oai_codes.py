"""Cells of the OAI's tables: `2: Minimal` says 2, and `.T` says why there is nothing."""

import pandas as pd

PARTED = "The release parts fields by '|'."
MISSING = {".M": "missing", ".T": "technical fault of the film", ".J": "excluded", ".": "blank", "": "blank"}


def code(values: pd.Series) -> pd.Series:
    """Return what stands before the colon of each cell; null where it is blank."""
    return values.str.replace(":.*", "", regex=True).str.strip()


def missing(codes: pd.Series) -> pd.Series:
    """Return which codes are blank or a code of a missing value: a point and perhaps a letter."""
    return codes.isna() | codes.fillna(".").str.fullmatch(r"\.[A-Za-z]?").astype(bool)


def unknown(cell: object) -> str:
    """Return a cell without a value in words, such as `.T, technical fault of the film`."""
    text = cell.split(":")[0].strip().upper() if isinstance(cell, str) else ""
    said = MISSING.get(text, "a code that is not known")
    return f"{text}, {said}" if text not in ("", ".") else said
