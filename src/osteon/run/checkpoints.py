"""Checkpoints that appear whole, and are read without running what is in them."""

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import torch
from lightning_fabric.plugins import TorchCheckpointIO
from pytorch_lightning import Trainer
from pytorch_lightning.callbacks import ModelCheckpoint
from torch import Tensor

from osteon.errors import OsteonError
from osteon.files import write_bytes

BEST, LAST = "best.ckpt", "last.ckpt"
WHOLE = (
    "state_dict",
    "optimizer_states",
    "lr_schedulers",
    "callbacks",
    "loops",
    "epoch",
    "global_step",
    "pytorch-lightning_version",
)


class Best(ModelCheckpoint):
    """Keeps the epoch of the highest monitor, of several alike the last: Lightning keeps the first.

    Small val sets tie (an AUROC of 1, an average precision of 0 while boxes are still loose), and the epoch that was
    trained longer, at a lower learning rate, is the better guess.
    """

    def check_monitor_top_k(self, trainer: Trainer, current: Tensor | None = None) -> bool:
        """Return whether `current` is as high as the best so far; ranks must agree."""
        if super().check_monitor_top_k(trainer, current):
            return True
        same = current is not None and bool(current == self.best_k_models[self.kth_best_model_path])
        return trainer.strategy.reduce_boolean_decision(same)


class WholeFiles(TorchCheckpointIO):
    """Writes beside the target and renames; Lightning's own goes through /tmp, whose move may be a copy cut short."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Write `checkpoint` whole or not at all.

        Raises:
            OsteonError: the disk is full, read-only or over quota.
        """
        save(checkpoint, Path(path))

    def load_checkpoint(self, path: Any, map_location: Any = "cpu", weights_only: bool | None = True) -> dict[str, Any]:
        """Return a checkpoint of ours, with the folder that it lies in now in place of the one it was saved in."""
        file = Path(path)
        content = load(file)
        for state in content.get("callbacks", {}).values():
            if isinstance(state, dict) and "dirpath" in state:
                _moved(state, str(file.parent))
        return content


def _moved(state: dict[str, Any], folder: str) -> None:
    """A ModelCheckpoint forgets its best score when its folder has another name: a run may be moved."""
    before = state["dirpath"]
    for key, value in state.items():
        if isinstance(value, str):
            state[key] = value.replace(before, folder)
        if isinstance(value, dict):
            state[key] = {str(name).replace(before, folder): item for name, item in value.items()}


def save(content: dict[str, Any], file: Path) -> None:
    """Write plain containers and tensors, whole or not at all.

    By way of memory, as torch's own writer says no more of a full disk than "iostream error".

    Raises:
        OsteonError: the disk is full, read-only or over quota.
    """
    memory = io.BytesIO()
    torch.save(content, memory)
    write_bytes(file, memory.getbuffer())


def load(file: Path) -> dict[str, Any]:
    """Return what a checkpoint holds; a file of other things than tensors and plain containers is refused unread.

    Raises:
        OsteonError: the file is missing, cut off, damaged or holds code.
    """
    ways = f"Delete {file.name} and start the run anew, or take it from a copy of the folder."
    try:
        content = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as fault:
        raise OsteonError(f"{file}: holds more than numbers and was not read, as it could run code. {ways}") from fault
    except (OSError, EOFError, RuntimeError, ValueError, zipfile.BadZipFile) as fault:
        said = (str(fault).splitlines() or ["cut off"])[0]
        raise OsteonError(f"{file}: damaged or not a checkpoint ({said}). {ways}") from fault
    needed = WHOLE if file.name == LAST else ("state_dict",)
    if not isinstance(content, dict) or not set(needed) <= set(content):
        raise OsteonError(f"{file}: not a checkpoint of Osteon, or only a part of one. {ways}")
    return content


def progress(folder: Path) -> dict[str, Any]:
    """Return epochs, steps and best monitor of the training whose checkpoints lie in `folder`, and whether it stopped.

    Read from the file and not from the trainer, so that an interrupted run tells what an uninterrupted one does.
    """
    content = load(folder / LAST)
    try:
        return _progress(content)
    except (KeyError, TypeError, ValueError, AttributeError) as fault:
        raise OsteonError(f"{folder / LAST}: damaged. Delete it and start the run anew.") from fault


def _progress(content: dict[str, Any]) -> dict[str, Any]:
    states = content["callbacks"]
    best = next(
        (state["best_model_score"] for key, state in states.items() if "best_model_score" in state and _watches(key)),
        None,
    )
    patience = next((state for key, state in states.items() if key.startswith("EarlyStopping")), None)
    return {
        "epochs": int(content["epoch"]) + 1,
        "steps": int(content["global_step"]),
        "best_monitor": None if best is None else float(best),
        "stopped_early": patience is not None and patience["wait_count"] >= patience["patience"],
    }


def _watches(key: str) -> bool:
    return key.startswith(Best.__name__)
