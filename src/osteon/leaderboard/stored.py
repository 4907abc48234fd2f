"""The scores that a run has stored in result.json, checked before they are believed."""

import math
from collections.abc import Collection
from pathlib import Path
from typing import Any

from osteon.errors import OsteonError
from osteon.leaderboard.glimpse import Units
from osteon.scoring.runs import read_result

_TEXTS = ("metric", "group", "unit", "note", "source")
_NUMBERS = ("value", "lo", "hi", "n", "n_positive", "n_clusters", "threshold")


def stored_rows(file: Path, tasks: Collection[str]) -> list[dict[str, Any]]:
    """Return the test scores of tasks that a result.json holds, each checked; empty where it holds none.

    Raises:
        OsteonError: a row is no object, a text or number is of another kind; names the file, the key and the value.
    """
    scores = read_result(file).get("scores", [])
    if not isinstance(scores, list) or not all(isinstance(row, dict) for row in scores):
        raise OsteonError(f"{file}: its scores are no list of rows. Restore the file, or score the run again.")
    rows = [row for row in scores if row.get("task") in tasks and row.get("split") == "test"]
    rows = [{"source": "real", "note": "", "operating_point": None} | row for row in rows]
    for row in rows:
        bad = [name for name in _TEXTS if not isinstance(row.get(name), str)]
        bad += [name for name in _NUMBERS if not _number(row.get(name))]
        if bad:
            raise OsteonError(
                f"{file}: scores: {bad[0]} of {row.get('metric')!r} is {row.get(bad[0])!r}, expected "
                f"{'a text' if bad[0] in _TEXTS else 'a finite number or null'}. Restore the file, or train again."
            )
    return rows


def _number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value))


def check_count(file: Path, rows: list[dict[str, Any]], units: Units) -> None:
    """Refuse scores of another number of units than the predictions have."""
    found = {row["n"] for row in rows if row["group"] == "all" and row["n"] is not None}
    if found - {units.labelled}:
        raise OsteonError(
            f"{file}: scored n={max(found)} units, predictions/test.parquet has {units.labelled} with a target: they "
            "are not of one another. Restore the file, or train again."
        )
