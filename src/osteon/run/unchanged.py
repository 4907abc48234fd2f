"""What may not have changed since an interrupted run began: its settings and its data."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from osteon.config import Config
from osteon.config.neutral import PLACES, PROCESSES, WATCHING, changed, flat
from osteon.errors import OsteonError
from osteon.identity import HASH
from osteon.manifest.boxes import array_of, looked
from osteon.run.resume import saved_config

RESULT = "result.json"
TEST = "predictions/test.parquet"
LEFT = ("predictions/val.parquet", TEST, "thresholds.json", "model.pt")
FREE = (*PLACES, *PROCESSES, *WATCHING, "test", "resume")


def check_same(folder: Path, config: Config) -> None:
    """Refuse to go on with other settings than the run began with.

    Raises:
        OsteonError: every setting that differs, with both values.
    """
    was, now = dict(flat(saved_config(folder))), dict(flat(config.model_dump(mode="json")))
    other = changed(was, now, (*FREE, *_hashed(was)))
    if other:
        lines = "".join(f"\n  {key}: the run has {was.get(key)!r}, found {now.get(key)!r}" for key in other)
        raise OsteonError(
            f"resume: a run goes on with the settings it began with; these differ:{lines}\n"
            "Leave them out, or start a new run without resume=."
        )


def _hashed(flat: Mapping[str, Any]) -> list[str]:
    """Return keys whose value stands hidden in the run's config; the images themselves are compared later."""
    return [key for key, value in flat.items() if isinstance(value, str) and HASH.fullmatch(value)]


def finished(folder: Path, test: bool = True) -> dict[str, Any] | None:
    """Return what `result.json` says, or None where the run has not come to its end.

    Args:
        folder: the run's.
        test: whether the end includes predictions of test.

    Raises:
        OsteonError: the file is damaged.
    """
    file = folder / RESULT
    if not file.is_file():
        return None
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
        float(said["training"]["best_monitor"])
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise OsteonError(f"{file}: damaged. Delete it and resume; the scores are made again.") from fault
    left = [name for name in LEFT if test or name != TEST]
    whole = "audit" in said or not test  # written once before the audit, so that a fault of it costs no scores
    return dict(said) if whole and all((folder / name).is_file() for name in left) else None


def check_same_data(folder: Path, manifest: pd.DataFrame, pixels: str) -> None:
    """Refuse to go on with other images, labels or splits than the run began with.

    Args:
        folder: the run's; nothing is checked where it was interrupted before its manifest was written.
        manifest: as prepared now.
        pixels: name of the store of decoded images, a digest of their content.

    Raises:
        OsteonError: what differs, and in how many images.
    """
    file, split = folder / "manifest.parquet", folder / "split.json"
    if not (file.is_file() and split.is_file()):
        return
    try:
        before, said = pd.read_parquet(file), dict(json.loads(split.read_text(encoding="utf-8")))
        before = before.set_index("image_id")
    except (OSError, ValueError, TypeError, KeyError) as fault:
        raise OsteonError(f"{folder}: manifest.parquet or split.json is damaged. Start the run anew.") from fault
    other = _difference(before, manifest)
    if not other and said.get("pixels") != pixels:
        other = "the files of some images have changed"
    if other:
        raise OsteonError(
            f"resume: the data is not what the run began with: {other}. Restore it, or start a new run without resume=."
        )


def _difference(was: pd.DataFrame, now: pd.DataFrame) -> str:
    found = now.set_index("image_id")
    gone, new = was.index.difference(found.index), found.index.difference(was.index)
    if len(gone) or len(new):
        return f"{len(gone):,} images are gone and {len(new):,} are new"
    if list(was.index) != list(found.index):
        return "the images stand in another order"
    for column in was.columns:
        if column not in found:
            return f"the column {column!r} is gone"
        before, after = (_comparable(table[column]) for table in (was, found))
        same = (before == after) | (before.isna() & after.isna())
        if not bool(same.all()):
            return f"{int((~same).sum()):,} images have another {column}"
    return ""


def _comparable(column: pd.Series) -> pd.Series:
    """Return a column of boxes as text: a parquet gives arrays back for lists, and arrays are not equal or unequal."""
    if not any(isinstance(cell, list | np.ndarray) for cell in column):
        return column
    boxes = [str(array_of(cell).tolist()) if seen else None for cell, seen in zip(column, looked(column), strict=True)]
    return pd.Series(boxes, index=column.index, dtype=object)
