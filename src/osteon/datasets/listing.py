"""Listed files against files on disk."""

import os
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

IMAGES = frozenset((".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".dcm", ".dicom"))


def absent(root: Path, paths: Iterable[str]) -> list[bool]:
    """Return, for each path relative to `root`, whether no such file lies on disk; each folder is listed once."""
    known: dict[str, set[str]] = {}
    answers = []
    for path in paths:
        folder, _, name = path.rpartition("/")
        if folder not in known:
            known[folder] = set(names(root / folder))
        answers.append(name not in known[folder])
    return answers


def names(folder: Path) -> list[str]:
    """Return the sorted names of a folder's files, without hidden ones; none where there is no folder."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if not entry.name.startswith(".") and entry.is_file())
    except OSError:
        return []


def part(rows: pd.DataFrame, reasons: pd.Series) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Part rows into kept ones and rejected ones (`image_id`, `path`, `reason`); a null reason keeps a row."""
    lost = reasons.notna().to_numpy()
    rejected = rows.loc[lost, ["image_id", "path"]].assign(reason=reasons[lost].to_numpy())
    return rows[~lost].reset_index(drop=True), rejected.reset_index(drop=True)


def folders(root: Path, depth: int) -> list[str]:
    """Return `root` (as "") and its folders to `depth` levels below, relative, the nearest first; no hidden ones."""
    level, found = [""], [""]
    for _ in range(depth):
        level = [f"{folder}/{name}".lstrip("/") for folder in level for name in children(root / folder)]
        found += level
    return found


def children(folder: Path) -> list[str]:
    """Return the sorted names of the folders in a folder, without hidden ones."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if not entry.name.startswith(".") and entry.is_dir())
    except OSError:
        return []


def is_image(name: str) -> bool:
    """Tell by its suffix whether a file may be a picture; DICOM without one is not seen here."""
    return os.path.splitext(name)[1].lower() in IMAGES


def repeated(keys: pd.Series, values: pd.Series) -> pd.Series:
    """Return why a row cannot stay beside others of its key, null where it can.

    The first of several that say the same stays; where they contradict each other none does.
    """
    several = keys.duplicated(keep=False)
    said = values.groupby(keys).transform(lambda part: part.nunique(dropna=False))
    reasons = pd.Series(None, index=keys.index, dtype="object")
    reasons[keys.duplicated()] = "listed twice"
    reasons[several & (said > 1)] = "listed twice, each time with another value"
    return reasons
