"""Listed files against files on disk."""

import os
from collections.abc import Iterable
from pathlib import Path

import pandas as pd


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
