"""The ledger: which hash stands for what, kept beside the key and nowhere else."""

import os
import sqlite3
import sys
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from pathlib import Path

from osteon.errors import OsteonError
from osteon.identity.names import Entry

_SECONDS = 60.0  # to wait for another process that writes
_TABLE = (
    "CREATE TABLE IF NOT EXISTS name (hash TEXT, kind TEXT, dataset TEXT, original TEXT, "
    "PRIMARY KEY (hash, dataset, original)) WITHOUT ROWID"
)


def ledger_of(key_file: Path) -> Path:
    """Return the ledger of a key: `identity.ledger.sqlite` beside `identity.key`."""
    return key_file.with_name(f"{key_file.stem}.ledger.sqlite")


def record(ledger: Path, entries: Iterable[Entry]) -> None:
    """Add entries in one transaction; where that fails, say on stderr what is lost and go on: the hashes stand."""
    try:
        with suppress(FileExistsError):  # before SQLite makes it for everyone to read
            os.close(os.open(ledger, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        with closing(sqlite3.connect(ledger, timeout=_SECONDS)) as store, store:
            store.execute(_TABLE)
            store.executemany("INSERT OR IGNORE INTO name VALUES (?, ?, ?, ?)", map(_storable, entries))
    except (sqlite3.Error, OSError) as fault:
        print(
            f"identity: {ledger} could not be written ({fault}); `osteon data whois` will not know this run's hashes.",
            file=sys.stderr,
        )


def look_up(ledger: Path, hashes: Sequence[str]) -> dict[str, list[Entry]]:
    """Return what every hash stands for; a list is empty where the ledger does not know the hash.

    Raises:
        OsteonError: there is no ledger, or it is damaged.
    """
    return _found(ledger, "hash", hashes)


def names_of(ledger: Path, originals: Sequence[str]) -> dict[str, list[Entry]]:
    """Return what every id, file or folder goes by; a list is empty where the ledger does not know it.

    Raises:
        OsteonError: there is no ledger, or it is damaged.
    """
    return _found(ledger, "original", originals)


def _found(ledger: Path, column: str, values: Sequence[str]) -> dict[str, list[Entry]]:
    if not ledger.is_file():
        raise OsteonError(f"{ledger}: there is no such ledger. Is it another key's? Name that one: --key-file=/path")
    try:
        with closing(sqlite3.connect(f"{ledger.absolute().as_uri()}?mode=ro", uri=True, timeout=_SECONDS)) as store:
            query = f"SELECT hash, kind, dataset, original FROM name WHERE {column} = ? ORDER BY dataset, original"
            return {value: [_entry(row) for row in store.execute(query, (value,))] for value in values}
    except sqlite3.Error as fault:
        raise OsteonError(f"{ledger}: cannot be read ({fault}). Restore your copy of it.") from fault


def _storable(entry: Entry) -> tuple[str, str, str, str]:
    """Escape what is no Unicode text: paths of a Latin-1 disk hold lone surrogates, which SQLite refuses."""
    return entry.hash, entry.kind, entry.dataset, entry.original.encode("utf-8", "backslashreplace").decode()


def _entry(row: tuple[str, str, str, str]) -> Entry:
    return Entry(*row)
