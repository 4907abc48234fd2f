"""What a message may show of a table: everything of a public one, rows and column names of a private one."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from osteon.errors import nearest

HIDDEN = "(hidden)"
# A wrong code (2, -1, ?) may be shown; a name, a birth date or a sentence that got into the column may not.
_LONGEST = 3
# A table without a header has a patient where the names of columns should be.
_DATA = re.compile(r"\d{4,}|\.(png|jpe?g|tiff?|dcm|dicom|bmp)\b|^[\d.,:/-]+$|[\\/].*\d|\^", re.IGNORECASE)


@dataclass(frozen=True)
class PrivateFile:
    """A table of a private set.

    Attributes:
        path: where it lies; never in a message.
        name: what messages call it.
        secret: columns that tell of a patient; no cell of theirs is shown.
        known: names that its columns may have; where none of them is there, the first line may be a patient's.
    """

    path: Path
    name: str
    secret: frozenset[str]
    known: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return self.name


File = Path | PrivateFile


def path_of(file: File) -> Path:
    """Return where a table lies."""
    return file.path if isinstance(file, PrivateFile) else file


def cell(file: File, column: object, value: object) -> str:
    """Return a cell for a message: of a private table only short ones, of columns that name nobody."""
    hidden = isinstance(file, PrivateFile) and (column in file.secret or len(str(value)) > _LONGEST)
    return HIDDEN if hidden else repr(value)


def column(file: File, name: str) -> str:
    """Return a column's name for a message, hidden where it looks like a cell of a private table."""
    return HIDDEN if isinstance(file, PrivateFile) and _DATA.search(name) else repr(name)


def columns(file: File, names: Iterable[str], wanted: str) -> str:
    """Return the nearest column to `wanted` and all there are, or that the header of a private table is none."""
    listed = list(names)
    if isinstance(file, PrivateFile) and any(_DATA.search(name) for name in listed):
        return f" Its first line looks like an image's row; it must hold the {len(listed)} columns' names."
    if isinstance(file, PrivateFile) and file.known.isdisjoint(name.casefold() for name in listed):
        return (
            f" None of its {len(listed)} columns has a name that is expected; is its first line the header? Map other "
            f"names by dataset.columns.{wanted}=<its column>."
        )
    return f"{nearest(wanted, listed)} It has: {', '.join(listed)}"


def reason(file: File, fault: Exception) -> str:
    """Return why a library could not read a table; its own words may hold the path."""
    return type(fault).__name__ if isinstance(file, PrivateFile) else str(fault)


def beside(file: File) -> str:
    """Return what lies there instead of a table that is missing; of a private folder only how much."""
    folder, name = path_of(file).parent, path_of(file).name
    private = isinstance(file, PrivateFile)
    if not folder.is_dir():
        return " Nor is there its folder." if private else f" Nor is there a folder {folder}."
    tables = sorted(path.name for path in folder.iterdir() if path.suffix.lower() in {".csv", ".parquet"})
    if private:
        return f" Other tables there: {len(tables)}. The table is named by dataset.file=<name>."
    return f"{nearest(name, tables)} Tables there: {', '.join(tables) or 'none'}"
