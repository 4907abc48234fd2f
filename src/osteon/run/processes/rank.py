"""A process of a run that `spawn` has started: reads its part from stdin, and ends when whoever started it does."""

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from osteon import launched
from osteon.config import Config
from osteon.errors import OsteonError
from osteon.run.processes.place import place
from osteon.run.processes.spawn import LOST, STOPPED

INTERRUPTED = 130


def main() -> int:
    """Run this rank, and return its exit status."""
    launched.begin()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where a script has started the run with &
    source = _take_stdin()
    told = json.loads(_line(source))
    threading.Thread(target=_end_with_starter, args=(source,), daemon=True).start()
    sys.argv = told["argv"]
    try:
        return _run(told)
    except KeyboardInterrupt:
        return INTERRUPTED


def _run(told: dict[str, Any]) -> int:
    from osteon.run.processes.ending import AloneError
    from osteon.run.start import run

    try:
        run(Config.model_validate(told["config"]), Path(told["folder"]), told["overrides"])
    except launched.Pruned as reason:
        if place().first:
            print(f"osteon: {reason}")
    except AloneError as fault:
        print(f"osteon: {fault}", file=sys.stderr)
        return LOST
    except OsteonError as fault:
        print(f"osteon: {fault}", file=sys.stderr)
        return STOPPED
    return 0


def _take_stdin() -> int:
    """Return stdin under another number; in its place is nothing to read.

    Loader workers are forks that close stdin first, and would wait for its lock, which the thread below holds.
    """
    source, nothing = os.dup(0), os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return source


def _line(source: int) -> bytes:
    found = b""
    while not found.endswith(b"\n") and (more := os.read(source, 65536)):
        found += more
    return found


def _end_with_starter(source: int) -> None:
    """End when stdin is closed: the starter is gone, even where nothing could tell it to stop us."""
    while os.read(source, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # a thread of gloo or NCCL that waits for a rank which has ended would keep the process
