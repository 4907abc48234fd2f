"""Whose a running trial is, and whether its process is still there."""

import os
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

BEAT = 20.0  # seconds between two signs of life
SILENCE = 120.0  # seconds without one after which a trial of another machine counts as dead
OWNER, ALIVE = "owner", "alive"  # what a trial says of its process


def owner() -> str:
    """Return host and number of this process, and when it was started (numbers are used again)."""
    return f"{socket.gethostname()}:{os.getpid()}:{_started(os.getpid())}"


def dead(trial: "FrozenTrial") -> bool:
    """Tell whether the process of a running trial is gone: seen here on its own machine, else by its silence."""
    said = str(trial.user_attrs.get(OWNER, "?"))
    if not said:
        return True
    host, _, rest = said.partition(":")
    number, _, started = rest.partition(":")
    if host == socket.gethostname() and number.isdigit() and os.path.isdir("/proc"):
        return _started(int(number)) != started
    alive = trial.user_attrs.get(ALIVE)
    begun = trial.datetime_start.timestamp() if trial.datetime_start else 0.0
    return time.time() - float(alive or begun) > SILENCE


def _started(number: int) -> str:
    """Return when a process was started, in the kernel's ticks; empty where there is no such process."""
    try:
        said = Path(f"/proc/{number}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if said[0] == "Z" else said[19]
