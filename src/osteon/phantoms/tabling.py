"""Phantoms as a table: `labels.csv` with one row a film beside the films, and the truth beside both."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteon.phantoms.film import Film
from osteon.phantoms.geometry import Bounds
from osteon.phantoms.switches import TAG, Switches, Value, is_tagged, tag
from osteon.phantoms.writing import notice, stream


@dataclass(frozen=True)
class Entry:
    """One film of a table.

    Attributes:
        row: of `labels.csv`; labels as they were reported.
        true: the labels as they are.
        boxes: round the fractures seen (xyxy, px).
        more: what else `truth.json` says of it.
    """

    row: dict[str, Any]
    true: dict[str, Value]
    boxes: Sequence[Bounds] = ()
    more: dict[str, Any] = field(default_factory=dict)


def write_table(folder: Path, entries: Iterable[Entry], switches: Switches) -> None:
    """Write `labels.csv`, `truth.json` and the notice.

    `truth.json` maps a path to `labels`, `boxes` and more. `labels_true.csv` has the rows with their true labels; it is
    written only where a switch makes the reported ones differ.
    """
    films = list(entries)
    tables(folder, [one.row for one in films], [one.true for one in films], switches)
    rounded = ([[round(value, 1) for value in box] for box in one.boxes] for one in films)
    truth = {
        one.row["path"]: {"labels": one.true, "boxes": boxes, **one.more}
        for one, boxes in zip(films, rounded, strict=True)
    }
    (folder / "truth.json").write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")
    notice(folder)


def tables(folder: Path, rows: Sequence[dict[str, Any]], true: Sequence[dict[str, Value]], switches: Switches) -> None:
    """Write `labels.csv` and, where labels are wrong or blank on purpose, `labels_true.csv`."""
    _csv(folder / "labels.csv", rows)
    if switches.label_noise or switches.missing:
        _csv(folder / "labels_true.csv", [{**row, **labels} for row, labels in zip(rows, true, strict=True)])


def box_table(folder: Path, films: Sequence[tuple[dict[str, Any], Sequence[tuple[str, Bounds]]]]) -> None:
    """Write `boxes.csv`: a row a box (x1, y1, x2, y2 in px, class), and one without for a film that has none.

    Args:
        folder: the dataset's root.
        films: the row of each film, and its boxes with their class.
    """
    blank = dict.fromkeys(("x1", "y1", "x2", "y2", "class"))
    rows = []
    for row, boxes in films:
        corners = [dict(zip(blank, (*(round(v, 1) for v in box), name), strict=True)) for name, box in boxes]
        rows += [{**row, **corner} for corner in corners or [blank]]
    _csv(folder / "boxes.csv", rows)


def _csv(file: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write rows; a blank in a column of whole numbers leaves the others whole."""
    pd.DataFrame(rows).convert_dtypes().to_csv(file, index=False, lineterminator="\n")


def finished(
    taken: Film, positive: bool, place: Sequence[int], switches: Switches
) -> tuple[NDArray[Any], dict[str, int]]:
    """Return a film's pixels, with the tag where it gets one, and what its row says of that.

    Args:
        taken: the film.
        positive: whether a tag tells of it.
        place: the set's seed, patient, study and film.
        switches: a row has the column `tag` only where the shortcut is on.
    """
    if switches.shortcut is None:
        return taken.pixels, {}
    rng = stream(place[0], *place[1:], TAG)
    tagged = is_tagged(positive, switches, rng)
    return tag(taken.pixels, rng) if tagged else taken.pixels, {"tag": int(tagged)}


def ages(rng: np.random.Generator, mean: float, deviation: float, least: int, most: int) -> int:
    """Draw an age in whole years."""
    return int(np.clip(rng.normal(mean, deviation), least, most))
