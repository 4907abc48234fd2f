"""Boxes in a table: a row a box, an image repeated; a row without a box says that somebody looked and found none."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from osteon.config.specs import TableSpec
from osteon.datasets.sheet import RENAMED, refuse, require
from osteon.datasets.wording import File

CORNERS = ("x1", "y1", "x2", "y2")
CLASS = "class"
COLUMNS = (*CORNERS, CLASS)


def of_boxes(spec: TableSpec) -> dict[str, list[str]]:
    """Return the classes of each target that is of boxes."""
    return {name: target.classes for name, target in spec.targets.items() if target.kind == "boxes"}


def folded(
    file: File, sheet: pd.DataFrame, spec: TableSpec, used: Sequence[str]
) -> tuple[pd.DataFrame, dict[str, pd.Series]]:
    """Return a table with one row an image, the first of its rows, and the cells of each target that is of boxes.

    A box belongs to the target that has its class. The class may be left out where there is one in all, and be a number
    where one target has boxes and no name of its classes is one.

    Args:
        file: for messages.
        sheet: one row a box.
        spec: the table's settings.
        used: columns that are read from it, beside those of boxes; the same in all rows of an image.

    Raises:
        OsteonError: a corner that is blank, no number or turned round, a class that there is not, a box that stands
            there twice, an image with and without boxes, or that differs from row to row in anything else.
    """
    targets = of_boxes(spec)
    names = {name: spec.columns.get(name, name) for name in COLUMNS}
    alone = [*targets.values()] if len(targets) == 1 else []
    single = bool(alone) and len(alone[0]) == 1
    require(sheet, [names[name] for name in (CORNERS if single else COLUMNS)], file, RENAMED)
    keys = [spec.columns.get(name, name) for name in ("path", "frame")]
    image = sheet[[key for key in keys if key in sheet]].fillna("").agg("#".join, axis=1)
    for column in used:
        differs = sheet[column].fillna("").groupby(image).transform("nunique") > 1
        refuse(file, sheet[column], differs, "must be the same in all rows of an image, one row a box")
    boxed = _whole(file, sheet, names, image)
    owner, index = _classes(file, sheet, names, targets, boxed)
    numbers = np.column_stack([_corners(file, sheet, names, boxed), index])
    again = pd.DataFrame(numbers).assign(of=image.to_numpy(), owner=owner.to_numpy())[boxed.to_numpy()].duplicated()
    x1 = sheet[names["x1"]]
    refuse(
        file,
        x1,
        boxed & again.reindex(range(len(sheet)), fill_value=False).to_numpy(),
        "starts a box that stands there twice",
    )
    first = ~image.duplicated()
    cells: dict[str, pd.Series] = {}
    for name in targets:
        mine = boxed & (owner == name)
        lists: dict[str, list[list[float]]] = {key: [] for key in image[first]}
        for key, row in zip(image[mine], numbers[mine.to_numpy()], strict=True):
            lists[key].append([float(value) for value in row])
        cells[name] = pd.Series([lists[key] for key in image[first]], index=sheet.index[first], dtype="object")
    return sheet[first], cells


def _whole(file: File, sheet: pd.DataFrame, names: Mapping[str, str], image: pd.Series) -> pd.Series:
    """Tell which rows hold a box; refuse half of one, and a row without one beside rows with one."""
    there = [names[name] for name in COLUMNS if names[name] in sheet]
    known = sheet[there].notna()
    boxed = known.any(axis=1)
    for column in there:
        refuse(file, sheet[column], boxed & ~known[column], "must not be blank where the row holds a box")
    several = image.groupby(image).transform("size") > 1
    refuse(file, sheet[there[0]], several & ~boxed, "must not be blank where the image stands in several rows")
    return boxed


def _corners(file: File, sheet: pd.DataFrame, names: Mapping[str, str], boxed: pd.Series) -> np.ndarray:
    """Return the corners (N, 4), NaN where a row holds none."""
    found = pd.DataFrame(index=sheet.index)
    for corner in CORNERS:
        values = sheet[names[corner]]
        found[corner] = pd.to_numeric(values, errors="coerce").astype("float64")
        refuse(file, values, boxed & ~np.isfinite(found[corner]), "must hold a number of pixels")
    for low, high in (("x1", "x2"), ("y1", "y2")):
        refuse(file, sheet[names[high]], boxed & (found[high] <= found[low]), f"must be above {low}")
    return found.to_numpy()


def _classes(
    file: File, sheet: pd.DataFrame, names: Mapping[str, str], targets: Mapping[str, list[str]], boxed: pd.Series
) -> tuple[pd.Series, pd.Series]:
    """Return the target that each box belongs to, and its class' index there."""
    words = {said.strip().casefold(): (name, float(i)) for name, of in targets.items() for i, said in enumerate(of)}
    column = names[CLASS]
    if column not in sheet:
        target = next(iter(targets))
        return pd.Series(target, index=sheet.index), pd.Series(0.0, index=sheet.index)
    if len(targets) == 1 and not any(word.replace(".", "", 1).isdigit() for word in words):
        words |= {str(int(place[1])): place for place in words.values()}
    found = sheet[column].str.casefold().map(words)
    listed = ", ".join(said for of in targets.values() for said in of)
    refuse(file, sheet[column], boxed & found.isna(), f"must hold one of {listed}")
    known = found.where(found.notna(), None)
    owner = known.map(lambda place: place[0] if place else None)
    return owner, known.map(lambda place: place[1] if place else np.nan).astype("float64")
