"""What a cell may say: one rule a kind of column, each refusing what it does not know by file, column and row."""

import pandas as pd

from osteon.config.specs import TargetSpec
from osteon.datasets.sheet import refuse
from osteon.datasets.wording import File

_YES_NO = {"1": 1.0, "1.0": 1.0, "true": 1.0, "yes": 1.0, "0": 0.0, "0.0": 0.0, "false": 0.0, "no": 0.0}
_LATERALITY = {"l": "L", "left": "L", "r": "R", "right": "R"}
_SEX = {"f": "F", "female": "F", "m": "M", "male": "M"}
_SPLIT = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
OLDEST = 130.0


def target(file: File, values: pd.Series, spec: TargetSpec) -> pd.Series:
    """Return a target as float: 0/1, or a class index; null where the cell is blank.

    Class names are matched first. Indices are understood only where no name is a number: KL grades 1 to 4 would be
    read one off.
    """
    if spec.kind == "binary":
        return _mapped(file, values, _YES_NO, "must hold 0/1, true/false, yes/no or blank").astype("float64")
    words = {name.strip().casefold(): float(index) for index, name in enumerate(spec.classes)}
    if not any(_is_number(name) for name in spec.classes):
        words |= {text: float(i) for i in range(len(spec.classes)) for text in (str(i), f"{i}.0")}
    return _mapped(file, values, words, f"must hold one of {', '.join(spec.classes)}").astype("float64")


def laterality(file: File, values: pd.Series) -> pd.Series:
    """Return L, R or null."""
    return _mapped(file, values, _LATERALITY, "must hold L, R, left, right or blank")


def sex(file: File, values: pd.Series) -> pd.Series:
    """Return F, M or null; 0 and 1 are refused, as one table's 1 is another's 0."""
    return _mapped(file, values, _SEX, "must hold F, M, female, male or blank (0 and 1 do not say which is which)")


def split(file: File, values: pd.Series) -> pd.Series:
    """Return train, val, test or null."""
    return _mapped(file, values, _SPLIT, "must hold train, val, valid, validation, test or blank")


def age(file: File, values: pd.Series) -> pd.Series:
    """Return years as float."""
    years = pd.to_numeric(values, errors="coerce").astype("float64")
    refuse(file, values, values.notna() & ~years.between(0.0, OLDEST), f"must hold years from 0 to {OLDEST:g} or blank")
    return years


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


def _mapped(
    file: File, values: pd.Series, words: dict[str, object] | dict[str, float] | dict[str, str], rule: str
) -> pd.Series:
    found = values.str.casefold().map(words).astype(object)
    refuse(file, values, values.notna() & found.isna(), rule)
    return found


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
