"""A hospital's own data in its plain form: one table with a row an image, beside a folder of images."""

import posixpath
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from osteon.config.specs import TableSpec
from osteon.datasets import cells
from osteon.datasets.listing import absent, part
from osteon.datasets.root import LocatedCard
from osteon.datasets.sheet import read_sheet, refuse, require
from osteon.errors import OsteonError, nearest
from osteon.manifest.target import Reading, Target

_PLAIN = ("study_id", "view", "body_part", "site", "device")
_RULED: dict[str, Callable[[Path, pd.Series], pd.Series]] = {
    "laterality": cells.laterality,
    "sex": cells.sex,
    "split": cells.split,
    "age_years": cells.age,
    "frame": cells.frame,
}
COLUMNS = ("path", "image_id", "patient_id", *_PLAIN, *_RULED)

RESERVED = (
    "dataset",
    "group_id",
    "slot",
    "task",
    "target",
    "unit_id",
    "source",
    "probability",
    "probabilities",
    "value",
)


def card(spec: TableSpec) -> LocatedCard:
    """Return what the config says of a table."""
    return LocatedCard(
        name=spec.name,
        title=f"{spec.name}: {spec.file} beside {spec.images}",
        folders=(spec.name,),
        licence=spec.licence,
        citation=spec.citation,
        gated=spec.gated,
        patient_ids=True,
        targets={
            name: Target(target.meaning, target.kind, tuple(target.classes)) for name, target in spec.targets.items()
        },
        landmarks=(spec.file,),
    )


def read(root: Path, spec: TableSpec) -> Reading:
    """Read the table, cell by cell under the rule of its column.

    Columns go by the manifest's names or by `spec.columns`. `path` and the targets are required; a manifest column
    that the table lacks is null.

    Raises:
        OsteonError: a column is missing or unknown, a cell breaks its rule, a path leaves the folder of images, or an
            image stands there twice.
    """
    for key, value in (("file", spec.file), ("images", spec.images)):
        if value.startswith("/") or ".." in value.split("/"):
            raise OsteonError(f"dataset.{key}: found {value!r}, expected a place below the dataset's folder {root}.")
    file = root / spec.file
    sheet = read_sheet(file)
    _check_columns(file, sheet, spec)
    rows = pd.DataFrame({"dataset": spec.name, "frame": 0}, index=sheet.index)
    paths = _paths(file, sheet[_column(spec, "path")])
    rows["path"] = paths if spec.images in {".", ""} else spec.images.strip("/") + "/" + paths
    for name in (*_PLAIN, *_RULED):
        if _column(spec, name) in sheet:
            values = sheet[_column(spec, name)]
            rows[name] = _RULED[name](file, values) if name in _RULED else values
    patients = _column(spec, "patient_id")
    if patients in sheet:
        _same_spelling(file, sheet[patients])
        rows["patient_id"] = f"{spec.name}:" + sheet[patients]
    rows["image_id"] = _image_ids(file, sheet, rows, spec)
    for name in spec.covariates:
        rows[name] = cells.covariate(sheet[_column(spec, name)])
    for name, target in spec.targets.items():
        rows[name] = cells.target(file, sheet[_column(spec, name)], target)
    reasons = pd.Series(None, index=rows.index, dtype="object")
    reasons[absent(root, rows["path"])] = f"listed in {spec.file}, but not on disk"
    return Reading(*part(rows, reasons))


def _column(spec: TableSpec, name: str) -> str:
    return spec.columns.get(name, name)


def _check_columns(file: Path, sheet: pd.DataFrame, spec: TableSpec) -> None:
    meant = (*COLUMNS, *spec.targets, *spec.covariates)
    for name in spec.columns:
        if name not in meant:
            raise OsteonError(
                f"dataset.columns: {name!r} is no column of the manifest, target or covariate."
                f"{nearest(name, meant)} There are: {', '.join(meant)}"
            )
    clash = [name for name in (*spec.targets, *spec.covariates) if name in {*COLUMNS, *RESERVED}]
    if clash:
        raise OsteonError(
            f"dataset.targets, dataset.covariates: {clash[0]!r} is a name that Osteon uses itself. "
            f"Give yours another and map it: dataset.columns.my_{clash[0]}={clash[0]}"
        )
    require(sheet, [_column(spec, name) for name in ("path", *spec.targets, *spec.covariates)], file)
    require(sheet, spec.columns.values(), file)


def _paths(file: Path, values: pd.Series) -> pd.Series:
    """Return posix paths below the folder of images."""
    refuse(file, values, values.isna(), "must not be blank")
    paths = values.str.replace("\\", "/").str.replace(r"^(\./)+", "", regex=True)
    leaving = paths.str.contains(r"^/|^[A-Za-z]:|(?:^|/)\.\.(?:/|$)", regex=True)
    refuse(file, values, leaving, "must hold paths below the folder of images, not absolute and without ..")
    return paths.map(posixpath.normpath).astype("str")


def _same_spelling(file: Path, ids: pd.Series) -> None:
    """Refuse ids that differ only in case or a trailing `.0`: one patient under two ids may cross splits."""
    distinct = ids.dropna().drop_duplicates()
    plain = distinct.str.casefold().str.replace(r"\.0+$", "", regex=True)
    twins = distinct[plain.duplicated(keep=False)]
    refuse(file, ids, ids.isin(twins), "spells one id in several ways; write it alike everywhere")


def _image_ids(file: Path, sheet: pd.DataFrame, rows: pd.DataFrame, spec: TableSpec) -> pd.Series:
    """Return the table's ids, else the paths (with the frame where one file has several rows)."""
    path = sheet[_column(spec, "path")]
    refuse(file, path, rows.duplicated(["path", "frame"], keep=False), "names an image twice; one row an image")
    column = _column(spec, "image_id")
    if column in sheet:
        refuse(file, sheet[column], sheet[column].isna(), "must not be blank")
        refuse(file, sheet[column], sheet[column].duplicated(keep=False), "names an image twice; one row an image")
        return sheet[column]
    several = rows["path"].duplicated(keep=False)
    return rows["path"].where(~several, rows["path"] + "#" + rows["frame"].astype("str"))
