"""Reads what W&B left offline: records of a `.wandb` file, which is a LevelDB log, and the tables and images beside it.

Written from the format alone: 7 bytes (`:W&B`, magic, version), then blocks of 32 KiB with records of checksum (4
bytes), length (2), kind (1: whole, 2: first, 3: middle, 4: last) and data.
"""

import json
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from wandb.proto.wandb_internal_pb2 import Record

BLOCK, HEAD = 32 * 1024, 7


def records(file: Path) -> Iterator[Record]:
    data = file.read_bytes()
    assert data[:4] == b":W&B"
    at, held = HEAD, b""
    while at + HEAD <= len(data):
        if BLOCK - at % BLOCK < HEAD:
            at += BLOCK - at % BLOCK  # too little room for another head: zeros
            continue
        length, kind = int.from_bytes(data[at + 4 : at + 6], "little"), data[at + 6]
        if kind == 0:
            break
        held += data[at + HEAD : at + HEAD + length]
        at += HEAD + length
        if kind in (1, 4):
            yield Record.FromString(held)
            held = b""


def _finished(file: Path) -> list[Record]:
    """Return the records once the last one is there: W&B's service writes it some tenths after `finish` returns."""
    for _ in range(100):
        found = list(records(file))
        if any(record.HasField("exit") for record in found):
            return found
        time.sleep(0.1)
    raise AssertionError(f"{file}: not finished")


class WandbRun:
    """One offline run below a run folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = next(folder.glob("run-*.wandb"))
        self.records = _finished(self.file)
        self.about = next(record.run for record in self.records if record.HasField("run"))

    @property
    def config(self) -> dict[str, Any]:
        return {item.key: json.loads(item.value_json) for item in self.about.config.update}

    def history(self) -> list[dict[str, Any]]:
        rows = [record.history for record in self.records if record.HasField("history")]
        return [_nested(row.item) for row in rows]

    def summary(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for record in self.records:
            found |= _nested(record.summary.update)
        return found

    def curve(self, name: str) -> list[tuple[float, float]]:
        return [(row["epoch"], row[name]) for row in self.history() if name in row]

    def logged(self, name: str) -> Any:
        return next(row[name] for row in self.history() if name in row)

    def table(self, name: str) -> tuple[list[str], list[list[Any]]]:
        held = json.loads((self.folder / "files" / self.logged(name)["path"]).read_text())
        return held["columns"], held["data"]

    @property
    def exit_code(self) -> int:
        return next(record.exit.exit_code for record in self.records if record.HasField("exit"))


def runs(folder: Path) -> list[WandbRun]:
    """Return the offline runs below a run folder, oldest first."""
    return [WandbRun(found) for found in sorted(folder.glob("wandb/offline-run-*"))]


def _nested(items: Iterable[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in items:
        *above, last = list(item.nested_key) or [item.key]
        place = found
        for name in above:
            place = place.setdefault(name, {})
        place[last] = json.loads(item.value_json)
    return found
