"""Where the trials of a search are kept: a sqlite file, a journal, or a database that several machines share."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from osteon.errors import OsteonError

if TYPE_CHECKING:
    from optuna.storages import BaseStorage

JOURNALS, SQLITE = (".journal", ".log"), (".db", ".sqlite", ".sqlite3")


def storage_of(where: str) -> "BaseStorage":
    """Return the storage behind a path (.db, .sqlite: sqlite; .journal, .log: a journal) or a database URL."""
    from optuna.storages import JournalStorage, RDBStorage
    from optuna.storages.journal import JournalFileBackend

    path = file_of(where)
    if path is None:
        return RDBStorage(where)
    if path.suffix in JOURNALS:
        return JournalStorage(JournalFileBackend(str(path)))
    # Two processes write at once: sqlite waits for the other instead of giving up after five seconds.
    return RDBStorage(f"sqlite:///{path}", engine_kwargs={"connect_args": {"timeout": 100}})


def file_of(where: str) -> Path | None:
    """Return the file of a storage, its folder made; None for a database URL.

    Raises:
        OsteonError: the file's ending is of no kind of storage.
    """
    if "://" in where:
        return None
    path = Path(where).expanduser().absolute()
    if path.suffix not in JOURNALS + SQLITE:
        raise OsteonError(f"sweep.storage: found {where!r}, expected a path ending in .db or .journal, or a URL.")
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


@contextmanager
def opening(where: str) -> Iterator[None]:
    """Say in a line why a storage cannot be opened."""
    try:
        yield
    except OsteonError:
        raise
    except Exception as fault:  # SQLAlchemy's, a driver's, Optuna's own
        line = " ".join(str(fault).split())[:200]
        raise OsteonError(f"sweep.storage: {hidden(where)} cannot be used ({hidden(line)}). Name another.") from fault


def hidden(url: str) -> str:
    """Return text without the password of a database URL."""
    return re.sub(r"(://[^:/@\s]+):[^@\s]+@", r"\1:***@", url)
