"""The process group while a run trains: as large as asked for, ended in order, and its loss in our words."""

import re
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
import torch.distributed as dist
from lightning_fabric.plugins import ClusterEnvironment
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from lightning_fabric.plugins.environments.slurm import SLURMEnvironment
from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.strategies import DDPStrategy, Strategy

from osteon.config import Config
from osteon.errors import OsteonError
from osteon.run.processes.place import Place
from osteon.run.resume import way_on

# What gloo, NCCL and torch's store say when another process is gone.
SIGNS = ("connection closed", "connection reset", "connection refused", "broken pipe", "nccl", "socket", "gloo")


class AloneError(OsteonError):
    """Another process of the run has ended; its own words say why."""


class WorldAsAsked(Callback):
    """Proves, before anything is trained, that there are as many processes as asked for, and that all train alike.

    Attributes:
        values: what every process trains with, by rank.
    """

    def __init__(self, asked: int) -> None:
        self.asked = asked
        self.values: list[dict[str, Any]] = []

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Compare both Lightning's and torch's count with what was asked for, and the ranks with rank 0.

        Raises:
            OsteonError: they differ.
        """
        real = dist.get_world_size() if dist.is_initialized() else 1
        if not self.asked == trainer.world_size == real:
            raise OsteonError(
                f"trainer.devices: {self.asked} process(es) asked for, but torch has {real} and Lightning counts "
                f"{trainer.world_size}. Start them by trainer.devices alone, by srun or by torchrun, not by two."
            )
        if stage == "fit":
            self.values = gathered(_trains_with(pl_module))
            check_alike(self.values)


def _trains_with(module: Any) -> dict[str, Any]:
    """Return what may differ where every process reads settings and images for itself."""
    recipe = module.recipe
    return {"optimizer.lr": recipe.optimizer.lr, "seed": recipe.seed, "settings and images": recipe.run}


def gathered(mine: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what every process of the run says, by rank."""
    if not dist.is_initialized():
        return [mine]
    said: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(said, mine)
    return said


def check_alike(values: Sequence[Mapping[str, Any]]) -> None:
    """Refuse to train where a process has other settings or images than rank 0: torch would average them unseen.

    Args:
        values: of every process, by rank.

    Raises:
        OsteonError: names the first such rank and what differs.
    """
    for rank, said in enumerate(values):
        other = [f"{key} {said[key]!r} instead of {values[0][key]!r}" for key in said if said[key] != values[0][key]]
        if other:
            raise OsteonError(
                f"rank {rank} of {len(values)} does not train what rank 0 trains: {'; '.join(other)}. Give all "
                "processes the same command line, the same conf and the same data."
            )


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


def strategy(config: Config) -> str | Strategy:
    """Return how the processes of a run work together.

    Layers that are freed during training have no gradient before; only then does DistributedDataParallel look for
    such parameters, which costs a pass over the graph a step.
    """
    if config.trainer.processes == 1:
        return "auto"
    return DDPStrategy(find_unused_parameters=config.training.unfreeze != "all")


def environment(here: Place) -> ClusterEnvironment:
    """Return what tells Lightning its rank; chosen by us, so that nothing else in the environment is."""
    if here.world > 1 and here.started_by == "torchrun":
        return TorchElasticEnvironment()
    if here.world > 1 and here.started_by == "slurm":
        return SLURMEnvironment(auto_requeue=False)
    return LightningEnvironment()


def check_devices(config: Config) -> None:
    """Refuse an accelerator that is not there, and more processes on this machine than it has GPUs for them.

    Raises:
        OsteonError: names how many there are, and the ways out.
    """
    asked, accelerator = config.trainer.devices, config.trainer.accelerator
    assert isinstance(asked, int)
    if accelerator == "gpu" and not torch.cuda.is_available():
        raise OsteonError(
            "trainer.accelerator: found gpu, but torch sees no CUDA device. Use trainer.accelerator=auto."
        )
    if accelerator == "mps" and not torch.backends.mps.is_available():
        raise OsteonError("trainer.accelerator: found mps, but this is no Apple GPU. Use trainer.accelerator=auto.")
    if accelerator == "mps" and asked > 1:
        raise OsteonError("trainer.devices: an Apple GPU is one device. Use trainer.devices=1.")
    if accelerator not in ("auto", "gpu") or not torch.cuda.is_available():
        return
    if asked > torch.cuda.device_count():
        raise OsteonError(
            f"trainer.devices: found {asked}, but this machine has {torch.cuda.device_count()} CUDA device(s). Use "
            f"trainer.devices={torch.cuda.device_count()}, or trainer.accelerator=cpu."
        )


def check_own_world(config: Config, here: Place) -> None:
    """Refuse to be one of fewer processes than the config asks for.

    Raises:
        OsteonError: says who starts them.
    """
    if config.trainer.processes != here.world:
        raise OsteonError(
            f"trainer.devices: {config.trainer.processes} processes asked for, and this is one of {here.world}. "
            "python train.py starts them; in a program of your own call osteon.run.processes.spawn.spawn."
        )


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


def together(trainer: pl.Trainer) -> None:
    """Wait for all processes of the run."""
    trainer.strategy.barrier()


def _alone(fault: BaseException, here: Place, folder: Path) -> str:
    """Say what a process knows of the loss of another: not which one, if there are more than two."""
    line = re.sub(
        r"^\[\S+\] ", "", (str(fault).splitlines() or [type(fault).__name__])[0]
    )  # gloo's place in its source
    other = f"rank {1 - here.rank}" if here.world == 2 else "another rank"
    text = f"rank {here.rank} of {here.world}: {other} has ended, the connection to it is lost ({line:.120})."
    if here.started_by == "osteon":  # which says the rest
        return text
    who = "srun" if here.started_by == "slurm" else here.started_by
    return f"{text} {who} says how it ended.{way_on(folder)}"


def _lost(fault: BaseException) -> bool:
    said: Any = str(fault).lower()
    return isinstance(fault, dist.DistError) or any(sign in said for sign in SIGNS)
