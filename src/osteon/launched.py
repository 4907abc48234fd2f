"""What a run knows of the launcher that started it: its devices, where to report, and when to stop.

A launcher (`osteon.launch`) leaves a line of JSON in the environment and one end of a socket. Over it the run reports
its validation scores an epoch, and hears whether to go on; when the launcher dies, however it dies, the run ends too.
"""

import json
import os
import queue
import signal
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

NAME = "OSTEON_LAUNCHED"
GRACE = 30.0  # seconds between asking the processes of an orphan to end and ending them


class Pruned(Exception):  # noqa: N818  not a fault: the search has seen enough of this run
    """The launcher has told the run to stop."""


class Link:
    """A run's end of the socket to its launcher."""

    def __init__(self, end: socket.socket, asks: bool) -> None:
        self.end, self.asks = end, asks
        self.answers: queue.Queue[bool] = queue.Queue()
        self.thread = threading.Thread(target=self._listen, daemon=True, name="launcher")
        self.thread.start()

    def report(self, epoch: int, values: Mapping[str, float]) -> bool:
        """Tell the launcher the scores of an epoch, counted from 0; return whether to stop, waiting for the answer."""
        try:
            self.end.sendall(json.dumps({"epoch": epoch, "values": dict(values)}).encode() + b"\n")
        except OSError:
            return False
        return self.answers.get() if self.asks else False

    def _listen(self) -> None:
        """Pass answers on; nothing more to come means that the launcher is dead."""
        with self.end.makefile("r", encoding="utf-8") as lines:
            try:
                for line in lines:
                    self.answers.put(bool(json.loads(line)["stop"]))
            except (OSError, ValueError):
                pass
        self.answers.put(True)
        _end_group()


_link: Link | None = None


def begin() -> None:
    """Open the link where a launcher has left one, and say what the run was given. The environment keeps no trace.

    Ranks and loader workers that this process starts must not take themselves for launched ones; see `handed_on`.
    """
    global _link
    said = os.environ.pop(NAME, None)
    if said is None:
        return
    told: dict[str, Any] = json.loads(said)
    end = socket.socket(fileno=int(told["fd"]))
    end.set_inheritable(False)
    _link = Link(end, bool(told["asks"]))
    if "job" in told:
        print(given(told), flush=True)


@contextmanager
def handed_on(wanted: bool = True) -> Iterator[tuple[dict[str, str], tuple[int, ...]]]:
    """Yield what a process is to inherit that trains in the place of this one: environment and file descriptors.

    It begins as if the launcher had started it; what it reports is passed on, and so are the answers. Nothing is
    inherited where it is not wanted, or where this run has no launcher.
    """
    if _link is None or not wanted:
        yield {}, ()
        return
    mine, theirs = socket.socketpair()
    threading.Thread(target=_pass_on, args=(mine, _link), daemon=True, name="reports").start()
    with theirs:
        yield {NAME: json.dumps({"fd": theirs.fileno(), "asks": _link.asks})}, (theirs.fileno(),)


def _pass_on(end: socket.socket, link: Link) -> None:
    """Pass reports on to the launcher and its answers back, until the process at this end of a socket has ended."""
    with end, end.makefile("r", encoding="utf-8") as lines, suppress(OSError):
        for line in lines:
            said = json.loads(line)
            stop = link.report(int(said["epoch"]), said["values"])
            if link.asks:
                end.sendall(json.dumps({"stop": stop}).encode() + b"\n")


def given(told: Mapping[str, Any]) -> str:
    """Return devices, threads and loader workers of a job in a line."""
    devices = ",".join(told["devices"]) or "none"
    return f"osteon: job {told['job']}: devices {devices}; {told['threads']} thread(s); port {told['port']}"


def report(epoch: int, values: Mapping[str, float]) -> bool:
    """Report to the launcher, if there is one; return whether to stop."""
    return _link.report(epoch, values) if _link is not None else False


def _end_group() -> None:
    """End this run with its ranks and loader workers: a launcher gives every run a process group of its own."""
    os.killpg(os.getpgid(0), signal.SIGTERM)
    time.sleep(GRACE)
    os.killpg(os.getpgid(0), signal.SIGKILL)
