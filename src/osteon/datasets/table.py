"""A hospital's own data in its plain form: one table with a row an image, beside a folder of images.

Where a target is of boxes the table has a row a box (`osteon.datasets.box_rows`), and is folded first.
"""

import posixpath
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from osteon.config.specs import TableSpec
from osteon.datasets import box_rows, cells
from osteon.datasets.listing import absent, part
from osteon.datasets.root import LocatedCard
from osteon.datasets.sheet import RENAMED, read_sheet, refuse, require
from osteon.datasets.wording import File, PrivateFile
from osteon.errors import OsteonError, nearest
from osteon.manifest.target import Reading, Target

_PLAIN = ("study_id", "view", "body_part", "site", "device")
_RULED: dict[str, Callable[[File, pd.Series], pd.Series]] = {
    "laterality": cells.laterality,
    "sex": cells.sex,
    "split": cells.split,
    "age_years": cells.age,
    "frame": cells.frame,
}
COLUMNS = ("path", "image_id", "patient_id", *_PLAIN, *_RULED)
_IDENTITY = ("path", "image_id", "patient_id", "study_id")
# What is added to the manifest later, and the columns of predictions.
RESERVED = (
    *("dataset", "group_id", "slot", "decision"),
    *("task", "target", "unit_id", "source", "probability", "probabilities", "value"),
)
SHARED = 3  # patients: a value of an open column that fewer have may be a name, a serial number, a remark
VIEWS = frozenset(
    ("ap", "pa", "lat", "lateral", "frontal", "oblique", "axial", "axillary", "frog", "mortise", "tunnel", "skyline")
)
_LEAVING = r"^/|^[A-Za-z]:|(?:^|/)\.\.(?:/|$)"


def card(spec: TableSpec) -> LocatedCard:
    """Return what the config says of a table.

    Raises:
        OsteonError: a place is not below the dataset's folder, or a column has a name that Osteon uses itself.
    """
    check_places(spec.name, file=spec.file, images=spec.images)
    _check_names(spec)
    return LocatedCard(
        name=spec.name,
        title=f"{spec.name}: a private table" if spec.private else f"{spec.name}: {spec.file} beside {spec.images}",
        folders=(spec.name,),
        licence=spec.licence,
        citation=spec.citation,
        gated=spec.gated,
        patient_ids=True,
        targets={
            name: Target(said.meaning, said.kind, tuple(said.classes), said.unit, said.low, said.high)
            for name, said in spec.targets.items()
        },
        private=spec.private,
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
    file = _file(root, spec)
    sheet = read_sheet(file)
    boxes = box_rows.of_boxes(spec)
    plain = {name: target for name, target in spec.targets.items() if name not in boxes}
    require(sheet, [_column(spec, name) for name in ("path", *plain, *spec.covariates)], file, RENAMED)
    require(sheet, spec.columns.values(), file, RENAMED)
    found: dict[str, pd.Series] = {}
    if boxes:
        used = [_column(spec, name) for name in (*COLUMNS, *plain, *spec.covariates)]
        sheet, found = box_rows.folded(file, sheet, spec, [column for column in used if column in sheet])
    rows = pd.DataFrame({"dataset": spec.name, "frame": 0}, index=sheet.index)
    paths = _paths(file, sheet[_column(spec, "path")])
    rows["path"] = [posixpath.normpath(posixpath.join(_posix(spec.images), path)) for path in paths]
    for name in (*_PLAIN, *_RULED):
        if _column(spec, name) in sheet:
            values = sheet[_column(spec, name)]
            rows[name] = _RULED[name](file, values) if name in _RULED else values
    patients = _column(spec, "patient_id")
    if patients in sheet:
        _same_spelling(file, sheet[patients])
        rows["patient_id"] = f"{spec.name}:" + sheet[patients]
    if "study_id" in rows:
        _same_spelling(file, sheet[_column(spec, "study_id")], rows.get("patient_id"))
    rows["image_id"] = _image_ids(file, sheet, rows, spec)
    for name in spec.covariates:
        rows[name] = cells.covariate(sheet[_column(spec, name)])
    for name, target in plain.items():
        rows[name] = cells.target(file, sheet[_column(spec, name)], target)
    rows = rows.assign(**found)
    reasons = pd.Series(None, index=rows.index, dtype="object")
    listed = "the table" if spec.private else spec.file
    reasons[absent(root, rows["path"])] = f"listed in {listed}, but not on disk"
    rows, notes = _without_rare(rows) if spec.private else (rows, ())
    return Reading(*part(rows, reasons), notes)


def _file(root: Path, spec: TableSpec) -> File:
    if not spec.private:
        return root / spec.file
    secret = frozenset(_column(spec, name) for name in _IDENTITY)
    named = (*COLUMNS, *box_rows.COLUMNS, *spec.columns.values(), *spec.targets, *spec.covariates)
    known = frozenset(name.casefold() for name in named)
    return PrivateFile(root / spec.file, f"data.roots.{spec.name}: {spec.file}", secret, known)


def _without_rare(rows: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Empty what fewer than `SHARED` patients have in common of a private set's open columns: it may name one."""
    owner = rows.get("patient_id", rows.get("study_id", rows["image_id"])).fillna(rows["image_id"])
    notes = []
    for name in ("view", "body_part", "site", "device"):
        if name in rows:
            rare = owner.groupby(rows[name]).transform("nunique").reindex(rows.index) < SHARED
            rare &= ~rows[name].str.casefold().isin(VIEWS)
            if rare.any():
                count = rows.loc[rare, name].nunique()
                notes.append(
                    f"{name}: {count:,} values that fewer than {SHARED} patients share are left empty, as they may "
                    "name somebody"
                )
                rows[name] = rows[name].mask(rare)
    return rows, tuple(notes)


def _column(spec: TableSpec, name: str) -> str:
    return spec.columns.get(name, name)


def _posix(path: str) -> str:
    return path.replace("\\", "/")


def check_places(dataset: str, **places: str) -> None:
    """Refuse a place that a config names (`key=value`) and that does not lie below the folder of its dataset.

    Raises:
        OsteonError: it is absolute, or has '..'.
    """
    for key, value in places.items():
        if leaves(value):
            raise OsteonError(
                f"dataset.{key}: found {value!r}, expected a place below the dataset's folder, neither absolute "
                f"nor with '..'; that folder is named by data.root or data.roots.{dataset}."
            )


def leaves(path: str) -> bool:
    """Tell whether a path does not lie below the folder that it is relative to."""
    return re.search(_LEAVING, _posix(path)) is not None


def _check_names(spec: TableSpec) -> None:
    boxes = box_rows.COLUMNS if box_rows.of_boxes(spec) else ()
    meant = (*COLUMNS, *boxes, *spec.targets, *spec.covariates)
    for name in spec.columns:
        if name not in meant:
            raise OsteonError(
                f"dataset.columns: {name!r} is no column of the manifest, target or covariate."
                f"{nearest(name, meant)} There are: {', '.join(meant)}"
            )
    _check_classes(spec)
    for key, names in (("targets", spec.targets), ("covariates", spec.covariates)):
        for name in names:
            if name in {*COLUMNS, *RESERVED}:
                raise OsteonError(
                    f"dataset.{key}: {name!r} is a name that Osteon uses itself. Give yours another and map it: "
                    f"my_{name} in dataset.{key}, and dataset.columns.my_{name}={_column(spec, name)}"
                )


def _check_classes(spec: TableSpec) -> None:
    """Refuse two targets that would claim one box."""
    listed = [(name, said.casefold()) for name, of in box_rows.of_boxes(spec).items() for said in of]
    twice = [said for _, said in listed if sum(said == other for _, other in listed) > 1]
    if twice:
        raise OsteonError(f"dataset.targets: the class {twice[0]!r} is of two targets of boxes; a box belongs to one.")


def _paths(file: File, values: pd.Series) -> pd.Series:
    """Return posix paths below the folder of images."""
    refuse(file, values, values.isna(), "must not be blank")
    paths = values.map(_posix)
    leaving = paths.str.contains(_LEAVING, regex=True)
    refuse(file, values, leaving, "must hold paths below the folder of images, not absolute and without ..")
    return paths


def _same_spelling(file: File, ids: pd.Series, of: pd.Series | None = None) -> None:
    """Refuse ids (of one patient, if `of` tells) that differ only in case or a trailing `.0`.

    One patient under two ids may cross splits.
    """
    owners = pd.Series("", index=ids.index) if of is None else of.fillna("")
    seen = pd.DataFrame({"id": ids, "of": owners})[ids.notna()].drop_duplicates()
    seen["plain"] = seen["id"].str.casefold().str.replace(r"\.0+$", "", regex=True)
    twins = seen[seen.duplicated(["of", "plain"], keep=False)].sort_values(["of", "plain"], kind="stable")
    found = twins["id"].rename(str(ids.name))
    refuse(file, found, pd.Series(True, index=found.index), "spells one id in several ways; write it alike everywhere")


def _image_ids(file: File, sheet: pd.DataFrame, rows: pd.DataFrame, spec: TableSpec) -> pd.Series:
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
