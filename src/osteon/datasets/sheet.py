"""Tables of labels as strings: nothing is guessed, so that 007 stays 007 and a blank stays a blank."""

import csv
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from osteon.errors import OsteonError, nearest

# "none" is no blank: it says that somebody looked and found none.
BLANKS = ("", "nan", "na", "n/a", "<na>", "null")
SHOWN = 5


def read_sheet(file: Path) -> pd.DataFrame:
    """Read a CSV (comma, semicolon or tab; UTF-8 with or without BOM) or parquet as strings; blanks become null.

    The index holds line numbers of a CSV (the header is line 1) and row numbers of a parquet, for messages.

    Raises:
        OsteonError: the file is missing, empty or not a table, a line has too many or too few fields, or two columns
            have one name.
    """
    if not file.is_file():
        raise OsteonError(f"{file}: there is no such file.{_beside(file)}")
    frame = _parquet(file) if file.suffix.lower() in {".parquet", ".pq"} else _csv(file)
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise OsteonError(f"{file}: the column {twice[0]!r} stands there twice.")
    if frame.empty:
        raise OsteonError(f"{file}: the table has no rows.")
    return frame.apply(_without_blanks)


def read_lines(file: Path) -> list[list[str]]:
    """Return the non-empty lines of a CSV as fields, spaces around them removed.

    Raises:
        OsteonError: the file cannot be read, or is not UTF-8.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as handle:
            first = handle.readline()
            handle.seek(0)
            mark = max(",;\t", key=first.count)
            return [[field.strip() for field in line] for line in csv.reader(handle, delimiter=mark) if any(line)]
    except UnicodeDecodeError as fault:
        raise OsteonError(f"{file}: not UTF-8 (byte {fault.start}). Save the table as UTF-8.") from fault
    except (OSError, csv.Error) as fault:
        raise OsteonError(f"{file}: cannot be read as a CSV ({fault}).") from fault


def require(frame: pd.DataFrame, columns: Iterable[str], file: Path) -> None:
    """Refuse a table that lacks a column.

    Raises:
        OsteonError: names the file, the column, the nearest one and all that were found.
    """
    for column in columns:
        if column not in frame:
            raise OsteonError(
                f"{file}: there is no column {column!r}.{nearest(column, frame.columns)} "
                f"It has: {', '.join(map(str, frame.columns))}"
            )


def refuse(file: Path, values: pd.Series, at_fault: pd.Series, rule: str) -> None:
    """Refuse values that break a rule.

    Raises:
        OsteonError: names the file, the column, the rule, and the first rows at fault.
    """
    bad = values[at_fault]
    if bad.empty:
        return
    shown = ", ".join(f"{value!r} in row {row}" for row, value in bad.head(SHOWN).items())
    more = f" and {len(bad) - SHOWN:,} more" if len(bad) > SHOWN else ""
    raise OsteonError(f"{file}: column {values.name!r} {rule}; found {shown}{more}")


def some(names: Iterable[str]) -> str:
    """Return a count with its first names: `7: a, b, c, d, e ...`."""
    listed = list(names)
    return f"{len(listed):,}: {', '.join(listed[:SHOWN])}{' ...' if len(listed) > SHOWN else ''}"


def _csv(file: Path) -> pd.DataFrame:
    lines = read_lines(file)
    if not lines:
        raise OsteonError(f"{file}: the file is empty.")
    header, body = lines[0], lines[1:]
    for number, line in enumerate(body, start=2):
        if len(line) != len(header):
            raise OsteonError(f"{file}: row {number} has {len(line)} fields, the header has {len(header)}.")
        if any("\n" in cell or "\r" in cell for cell in line):
            raise OsteonError(f"{file}: row {number} has a cell of several lines; a quote there is not closed.")
    return pd.DataFrame(body, columns=header, index=range(2, len(body) + 2), dtype="str")


def _parquet(file: Path) -> pd.DataFrame:
    try:
        frame = pd.read_parquet(file)
    except (OSError, ValueError) as fault:
        raise OsteonError(f"{file}: cannot be read as parquet ({fault}).") from fault
    frame = frame.set_axis([str(name) for name in frame.columns], axis=1).reset_index(drop=True)
    return frame.apply(_as_text)


def _as_text(values: pd.Series) -> pd.Series:
    """Write whole numbers without a point: an id column with a gap is stored as float, and 12.0 is no id."""
    if pd.api.types.is_float_dtype(values) and (values.dropna() % 1 == 0).all() and values.abs().max() < 2**53:
        values = values.astype("Int64")
    return values.astype(object).where(values.notna(), "").map(str).astype("str").str.strip()


def _without_blanks(values: pd.Series) -> pd.Series:
    return values.mask(values.str.casefold().isin(BLANKS))


def _beside(file: Path) -> str:
    if not file.parent.is_dir():
        return f" Nor is there a folder {file.parent}."
    tables = sorted(path.name for path in file.parent.iterdir() if path.suffix.lower() in {".csv", ".parquet"})
    return f"{nearest(file.name, tables)} Tables there: {', '.join(tables) or 'none'}"
