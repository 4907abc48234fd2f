"""A process of a run that `spawn` has started: reads its part from stdin, and ends when whoever started it does."""

import json
import os
import sys
import threading
from pathlib import Path

from osteon.config import Config
from osteon.errors import OsteonError
from osteon.run.processes.place import place
from osteon.run.processes.spawn import LOST, STOPPED

INTERRUPTED = 130


def main() -> int:
    """Run this rank, and return its exit status."""
    told = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_starter, daemon=True).start()
    sys.argv = told["argv"]
    from osteon.run.processes.group import AloneError
    from osteon.run.start import run

    try:
        run(Config.model_validate(told["config"]), Path(told["folder"]), told["overrides"])
    except AloneError as fault:
        print(f"osteon: rank {place().rank}: {fault}", file=sys.stderr)
        return LOST
    except OsteonError as fault:
        print(f"osteon: {fault}", file=sys.stderr)
        return STOPPED
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _end_with_starter() -> None:
    """End when stdin is closed: the starter is gone, even where nothing could tell it to stop us."""
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # a thread of gloo or NCCL that waits for a rank which has ended would keep the process
