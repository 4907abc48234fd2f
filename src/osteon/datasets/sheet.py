"""Tables of labels as strings: nothing is guessed, so that 007 stays 007 and a blank stays a blank."""

import csv
import io
from collections.abc import Iterable

import numpy as np
import pandas as pd

from osteon.config.targets import BLANKS
from osteon.datasets import wording
from osteon.datasets.wording import File, path_of
from osteon.errors import OsteonError

__all__ = ["BLANKS", "RENAMED", "read_lines", "read_sheet", "refuse", "require", "some"]

MARKS = ",;\t"
RENAMED = "If it goes by another name: dataset.columns.<ours>=<yours>"  # of sets whose columns can be mapped
SHOWN = 5


def read_sheet(file: File, mark: str = "") -> pd.DataFrame:
    """Read a CSV (comma, semicolon or tab; UTF-8 with or without BOM) or parquet as strings; blanks become null.

    The index holds the lines of a CSV as an editor counts them, and the rows of a parquet from 1, for messages.

    Args:
        file: the table.
        mark: what its fields are parted by, where the release fixes that.

    Raises:
        OsteonError: the file is missing, empty or not a table, a line has too many or too few fields, or two columns
            have one name.
    """
    if not path_of(file).is_file():
        raise OsteonError(f"{file}: there is no such file.{wording.beside(file)}")
    frame = _parquet(file) if path_of(file).suffix.lower() in {".parquet", ".pq"} else _csv(file, mark)
    _refuse_twice(frame, file)
    if frame.empty:
        raise OsteonError(f"{file}: the table has no rows.")
    return frame.apply(_without_blanks).astype("str")  # apply takes a column of blanks alone for numbers


def read_capitals(file: File, mark: str = "") -> pd.DataFrame:
    """Read a table as `read_sheet` does, its columns named in capitals.

    Raises:
        OsteonError: as `read_sheet`, and where two names differ in capitals only.
    """
    frame = read_sheet(file, mark)
    frame.columns = frame.columns.str.upper()
    _refuse_twice(frame, file)
    return frame


def _refuse_twice(frame: pd.DataFrame, file: File) -> None:
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise OsteonError(f"{file}: the column {wording.column(file, str(twice[0]))} stands there twice.")


def read_lines(file: File, mark: str = "") -> list[tuple[int, list[str]]]:
    """Return the non-blank lines of a CSV, each with its number in the file (from 1) and its fields, stripped.

    `mark` parts the fields; where it is empty the first line tells.

    Raises:
        OsteonError: the file cannot be read, is not UTF-8, or has a cell of several lines: a quote that is not closed
            would swallow the lines below it.
    """
    text = _text(file)
    first = next((line for line in text.splitlines() if line.strip()), "")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark or max(MARKS, key=first.count))
    lines, row = [], 1
    try:
        for line in reader:
            if any("\n" in cell or "\r" in cell for cell in line):
                raise OsteonError(f"{file}: row {row} has a cell of several lines; a quote there is not closed.")
            fields = [cell.strip() for cell in line]
            if any(fields):
                lines.append((row, fields))
            row = reader.line_num + 1
    except csv.Error as fault:
        raise OsteonError(f"{file}: row {row} cannot be read as CSV ({fault}); is a quote there not closed?") from fault
    return lines


def _text(file: File) -> str:
    try:
        data = path_of(file).read_bytes()
        if b"\0" in data:
            raise OsteonError(f"{file}: not UTF-8, it looks like UTF-16 or a binary file. Save the table as UTF-8.")
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        row = bytes(fault.object[: fault.start]).count(b"\n") + 1
        raise OsteonError(f"{file}: not UTF-8 (row {row}), perhaps Latin-1. Save the table as UTF-8.") from fault
    except OSError as fault:
        raise OsteonError(f"{file}: cannot be read ({fault.strerror}).") from fault


def require(frame: pd.DataFrame, columns: Iterable[str], file: File, way_out: str = "") -> None:
    """Refuse a table that lacks a column.

    Args:
        frame: the table.
        columns: those that it must have.
        file: where it lies.
        way_out: what can be done about it, where the dataset leaves a choice.

    Raises:
        OsteonError: names the file, the column, the nearest one and all that were found.
    """
    for column in columns:
        if column not in frame:
            found = [str(name) for name in frame.columns]
            has = wording.columns(file, found, column)
            told = f"{file}: there is no column {column!r}.{has}".removesuffix(".")
            raise OsteonError(f"{told}.{_separator(found)}{way_out and ' ' + way_out}")


def refuse(file: File, values: pd.Series, at_fault: pd.Series, rule: str) -> None:
    """Refuse values that break a rule.

    Raises:
        OsteonError: names the file, the column, the rule, and the first rows at fault; of a private table no cell that
            may tell of a patient.
    """
    bad = values[at_fault]
    if bad.empty:
        return
    shown = ", ".join(
        f"{'a blank' if pd.isna(value) else wording.cell(file, values.name, value)} in row {row}"
        for row, value in bad.head(SHOWN).items()
    )
    more = f" and {len(bad) - SHOWN:,} more" if len(bad) > SHOWN else ""
    raise OsteonError(f"{file}: column {values.name!r} {rule}; found {shown}{more}")


def some(names: Iterable[str]) -> str:
    """Return a count with its first names: `7: a, b, c, d, e ...`."""
    listed = list(names)
    return f"{len(listed):,}: {', '.join(listed[:SHOWN])}{' ...' if len(listed) > SHOWN else ''}"


def _csv(file: File, mark: str) -> pd.DataFrame:
    lines = read_lines(file, mark)
    if not lines:
        raise OsteonError(f"{file}: the file is empty.")
    header, body = lines[0][1], lines[1:]
    for row, line in body:
        if len(line) != len(header):
            raise OsteonError(
                f"{file}: row {row} has {len(line)} fields, the header has {len(header)}.{_separator(header)}"
            )
    return pd.DataFrame([line for _, line in body], columns=header, index=[row for row, _ in body], dtype="str")


def _separator(names: list[str]) -> str:
    """Hint at a separator that was not taken for one: it is left inside the names of columns."""
    left = next((mark for mark in "|;\t" if mark in "".join(names)), "," if len(names) == 1 and "," in names[0] else "")
    return f" The fields look parted by {left!r}, which is not read as a separator here." if left else ""


def _parquet(file: File) -> pd.DataFrame:
    try:
        frame = pd.read_parquet(path_of(file))
    except (OSError, ValueError) as fault:
        raise OsteonError(f"{file}: cannot be read as parquet ({wording.reason(file, fault)}).") from fault
    frame = frame.set_axis([str(name) for name in frame.columns], axis=1)
    return frame.set_axis(range(1, len(frame) + 1), axis=0).apply(_as_text)


def _as_text(values: pd.Series) -> pd.Series:
    """Write whole numbers without a point: an id column with a gap is stored as float, and 12.0 is no id."""
    known = values.notna()
    return values.astype(object).where(known, "").map(_cell).astype("str").str.strip()


def _cell(value: object) -> str:
    if isinstance(value, (float, np.floating)) and float(value).is_integer() and abs(float(value)) < 2**53:
        return str(int(value))
    return str(value)


def _without_blanks(values: pd.Series) -> pd.Series:
    return values.mask(values.str.casefold().isin(BLANKS))
