"""Digests of files by content, remembered by what the file system says of them: a second start costs only stats."""

import hashlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from osteon.images.radiograph import missing

# A file changed again within one tick of the file system's clock looks unchanged: younger ones are not remembered.
SETTLED_SECONDS = 2.0
_STATS_A_TASK = 500
_TABLE = (
    "CREATE TABLE IF NOT EXISTS digest (device INTEGER, inode INTEGER, size INTEGER, mtime INTEGER, ctime INTEGER, "
    "digest BLOB NOT NULL, PRIMARY KEY (device, inode, size, mtime, ctime)) WITHOUT ROWID"
)

Stamp = tuple[int, int, int, int, int]
Step = Callable[[], None]


def digests(
    paths: Sequence[str], memo: Path, workers: int, progress: Callable[[int], Step]
) -> tuple[list[bytes | None], dict[int, str]]:
    """Return the blake2b digest (16 bytes) of every file.

    Files of one inode (hard links) are read once; files known from an earlier call are not read.

    Args:
        paths: files, in any order, repeated or not.
        memo: SQLite file that remembers digests; where it cannot be written nothing is remembered.
        workers: threads.
        progress: called with the number of files to read; what it returns is called after each of them.

    Returns:
        A digest a path (None where it cannot be read), and the reason by position.
    """
    found = _stamps(paths, workers)
    reasons = {place: stamp for place, stamp in enumerate(found) if isinstance(stamp, str)}
    stamps = [stamp for stamp in found if not isinstance(stamp, str)]
    first = {stamp: path for path, stamp in zip(paths, found, strict=True) if not isinstance(stamp, str)}
    known: dict[Stamp, bytes | str] = dict(_recall(memo, set(stamps)))
    unknown = [stamp for stamp in first if stamp not in known]
    if unknown:
        read = _read(unknown, first, workers, progress(len(unknown)))
        known.update(read)
        _remember(memo, {stamp: value for stamp, value in read.items() if isinstance(value, bytes)})
    values = [stamp if isinstance(stamp, str) else known[stamp] for stamp in found]
    reasons |= {place: value for place, value in enumerate(values) if isinstance(value, str)}
    return [None if isinstance(value, str) else value for value in values], reasons


def digest_of(data: bytes) -> bytes:
    """Return the digest of a file's bytes."""
    return hashlib.blake2b(data, digest_size=16).digest()


def _stamps(paths: Sequence[str], workers: int) -> list[Stamp | str]:
    """Stat in threads: on a network file system each one is a round trip."""
    parts = [paths[start : start + _STATS_A_TASK] for start in range(0, len(paths), _STATS_A_TASK)]
    with ThreadPoolExecutor(max(1, workers)) as pool:
        return [stamp for part in pool.map(lambda some: [_stamp(path) for path in some], parts) for stamp in part]


def _stamp(path: str) -> Stamp | str:
    try:
        stat = os.stat(path)
    except OSError as fault:
        return missing(fault)
    # SQLite holds signed 64 bits, and some network file systems give inodes above them.
    return stat.st_dev, stat.st_ino & (2**63 - 1), stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


def _read(stamps: Sequence[Stamp], first: dict[Stamp, str], workers: int, step: Step) -> dict[Stamp, bytes | str]:
    def one(stamp: Stamp) -> bytes | str:
        try:
            with open(first[stamp], "rb") as handle:
                return hashlib.file_digest(handle, lambda: hashlib.blake2b(digest_size=16)).digest()
        except OSError as fault:
            return missing(fault)
        finally:
            step()

    with ThreadPoolExecutor(max(1, workers)) as pool:
        return dict(zip(stamps, pool.map(one, stamps), strict=True))


def _recall(memo: Path, stamps: Iterable[Stamp]) -> dict[Stamp, bytes]:
    query = "SELECT digest FROM digest WHERE device=? AND inode=? AND size=? AND mtime=? AND ctime=?"
    try:
        with closing(sqlite3.connect(f"{memo.absolute().as_uri()}?mode=ro", uri=True, timeout=60)) as store:
            rows = ((stamp, store.execute(query, stamp).fetchone()) for stamp in stamps)
            return {stamp: row[0] for stamp, row in rows if row}
    except sqlite3.OperationalError:  # no memo yet, or no right to read it
        return {}
    except sqlite3.DatabaseError:  # damaged: it is only a memory, and the files are still there
        memo.unlink(missing_ok=True)
        return {}


def _remember(memo: Path, read: dict[Stamp, bytes]) -> None:
    settled = time.time_ns() - int(SETTLED_SECONDS * 1e9)
    rows = [(*stamp, value) for stamp, value in read.items() if max(stamp[3:]) < settled]
    try:
        memo.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(memo, timeout=60)) as store, store:
            store.execute(_TABLE)
            store.executemany("INSERT OR REPLACE INTO digest VALUES (?, ?, ?, ?, ?, ?)", rows)
    except (sqlite3.Error, OSError):  # full or read-only: the next start reads again; the store itself complains
        return
