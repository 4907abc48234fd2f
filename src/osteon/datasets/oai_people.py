"""Sex and age of the OAI's participants, from Enrollees and SubjectChar00 where they lie beside the readings."""

from pathlib import Path

import pandas as pd

from osteon.datasets.cells import age, mapped
from osteon.datasets.listing import names
from osteon.datasets.oai_codes import PARTED, code, missing
from osteon.datasets.sheet import read_capitals, refuse, require
from osteon.errors import OsteonError

SEXES = {"1": "M", "1: male": "M", "2": "F", "2: female": "F"}


def read(root: Path, below: list[str], patients: pd.Series, months: pd.Series, notes: list[str]) -> pd.DataFrame:
    """Return `sex` and `age_years` a row; null, with a note, where a table is missing.

    Args:
        root: the dataset's folder.
        below: folders of it to look in, relative.
        patients: `oai:<id>` a row.
        months: since the baseline visit, a row. The age at a later visit is the baseline's and these.
        notes: gets a line a table that is missing.

    Raises:
        OsteonError: a table lacks its column, or a cell is no id, sex or age.
    """
    found = pd.DataFrame({"sex": None, "age_years": None}, index=patients.index, dtype=object)
    ids = patients.str.removeprefix("oai:")
    people = _table(root, below, "Enrollees.txt", "P02SEX", notes)
    if people is not None:
        file, sheet = people
        said = sheet["P02SEX"].str.replace(r"\s*:\s*", ": ", regex=True).mask(missing(code(sheet["P02SEX"])))
        sexes = mapped(file, said, SEXES, "must hold 1 (male), 2 (female) or a missing code")
        found["sex"] = ids.map(dict(zip(sheet["ID"], sexes, strict=True)))
    people = _table(root, below, "SubjectChar00.txt", "V00AGE", notes)
    if people is not None:
        file, sheet = people
        codes = code(sheet["V00AGE"])
        years = age(file, codes.mask(missing(codes)).rename("V00AGE"))
        found["age_years"] = ids.map(dict(zip(sheet["ID"], years, strict=True))).astype("float64") + months / 12
    return found


def _table(root: Path, below: list[str], name: str, column: str, notes: list[str]) -> tuple[Path, pd.DataFrame] | None:
    """Return a table of one row a participant that has the column; None, with a note, where there is no such file."""
    places = [root / at / file for at in below for file in names(root / at) if file.casefold() == name.casefold()]
    if not places:
        notes.append(f"no {name}: {'sex' if column == 'P02SEX' else 'age'} is unknown")
        return None
    if len(places) > 1:
        raise OsteonError(f"{root}: two tables {name}: {places[0]} and {places[1]}. Leave one there.")
    sheet = read_capitals(places[0], "|")
    require(sheet, ("ID", column), places[0], PARTED)
    refuse(places[0], sheet["ID"], sheet["ID"].isna(), "must not be blank")
    refuse(places[0], sheet["ID"], sheet["ID"].duplicated(keep=False), "names a participant twice")
    return places[0], sheet
