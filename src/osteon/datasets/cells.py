"""What a cell may say: one rule a kind of column, each refusing what it does not know by file, column and row."""

import math

import numpy as np
import pandas as pd

from osteon.config.targets import TargetSpec
from osteon.datasets.sheet import refuse
from osteon.datasets.wording import File

_YES_NO = {"1": 1.0, "1.0": 1.0, "true": 1.0, "yes": 1.0, "0": 0.0, "0.0": 0.0, "false": 0.0, "no": 0.0}
_LATERALITY = {"l": "L", "left": "L", "r": "R", "right": "R"}
_SEX = {"f": "F", "female": "F", "m": "M", "male": "M"}
_SPLIT = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
OLDEST = 130.0


def target(file: File, values: pd.Series, spec: TargetSpec) -> pd.Series:
    """Return a target as float: 0/1, a class index, or a number in its range; null where the cell is blank.

    Class names are matched first. Indices are understood only where no name is a number: KL grades 1 to 4 would be
    read one off.
    """
    if spec.kind == "binary":
        return mapped(file, values, _YES_NO, "must hold 0/1, true/false, yes/no or blank").astype("float64")
    if spec.kind == "regression":
        return number(file, values, spec.low, spec.high, spec.unit)
    words = {name.strip().casefold(): float(index) for index, name in enumerate(spec.classes)}
    if not any(_is_number(name) for name in spec.classes):
        words |= {text: float(i) for i in range(len(spec.classes)) for text in (str(i), f"{i}.0")}
    return mapped(file, values, words, f"must hold one of {', '.join(spec.classes)}").astype("float64")


def number(file: File, values: pd.Series, low: float | None, high: float | None, unit: str) -> pd.Series:
    """Return numbers from `low` to `high` (None: no bound) as float; null where the cell is blank."""
    least, most = -math.inf if low is None else low, math.inf if high is None else high
    numbers = pd.to_numeric(values, errors="coerce").astype("float64")
    fits = numbers.between(least, most) & np.isfinite(numbers)
    refuse(file, values, values.notna() & ~fits, f"must hold {unit} from {least:g} to {most:g} or blank")
    return numbers


def laterality(file: File, values: pd.Series) -> pd.Series:
    """Return L, R or null."""
    return mapped(file, values, _LATERALITY, "must hold L, R, left, right or blank")


def sex(file: File, values: pd.Series) -> pd.Series:
    """Return F, M or null; 0 and 1 are refused, as one table's 1 is another's 0."""
    return mapped(file, values, _SEX, "must hold F, M, female, male or blank (0 and 1 do not say which is which)")


def split(file: File, values: pd.Series) -> pd.Series:
    """Return train, val, test or null."""
    return mapped(file, values, _SPLIT, "must hold train, val, valid, validation, test or blank")


def age(file: File, values: pd.Series) -> pd.Series:
    """Return years as float."""
    return number(file, values, 0.0, OLDEST, "years")


def frame(file: File, values: pd.Series) -> pd.Series:
    """Return the frame number, 0 where blank."""
    known = values.fillna("0")
    refuse(file, known, ~known.str.fullmatch(r"\d{1,9}(\.0)?"), "must hold a frame number (0, 1, ...) or blank")
    return known.astype("float64").astype("int64")


def covariate(values: pd.Series) -> pd.Series:
    """Return floats where every known cell is a number or yes/no, else the strings as they are."""
    words = values.str.casefold().map(_YES_NO).astype("float64")
    numbers = words.where(words.notna(), pd.to_numeric(values, errors="coerce").astype("float64"))
    return numbers if (numbers.notna() | values.isna()).all() else values


def mapped(
    file: File, values: pd.Series, words: dict[str, object] | dict[str, float] | dict[str, str], rule: str
) -> pd.Series:
    """Return what each cell stands for, whatever its case; null where it is blank.

    Raises:
        OsteonError: a cell that is none of `words`.
    """
    found = values.str.casefold().map(words).astype(object)
    refuse(file, values, values.notna() & found.isna(), rule)
    return found


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
