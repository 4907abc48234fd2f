"""One process a rank on this machine, each told the very same composed config; one that ends early ends them all.

The process that starts them trains nothing and imports no torch. Ranks that re-run the command line, as Lightning's
launcher makes them, compose it anew: under a sweep each then draws its own settings, and trains on without a word.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from osteon.config import Config
from osteon.errors import OsteonError
from osteon.launched import handed_on
from osteon.run.processes.place import OWN
from osteon.run.resume import way_on

LOST = 75  # exit status of a rank that another one left alone (EX_TEMPFAIL)
STOPPED = 2  # exit status of a rank that has said what is wrong
PATIENCE = 15.0  # seconds that ranks have to end by themselves
HOLD = 2.0  # seconds to see who ended first, where one end makes others


@dataclass
class Rank:
    """A process of a run.

    Attributes:
        number: its rank.
        process: which reads its part from stdin, and ends when that is closed.
        said: what it wrote; None for rank 0, which writes to the terminal.
    """

    number: int
    process: subprocess.Popen[bytes]
    said: IO[bytes] | None

    @property
    def ended(self) -> int | None:
        """Exit status, negative for a signal; None while it runs."""
        return self.process.poll()


def spawn(config: Config, folder: Path, overrides: Sequence[str]) -> None:
    """Train and measure with `trainer.devices` processes on this machine; `folder` then holds the finished run.

    Args:
        config: settled settings.
        folder: the run folder.
        overrides: as for `run`.

    Raises:
        OsteonError: a rank ended early; names it. The others are stopped first.
        SystemExit: rank 0 has said what is wrong.
        KeyboardInterrupt: Ctrl-C, or with an argument SIGTERM; passed on to all ranks, which end first.
    """
    world = config.trainer.processes
    part = {
        "config": config.model_dump(mode="json"),
        "folder": str(folder),
        "overrides": list(overrides),
        "argv": sys.argv,
    }
    ranks: list[Rank] = []
    with terminable():
        try:
            port = free_port()
            told = json.dumps(part).encode() + b"\n"
            ranks.extend(_start(number, world, port, told) for number in range(world))
            _watch(ranks, folder)
        except KeyboardInterrupt:
            _signal(ranks, signal.SIGINT)
            _wait(ranks, PATIENCE)
            raise
        finally:
            _end(ranks)


@contextmanager
def terminable() -> Iterator[None]:
    """Turn SIGTERM into a KeyboardInterrupt with an argument, as a run of one process does."""

    def stop(number: int, frame: Any) -> None:
        raise KeyboardInterrupt("SIGTERM")

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _start(number: int, world: int, port: int, part: bytes) -> Rank:
    told = {
        **os.environ,
        OWN: "1",
        "RANK": str(number),
        "LOCAL_RANK": str(number),
        "NODE_RANK": "0",
        "WORLD_SIZE": str(world),
        "LOCAL_WORLD_SIZE": str(world),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
    }
    told.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // world)))
    said = None if number == 0 else tempfile.TemporaryFile()  # noqa: SIM115  read when the rank has ended
    with handed_on(number == 0) as (more, descriptors):  # rank 0 alone reports
        process = subprocess.Popen(
            [sys.executable, "-m", "osteon.run.processes.rank"],
            stdin=subprocess.PIPE,
            stdout=said,
            stderr=said,
            env={**told, **more},
            pass_fds=descriptors,
            start_new_session=True,  # Ctrl-C reaches the starter alone, which passes it on once
        )
    assert process.stdin is not None
    with suppress(BrokenPipeError):  # it has died; `_watch` says so
        process.stdin.write(part)
        process.stdin.flush()
    return Rank(number, process, said)


def free_port(taken: Collection[int] = ()) -> int:
    """Return a port that nobody listens on and no other run of this process was given: ranks of two must not meet."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            found = int(probe.getsockname()[1])
        if found not in taken:
            return found


def _watch(ranks: Sequence[Rank], folder: Path) -> None:
    """Return when all ranks have ended well; raise as soon as one has not."""
    while any(rank.ended is None for rank in ranks):
        if any(rank.ended for rank in ranks):
            break
        time.sleep(0.1)
    if not any(rank.ended for rank in ranks):
        return
    _wait(ranks, HOLD)
    first = min((rank for rank in ranks if rank.ended), key=_blame)
    _end(ranks)
    if first.number == 0 and first.ended == STOPPED:
        raise SystemExit(STOPPED)
    raise OsteonError(_told(first, len(ranks), folder))


def _blame(rank: Rank) -> tuple[bool, bool, int]:
    """Sort who ended first: whoever was killed, then faults of its own, last those whom another left alone."""
    status = rank.ended or 0
    return status > 0, status == LOST, rank.number


def _told(rank: Rank, world: int, folder: Path) -> str:
    status = rank.ended or 0
    how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with exit status {status}"
    text = f"rank {rank.number} of {world} {how}; the others were stopped."
    if rank.said is not None:
        rank.said.seek(0)
        lines = [line for line in rank.said.read().decode(errors="replace").splitlines() if line.strip()]
        text += f" Its last words: {lines[-1].strip()}" if lines else ""
    if status == -signal.SIGKILL:
        text += " Where nobody did that by hand, memory ran out: lower data.workers or data.batch_size."
    return text + way_on(folder)


def _signal(ranks: Sequence[Rank], number: signal.Signals) -> None:
    for rank in ranks:
        if rank.ended is None:
            rank.process.send_signal(number)


def _wait(ranks: Sequence[Rank], seconds: float) -> None:
    end = time.monotonic() + seconds
    while any(rank.ended is None for rank in ranks) and time.monotonic() < end:
        time.sleep(0.05)


def _end(ranks: Sequence[Rank]) -> None:
    """Leave no process behind; each takes its loader workers with it."""
    _signal(ranks, signal.SIGTERM)
    _wait(ranks, HOLD)
    _signal(ranks, signal.SIGKILL)
    for rank in ranks:
        rank.process.wait()
        if rank.process.stdin is not None:
            with suppress(BrokenPipeError):
                rank.process.stdin.close()
