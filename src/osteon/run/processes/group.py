"""The process group while a run trains: as large as asked for, and of one mind on what it trains."""

from collections.abc import Mapping, Sequence
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


def together(trainer: pl.Trainer) -> None:
    """Wait for all processes of the run."""
    trainer.strategy.barrier()
