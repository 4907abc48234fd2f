"""Files appear whole or not at all: written aside in the same folder, flushed, then renamed."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from osteon.errors import OsteonError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


@contextmanager
def aside(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it onto `path` on success, remove it on failure.

    Works for a file or for a folder that the caller makes at the yielded path.

    Raises:
        OsteonError: the disk is full, read-only or over quota; names the path.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        _remove(draft)
        path.parent.mkdir(parents=True, exist_ok=True)
        yield draft
        if draft.is_file():
            with draft.open("rb") as handle:
                os.fsync(handle.fileno())
        os.replace(draft, path)
    except OSError as fault:
        reason = fault.strerror or str(fault)
        raise OsteonError(f"{path}: could not be written ({reason}). Free space or choose another folder.") from fault
    finally:
        with suppress(OSError):  # a disk that has become read-only keeps it
            _remove(draft)


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, whole or not at all."""
    with aside(path) as draft:
        draft.write_text(text, encoding="utf-8")


def write_bytes(path: Path, data: "ReadableBuffer") -> None:
    """Write `data`, whole or not at all."""
    with aside(path) as draft:
        draft.write_bytes(data)


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON, whole or not at all. NaN is refused: it is not JSON."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def alone(folder: Path, doing: str = "writing this run", name: str = ".lock") -> Iterator[None]:
    """Keep other processes from the same run or sweep.

    Args:
        folder: that they would write.
        doing: what they would be doing.
        name: of the lock's file.

    Raises:
        OsteonError: another process is at it, or the folder cannot be written.
    """
    lock = FileLock(folder / name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout as fault:
        raise OsteonError(f"{folder}: another process is {doing}. Wait for it, or stop it first.") from fault
    except OSError as fault:
        raise OsteonError(f"{folder}: {fault.strerror}. Choose a folder that can be written.") from fault
    try:
        yield
    finally:
        with suppress(OSError):  # the disk may have become read-only; a lock that nobody holds stops nobody
            Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()
