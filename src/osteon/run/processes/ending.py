"""How one of several processes ends: in order, by a signal, or left alone by another one."""

import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch.distributed as dist
from pytorch_lightning.callbacks import Callback

from osteon.errors import OsteonError
from osteon.run.processes.place import Place
from osteon.run.resume import way_on

# What gloo, NCCL and torch's store say when another process is gone.
SIGNS = ("connection closed", "connection reset", "connection refused", "broken pipe", "nccl", "socket", "gloo")


class AloneError(OsteonError):
    """Another process of the run has ended; its own words say why."""


class Terminable(Callback):
    """Lets SIGTERM end each of several processes by itself, as Ctrl-C does.

    Lightning's handler broadcasts first: where SIGTERM finds one process writing a checkpoint and another waiting for
    that, each waits for what the other never says, until both are killed.
    """

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Replace the handler; Lightning has set its own by now, and puts back the one before at the end."""
        _raise_on_sigterm(trainer)

    def on_predict_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """As for training."""
        _raise_on_sigterm(trainer)


def _raise_on_sigterm(trainer: pl.Trainer) -> None:
    def stop(number: int, frame: Any) -> None:
        raise KeyboardInterrupt("SIGTERM")

    if trainer.world_size > 1 and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, stop)


@contextmanager
def joined(here: Place, folder: Path) -> Iterator[None]:
    """Leave the process group in order, and name the loss of another process what it is.

    Args:
        here: this process.
        folder: of the run.

    Raises:
        AloneError: another process has ended.
    """
    try:
        yield
    except RuntimeError as fault:
        if here.world > 1 and _lost(fault):
            raise AloneError(_alone(fault, here, folder)) from fault
        raise
    if dist.is_initialized() and here.world > 1:
        dist.destroy_process_group()


def _alone(fault: BaseException, here: Place, folder: Path) -> str:
    """Say what a process knows of the loss of another: not which one, if there are more than two."""
    first = (str(fault).splitlines() or [type(fault).__name__])[0]
    line = re.sub(r"^\[\S+\] ", "", first)  # without gloo's place in its source
    other = f"rank {1 - here.rank}" if here.world == 2 else "another rank"
    text = f"rank {here.rank} of {here.world}: {other} has ended, the connection to it is lost ({line:.120})."
    if here.started_by == "osteon":  # which says the rest
        return text
    who = "srun" if here.started_by == "slurm" else here.started_by
    return f"{text} {who} says how it ended.{way_on(folder)}"


def _lost(fault: BaseException) -> bool:
    said: Any = str(fault).lower()
    return isinstance(fault, dist.DistError) or any(sign in said for sign in SIGNS)
