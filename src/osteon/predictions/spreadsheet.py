"""Predictions as a spreadsheet writes them: comma, semicolon or tab, decimal commas, headers in capitals."""

import csv
import io
import itertools
import json
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from osteon.errors import OsteonError
from osteon.predictions.boxes import COLUMNS

SUFFIXES = (".csv", ".tsv", ".txt")
MARKS = ",;\t"
# What a CSV holds as JSON.
LISTS = ("probabilities", *COLUMNS)
IDS = ("task", "split", "image_id", "group_id", "unit_id", "patient_id", "study_id", "dataset", "source")
NUMBERS = ("target", "probability", "value")


def read_csv(path: Path) -> pd.DataFrame:
    """Read a CSV as a table of predictions; ids are text, `probabilities`, `boxes` and `truth` lists.

    The header tells what parts the fields. A column of ours goes by its name whatever the case; rows without a single
    cell are left out.

    Raises:
        OsteonError: it is no CSV in UTF-8, a column of ours is there twice, a cell has no heading, a list is no JSON.
    """
    text = _text(path)
    first = next((line for line in text.splitlines() if line.strip()), "")
    mark = max(MARKS, key=first.count)
    _check_headings(path, text, mark)
    try:
        header = pd.read_csv(io.StringIO(text), sep=mark, nrows=0).columns
        names = _names(header)
        words = {raw: str for raw, name in names.items() if name in (*IDS, *LISTS)}
        frame = (
            pd.read_csv(io.StringIO(text), sep=mark, dtype=words)
            .rename(columns=names)
            .dropna(how="all")
            .reset_index(drop=True)
        )
        for name in LISTS:
            if name in frame:
                frame[name] = pd.Series([_list(path, name, cell) for cell in frame[name]], frame.index, dtype=object)
    except (ValueError, TypeError) as fault:
        raise OsteonError(f"{path}: not a CSV of predictions ({fault}).") from fault
    for name in IDS:
        if name in frame:
            frame[name] = frame[name].str.strip().replace("", None)
    return _with_points(frame) if mark != "," else frame


def _check_headings(path: Path, text: str, mark: str) -> None:
    """Refuse a heading of ours that is there twice, and cells without a heading: pandas would shift all columns."""
    try:
        rows = list(itertools.islice(filter(None, csv.reader(io.StringIO(text), delimiter=mark)), 2))
    except csv.Error:
        return  # a list of more than 128 kB, which pandas reads
    names = [name.strip() for name in rows[0]] if rows else []
    if twice := [name for name in (*IDS, *LISTS, *NUMBERS) if names.count(name) > 1]:
        raise OsteonError(f"{path}: column {twice[0]} is there {names.count(twice[0])} times. Keep one.")
    if len(rows) == 2 and len(rows[1]) > len(names):
        raise OsteonError(
            f"{path}: {len(names)} headings, {len(rows[1])} cells in the row below, the last {rows[1][-1]!r}. Give "
            "every column a heading."
        )


def _list(path: Path, name: str, cell: object) -> object:
    try:
        return json.loads(cell) if isinstance(cell, str) else None
    except ValueError as fault:
        raise OsteonError(f"{path}: column {name}: {cell[:40]!r} is no JSON list ({fault}).") from fault  # type: ignore[index]


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = bytes(fault.object[: fault.start]).count(b"\n") + 1
        raise OsteonError(
            f"{path}: not a CSV of predictions, or not in UTF-8 (line {line}). Save the sheet as CSV in UTF-8."
        ) from fault
    except OSError as fault:
        raise OsteonError(f"{path}: cannot be read ({fault.strerror}).") from fault


def _names(header: Iterable[str]) -> dict[str, str]:
    """Return the name of each column: ours where it is meant, and no other column claims it."""
    stripped = {raw: raw.strip() for raw in header}
    plain = [name.casefold() for name in stripped.values()]
    ours = (*IDS, *LISTS, *NUMBERS)
    return {
        raw: name.casefold() if name.casefold() in ours and plain.count(name.casefold()) == 1 else name
        for raw, name in stripped.items()
    }


def _with_points(frame: pd.DataFrame) -> pd.DataFrame:
    """Read decimal commas, which only a file without commas between its fields can have; others stay as they are."""
    for name in NUMBERS:
        if name in frame and not pd.api.types.is_numeric_dtype(frame[name]):
            numbers = pd.to_numeric(frame[name].astype(str).str.replace(",", ".", regex=False), errors="coerce")
            frame[name] = numbers.where(numbers.notna(), frame[name])
    return frame
