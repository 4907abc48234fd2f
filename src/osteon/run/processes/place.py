"""Which of a run's processes this one is, as whoever started it says. Imports nothing heavy."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from osteon.config import Config, Trainer
from osteon.errors import OsteonError

Starter = Literal["nobody", "osteon", "torchrun", "slurm"]
OWN = "OSTEON_RANKS"  # set for processes that `spawn` starts
# (rank, world, on this machine) of each starter.
NAMES: dict[Starter, tuple[str, str, str]] = {
    "osteon": ("RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE"),
    "torchrun": ("RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE"),
    "slurm": ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_NTASKS_PER_NODE"),
}


@dataclass(frozen=True)
class Place:
    """One process among those of a run.

    Attributes:
        started_by: `nobody`: it is the only one, or the one that is to start the others.
        rank: from 0; only rank 0 writes and prints.
        world: processes in all.
        local_world: processes on this machine; 0 where the starter does not say.
    """

    started_by: Starter
    rank: int = 0
    world: int = 1
    local_world: int = 1

    @property
    def first(self) -> bool:
        """Whether this process writes and prints."""
        return self.rank == 0


def place(told: Mapping[str, str] | None = None) -> Place:
    """Return this process' place from its environment.

    Raises:
        OsteonError: a starter's variable is missing or no number.
    """
    told = os.environ if told is None else told
    starter = _starter(told)
    if starter == "nobody":
        return Place("nobody")
    rank, world, local = (_number(told, name) for name in NAMES[starter])
    return Place(starter, rank or 0, world or 1, min(local or 0, world or 1))  # a step may have fewer than its job


def once() -> Place:
    """Return this process' place, where it may walk a sweep.

    Raises:
        OsteonError: several processes were started alike, and each would run all jobs.
    """
    here = place()
    if here.world > 1:
        raise OsteonError(
            f"-m: {here.started_by} has started {here.world} processes alike, and each would run all jobs. Start a "
            "sweep once, without torchrun and with one srun task; its jobs take trainer.devices each."
        )
    return here


def _starter(told: Mapping[str, str]) -> Starter:
    if OWN in told:
        return "osteon"
    if "TORCHELASTIC_RUN_ID" in told:
        return "torchrun"
    return "slurm" if "SLURM_STEP_NUM_TASKS" in told and "SLURM_PROCID" in told else "nobody"


def _number(told: Mapping[str, str], name: str) -> int | None:
    if name not in told:
        return None
    try:
        return int(told[name])
    except ValueError as fault:
        raise OsteonError(f"{name}: found {told[name]!r} in the environment, expected a whole number.") from fault


def settle(config: Config, here: Place) -> Config:
    """Return the config with `trainer.devices` as a number, after checking it against the processes that there are.

    Raises:
        OsteonError: more or fewer processes were started than the config asks for, or the batch does not divide.
    """
    settings = config.trainer
    devices = _devices(settings, here)
    settled = config.model_copy(update={"trainer": settings.model_copy(update={"devices": devices})})
    if here.world > 1 and config.data.folds is not None and config.data.fold is None:
        raise OsteonError(
            f"data.folds: trains fold after fold and starts its processes itself, but {here.started_by} has started "
            f"{here.world}. Start one process, or name the fold: data.fold=0"
        )
    if here.started_by == "nobody":
        _check_alone(settled.trainer)
    else:
        _check_started(settled.trainer, here)
    check_divides(settled)
    return settled


def _devices(settings: Trainer, here: Place) -> int:
    if isinstance(settings.devices, int):
        return settings.devices
    if here.started_by != "nobody":
        return here.local_world or here.world // settings.nodes
    import torch

    found = torch.cuda.device_count() if settings.accelerator in ("auto", "gpu") else 0
    if not found:
        raise OsteonError(
            "trainer.devices: auto is one process a GPU, and torch sees none here. Give a number: trainer.devices=2, "
            "or train in one process: trainer=default."
        )
    return found


def _check_alone(settings: Trainer) -> None:
    """Refuse what one process cannot start by itself: processes on other machines."""
    if settings.nodes > 1:
        raise OsteonError(
            f"trainer.nodes: found {settings.nodes}, but nothing has started processes there. Under SLURM: srun "
            f"--nodes={settings.nodes} --ntasks-per-node={settings.devices} python train.py ...; elsewhere, on each "
            f"machine: torchrun --nnodes={settings.nodes} --nproc-per-node={settings.devices} --rdzv-id=<name> "
            "--rdzv-backend=c10d --rdzv-endpoint=<first machine>:29500 train.py ..."
        )


def _check_started(settings: Trainer, here: Place) -> None:
    """Refuse another number of processes than asked for: they would train on other batches than meant, unseen."""
    per_node, asked = settings.devices, f"trainer.devices={settings.devices} x trainer.nodes={settings.nodes}"
    if here.started_by == "slurm" and here.world > 1 and not here.local_world:
        raise OsteonError(
            f"SLURM: started {here.world} tasks by --ntasks, which may lie unevenly on machines. Say --nodes="
            f"{settings.nodes} --ntasks-per-node={per_node}."
        )
    if here.world != settings.processes or (here.world > 1 and here.local_world not in (0, per_node)):
        ways = {
            "slurm": f"srun --nodes={settings.nodes} --ntasks-per-node={per_node} (and the same in #SBATCH)",
            "torchrun": f"torchrun --nnodes={settings.nodes} --nproc-per-node={per_node}",
            "osteon": "another number of processes",
        }
        lies = f", {here.local_world} of them here" if here.local_world else ""
        who = "SLURM (--ntasks)" if here.started_by == "slurm" else here.started_by
        raise OsteonError(
            f"trainer.devices: {asked} asks for {settings.processes} process(es), but {who} has started "
            f"{here.world}{lies}. Use {ways.get(here.started_by)}, or set trainer.devices and trainer.nodes to match."
        )


def check_divides(config: Config) -> None:
    """Refuse a batch that the processes cannot share evenly: the shares would weigh unequally in batch norm and time.

    Raises:
        OsteonError: names the nearest batch sizes that divide.
    """
    world, size = config.trainer.processes, config.data.batch_size
    if size % world:
        below = size // world * world
        nearest = f"{below} or {below + world}" if below else f"{world}"
        raise OsteonError(
            f"data.batch_size: {size} images a step do not divide over {world} processes (it is the number over all of "
            f"them). Use data.batch_size={nearest}, or another trainer.devices."
        )


def shared_folder(words: list[str], told: Mapping[str, str] | None = None) -> list[str]:
    """Return the command line with a run folder that all processes agree on, where several were started from outside.

    Each composes for itself, so that a time of day in the folder's name would differ.

    Raises:
        OsteonError: the starter gives the run no name of its own.
    """
    told = os.environ if told is None else told
    here = place(told)
    named = any(word.lstrip("+").startswith(("hydra.run.dir=", "resume=")) for word in words)
    if here.world == 1 or here.started_by in ("nobody", "osteon") or named:
        return words
    if here.started_by == "slurm":
        name = f"slurm{told.get('SLURM_JOB_ID', '')}.{told.get('SLURM_STEP_ID', '0')}"
    else:
        name = told["TORCHELASTIC_RUN_ID"]
        if name in ("", "none"):
            raise OsteonError(
                "hydra.run.dir: the processes of torchrun must agree on the run's folder. Name it: "
                "hydra.run.dir=runs/<name>, or give torchrun --standalone or --rdzv-id=<name>."
            )
    return [*words, f"hydra.run.dir=runs/{name}_${{osteon.tasks:}}_${{backbone.name}}"]
