"""A job as a process: its environment, its log, its end of a socket, and how it ends."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from osteon.launch.jobs import Job
from osteon.launched import NAME

LOG = "log.txt"
GRACE = 30.0  # seconds that an interrupted run has to write its checkpoint
# What a process knows of another job it is part of: a run that inherits it takes itself for one of its ranks.
OTHERS = (
    "LOCAL_RANK", "RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "NODE_RANK", "GROUP_RANK", "MASTER_ADDR", "MASTER_PORT",
    "PL_GLOBAL_SEED", "PL_SEED_WORKERS", "SLURM_NTASKS", "SLURM_NTASKS_PER_NODE", "SLURM_PROCID", "SLURM_LOCALID",
    "SLURM_NODEID", "WANDB_RUN_ID", "WANDB_NAME", "WANDB_SWEEP_ID", "WANDB_DIR",
)  # fmt: skip
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


class Child:
    """A job's process, the leader of a session of its own.

    Args:
        job: what is run.
        words: its command.
        devices: that it was given.
        threads: of each of its processes.
        asks: whether it waits after every epoch for the word to go on.
        port: for its ranks to meet on.
    """

    def __init__(
        self, job: Job, words: Sequence[str], devices: Sequence[str], threads: int, asks: bool, port: int
    ) -> None:
        self.job, self.devices, self.port, self.began = job, tuple(devices), port, time.monotonic()
        self.epoch, self.values, self.told = -1, dict[str, float](), False
        self.unread, self.gone = b"", False
        job.folder.mkdir(parents=True, exist_ok=True)
        self.line, theirs = socket.socketpair()
        self.line.setblocking(False)
        told = {"fd": theirs.fileno(), "job": job.name, "devices": list(devices), "threads": threads, "asks": asks}
        surroundings = environment(os.environ, devices, threads, {**told, "port": port})
        with theirs, (job.folder / LOG).open("ab") as log:
            self.process = subprocess.Popen(
                list(words), env=surroundings, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    def messages(self) -> Iterator[dict[str, Any]]:
        """Yield what it has reported since the last call."""
        try:
            while part := self.line.recv(65536):
                self.unread += part
            self.gone = True  # it has closed its end
        except BlockingIOError:
            pass
        except OSError:
            self.gone = True
        *lines, self.unread = self.unread.split(b"\n")
        yield from (json.loads(line) for line in lines)

    def answer(self, stop: bool) -> None:
        """Tell it whether to stop."""
        self.told = self.told or stop
        with suppress(OSError):
            self.line.sendall(json.dumps({"stop": stop}).encode() + b"\n")

    def process_ended(self) -> int | None:
        """Return its exit status, None while it runs. What it has left running ends with it."""
        if self.process.returncode is None:
            if os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                return None
            self.signal(signal.SIGKILL)  # before it is reaped, so that the number is still its own
            self.process.wait()
        return self.process.returncode

    def close(self) -> None:
        """Close the socket."""
        self.line.close()

    def signal(self, number: int) -> None:
        """Send a signal to it, its ranks and its loader workers."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)


def end(children: Sequence[Child]) -> None:
    """Ask children to end, wait some time, then end them."""
    for child in children:
        child.signal(signal.SIGTERM)
    last = time.monotonic() + GRACE
    while any(child.process_ended() is None for child in children) and time.monotonic() < last:
        time.sleep(0.05)
    for child in children:
        child.signal(signal.SIGKILL)
        while child.process_ended() is None:
            time.sleep(0.01)


def environment(
    inherited: Mapping[str, str], devices: Sequence[str], threads: int, told: Mapping[str, Any]
) -> dict[str, str]:
    """Return the environment of a job: its devices, threads and port, and nothing of another job's ranks."""
    kept = {
        name: value
        for name, value in inherited.items()
        if name not in OTHERS and not name.startswith(("TORCHELASTIC_", "OSTEON_LAUNCHED"))
    }
    kept |= dict.fromkeys(THREADS, str(threads))
    kept |= {"MASTER_PORT": str(told["port"]), "MASTER_ADDR": "127.0.0.1", NAME: json.dumps(dict(told))}
    if devices:
        kept["CUDA_VISIBLE_DEVICES"] = ",".join(devices)
    return kept


def last_words(log: Path) -> str:
    """Return why a job failed, as its log says: our own line where there is one, else the last."""
    try:
        with log.open("rb") as handle:
            handle.seek(max(0, log.stat().st_size - 8192))
            lines = [line.strip() for line in handle.read().decode("utf-8", "replace").splitlines() if line.strip()]
    except OSError:
        return "no log"
    ours = [line.removeprefix("osteon: ") for line in lines if line.startswith("osteon: ") and ": devices " not in line]
    return (ours or lines or ["no word"])[-1]
