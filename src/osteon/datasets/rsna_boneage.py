"""RSNA Pediatric Bone Age 2017 (Halabi et al. 2019, doi:10.1148/radiol.2018180736) as RSNA or Kaggle hand it out.

No patient is known. Each of the three sets has its own table, with columns and a coding of sex of its own.
"""

import posixpath
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from osteon.config.specs import RsnaBoneAgeSpec
from osteon.datasets import cells
from osteon.datasets.listing import folders, is_image, names, part, repeated
from osteon.datasets.root import LocatedCard
from osteon.datasets.sheet import read_sheet, refuse, require, some
from osteon.errors import OsteonError
from osteon.manifest.target import Reading, Target

# Set -> what the names of its table and folders hold. The nearest name wins: a set's folder may hold another's table.
SETS = {"training": "train", "validation": "val", "test": "test"}
COLUMNS = {
    "training": ("id", "male", "boneage"),
    "validation": ("Image ID", "male", "Bone Age (months)"),
    "test": ("Case ID", "Sex"),
}
OLDEST = 240.0  # months
DEPTH = 3  # the Kaggle copy nests its folders twice, RSNA's own lie below a folder a zip
_MALE = {"true": "M", "1": "M", "false": "F", "0": "F"}


def card(spec: RsnaBoneAgeSpec) -> LocatedCard:
    """Return the challenge's terms, counts and target."""
    return LocatedCard(
        name=spec.name,
        title="RSNA Pediatric Bone Age Challenge 2017: hands of children",
        folders=("rsna_boneage", "rsna-bone-age", "boneage"),
        licence="RSNA terms of use: academic and non-commercial, no re-identification, attribution",
        citation="Halabi et al. 2019, The RSNA Pediatric Bone Age Machine Learning Challenge, Radiology 290(2), "
        "doi:10.1148/radiol.2018180736",
        gated=True,
        patient_ids=False,
        targets={
            "bone_age": Target(
                "skeletal age of the hand in months, as read by several radiologists",
                "regression",
                unit="months",
                low=0.0,
                high=OLDEST,
            )
        },
        expected=_expected(spec),
        split_names=_split_names(spec, SETS),
        landmarks=("boneage-training-dataset.csv", "boneage-training-dataset", "Bone Age Training Set"),
    )


def _expected(spec: RsnaBoneAgeSpec) -> dict[str, int]:
    if spec.validation_as == "test":
        return {"images": 14_036, "split=train": 12_611, "split=test": 1_425}
    sizes = {"images": 14_236, "split=train": 12_611, "split=val": 1_425, "split=test": 200}
    return sizes | {"sex=M": 7_706, "sex=F": 6_530}


def _split_names(spec: RsnaBoneAgeSpec, held: Iterable[str]) -> dict[str, str]:
    if spec.validation_as == "test":
        return {"test": "validation"} if "validation" in held else {}
    return {split: name for name, split in SETS.items() if name in held and name != "training"}


def read(root: Path, spec: RsnaBoneAgeSpec) -> Reading:
    """Read the tables of the sets that are there and find each image, however deep its folder is nested.

    Raises:
        OsteonError: no table or no training set is there, a table lacks a column, or a cell is no id, age or sex.
    """
    notes: list[str] = []
    below = folders(root, DEPTH)
    tables = _tables(root, below)
    read_in = {name: _set(root, below, name, file, notes) for name, file in tables.items()}
    held = {name: rows for name, rows in read_in.items() if rows is not None}
    notes += [f"no table of the {name} set" for name in SETS if name not in tables]
    if not held:
        raise OsteonError(
            f"{root}: tables of {', '.join(tables)}, but no image <id>.png of any; unpack the zips there."
        )
    if "training" not in held:
        raise OsteonError(
            f"{root}: no training set; found {', '.join(held)}. It is boneage-training-dataset.csv (id,boneage,male) "
            f"beside the folder boneage-training-dataset. {'. '.join(notes)}."
        )
    if spec.validation_as == "test" and held.pop("test", None) is not None:
        of = "the validation set is the test" if "validation" in held else "a test is cut from the training set"
        notes.append(f"the test set has no ages and is left out; {of}")
    names_ = _split_names(spec, held)
    rows = pd.concat([_placed(name, rows, spec, names_) for name, rows in held.items()], ignore_index=True)
    rows["dataset"], rows["frame"], rows["body_part"] = spec.name, 0, "hand"
    kept, rejected = part(rows.drop(columns="reason"), rows["reason"])
    return Reading(kept, rejected, tuple(notes), names_)


def _placed(name: str, rows: pd.DataFrame, spec: RsnaBoneAgeSpec, official: dict[str, str]) -> pd.DataFrame:
    """Return a set's rows with their split; without a test of its own one is cut from the training set."""
    split = spec.validation_as if name == "validation" else SETS[name]
    return rows.assign(split=split if name != "training" or "test" in official else None)


def set_of(path: str) -> str | None:
    """Return the set that a table or folder belongs to, by the last part of its path that tells."""
    for name in reversed(path.casefold().split("/")):
        for known, word in SETS.items():
            if word in name:
                return known
    return None


def _tables(root: Path, below: list[str]) -> dict[str, Path]:
    """Return set -> its table."""
    found: dict[str, list[str]] = {}
    listed = [posixpath.join(folder, name) for folder in below for name in names(root / folder)]
    for path in (path for path in listed if path.casefold().endswith(".csv")):
        known = set_of(path)
        if known:
            found.setdefault(known, []).append(path)
    for name, paths in found.items():
        if len(paths) > 1:
            raise OsteonError(f"{root}: the table of the {name} set could be {some(paths)}. Leave one there.")
    if not found:
        raise OsteonError(
            f"{root}: no table of the training, validation or test set; expected boneage-training-dataset.csv "
            f"(id,boneage,male). Folders there: {', '.join(below[1:9]) or 'none'}"
        )
    return {name: root / found[name][0] for name in SETS if name in found}


def _set(root: Path, below: list[str], name: str, file: Path, notes: list[str]) -> pd.DataFrame | None:
    """Return a set's rows and the reasons of those to reject; None where none of its images is there."""
    rows = _labels(file, name, notes)
    places = _places(root, below, name, notes)
    if not places:
        notes.append(f"{file.name}: no image of the {name} set lies there; its {len(rows):,} rows are left out")
        return None
    extra = sorted(set(places) - set(rows["id"]))
    if extra:
        notes.append(f"images of the {name} set on disk but not in {file.name} (left out): {some(extra)}")
    rows["path"] = rows["id"].map(places)
    rows["reason"] = repeated(rows["id"], rows["bone_age"].astype("str") + rows["sex"].astype("str"))
    rows.loc[rows["path"].isna(), "reason"] = f"listed in {file.name}, but not on disk"
    rows["path"] = rows["path"].where(rows["path"].notna(), rows["id"] + ".png")
    return rows.assign(image_id=f"{name}/" + rows["id"]).drop(columns="id")


def _labels(file: Path, name: str, notes: list[str]) -> pd.DataFrame:
    """Return `id`, `sex` and `bone_age` (months, null in a table without ages)."""
    sheet = read_sheet(file)
    columns = _schema(sheet, file, name)
    unread = [column for column in sheet.columns if column not in columns]
    if unread:
        notes.append(f"{file.name}: columns that are not read: {', '.join(unread)}")
    ids = sheet[columns[0]].str.removesuffix(".png")
    refuse(file, sheet[columns[0]], ~ids.str.fullmatch(r"\d+").fillna(False).astype(bool), "must hold a number")
    rows = pd.DataFrame({"id": ids})
    sexes = sheet[columns[1]]
    rows["sex"] = cells.mapped(file, sexes, _MALE, "must hold True, False or blank") if columns[1] == "male" else None
    if columns[1] != "male":
        rows["sex"] = cells.sex(file, sexes)
    ages = sheet[columns[2]] if len(columns) > 2 else pd.Series(None, index=sheet.index, dtype="str")
    return rows.assign(bone_age=cells.number(file, ages, 0.0, OLDEST, "months"))


def _schema(sheet: pd.DataFrame, file: Path, name: str) -> tuple[str, ...]:
    """Return the columns of the set's own table, or of another set's table where all of those are there."""
    for columns in (COLUMNS[name], COLUMNS["training"], COLUMNS["validation"]):
        if set(columns) <= set(sheet.columns):
            return columns
    require(sheet, COLUMNS[name], file)
    raise AssertionError("require() raises where a column is missing")


def _places(root: Path, below: list[str], name: str, notes: list[str]) -> dict[str, str]:
    """Return id -> path of a set's images; of several of one id the one that lies nearest to the root."""
    places: dict[str, str] = {}
    again = []
    for folder in below:
        for image in names(root / folder) if set_of(folder) == name else ():
            number = posixpath.splitext(image)[0]
            if is_image(image) and places.setdefault(number, f"{folder}/{image}") != f"{folder}/{image}":
                again.append(f"{folder}/{image}")
    if again:
        notes.append(f"images of the {name} set that lie there twice (the others are left out): {some(again)}")
    return places
