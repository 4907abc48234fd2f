"""What can go wrong while torch is running, in our words; nothing half-written is left behind."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytorch_lightning as pl
import torch

from osteon.data import RadiographData
from osteon.errors import OsteonError


@contextmanager
def in_our_words(trainer: pl.Trainer, data: RadiographData, folder: Path) -> Iterator[None]:
    """Turn faults of memory, disk and batch into an OsteonError, and Lightning's own exits into an interrupt.

    Raises:
        OsteonError: memory or disk is full, or a batch is too small for the network.
        KeyboardInterrupt: Ctrl-C, or with an argument SIGTERM; Lightning would exit with 1, or with 0.
    """
    try:
        yield
    except SystemExit as stop:
        told = ["SIGTERM"] if trainer.received_sigterm else getattr(stop.__context__, "args", [])  # see `Terminable`
        raise KeyboardInterrupt(*told) from stop
    except OSError as fault:
        raise _disk(fault, folder) from fault
    except (MemoryError, RuntimeError, ValueError) as fault:
        known = _known(fault, data, folder)
        if known is None:
            raise
        raise known from fault


def _known(fault: Exception, data: RadiographData, folder: Path) -> OsteonError | None:
    said = (str(fault).splitlines() or ["no memory left."])[0]
    if isinstance(fault, (MemoryError, torch.OutOfMemoryError)) or "can't allocate memory" in said:
        ways = (
            "Work through a batch in parts, which changes no result but batch norm's: trainer.accumulate=2 or more. Or "
            f"lower data.batch_size (now {data.batch_size}) or data.image_size."
        )
        return OsteonError(f"out of memory: {said} {ways}")
    if "more than 1 value per channel" in said:
        return OsteonError(
            f"data.batch_size: found {data.batch_size}, but the batch norm of this backbone needs two images a batch "
            "at this data.image_size. Use data.batch_size=2 or more, or larger images."
        )
    if type(fault).__module__.startswith(("torch._dynamo", "torch._inductor")):
        return OsteonError(
            f"trainer.compile: torch.compile cannot compile this backbone ({type(fault).__name__}: {said}) On CPUs it "
            "needs a C++ compiler (g++). Install one, or leave out trainer.compile=true."
        )
    if "loading state_dict" in str(fault):
        return OsteonError(
            f"{folder / 'checkpoints'}: its weights are not those of this model. Delete the checkpoints and resume: "
            "the run then starts from its first epoch."
        )
    if "PytorchStreamWriter" in str(fault) or "file write failed" in str(fault):
        return _disk(fault, folder)
    return None


def _disk(fault: Exception, folder: Path) -> OsteonError:
    """Remove checkpoints that were cut off, and name the folder."""
    for file in (folder / "checkpoints").glob("*.ckpt"):
        if not zipfile.is_zipfile(file):
            file.unlink()
    reason = getattr(fault, "strerror", None) or str(fault).splitlines()[0]
    return OsteonError(
        f"{folder}: could not be written while training ({reason}). Free space or choose another: hydra.run.dir=<path>"
    )
