"""The Lightning trainer of a run: its lengths, arithmetic, callbacks and loggers."""

import logging
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import (
    Callback,
    EarlyStopping,
    ModelCheckpoint,
    RichProgressBar,
    WeightAveraging,
)
from pytorch_lightning.loggers import Logger
from torch import Tensor

from osteon.config import Config, Trainer
from osteon.config.monitors import MONITOR
from osteon.model import Model
from osteon.run.checkpoints import Best, WholeFiles
from osteon.run.loggers import curves
from osteon.run.processes.ending import Terminable
from osteon.run.processes.group import WorldAsAsked, environment, strategy
from osteon.run.processes.place import place
from osteon.run.reporting import Reporting

NOTICES = (
    "does not have many workers",
    "srun. command is available",
    "isinstance.treespec",
    "Experiment logs directory",
    "smaller than the logging interval",
    "predict returned None",
    "exists and is not empty",
    "WeightAveraging callback",
    "in eval mode at the start of training",
    "It is recommended to use .self.log",
)


def quiet() -> None:
    """Silence notices of libraries that a user can do nothing about; what matters is printed by us."""
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    for text in NOTICES:
        warnings.filterwarnings("ignore", message=f".*{text}.*")


def precision(trainer: Trainer) -> str:
    """Return the arithmetic: what was asked for, or bf16 where the hardware has instructions for it."""
    if trainer.precision != "auto":
        return trainer.precision
    if trainer.accelerator in ("auto", "gpu") and torch.cuda.is_available():
        return "bf16-mixed" if torch.cuda.is_bf16_supported(including_emulation=False) else "16-mixed"
    # Private names, but the only way to ask; tests assert that they exist.
    fast = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return "bf16-mixed" if fast else "32-true"


def build_trainer(config: Config, folder: Path, loggers: list[Logger]) -> pl.Trainer:
    """Return a Lightning trainer that leaves `metrics.csv` and `checkpoints/{best,last}.ckpt` in `folder`."""
    settings, here = config.trainer, place()
    return pl.Trainer(
        max_epochs=settings.max_epochs,
        accelerator=settings.accelerator,
        devices=settings.devices,
        num_nodes=settings.nodes,
        strategy=strategy(config),
        precision=precision(settings),  # type: ignore[arg-type]
        logger=loggers,
        callbacks=[
            WorldAsAsked(settings.processes),
            Terminable(),
            *_callbacks(config, folder),
            *curves(config, loggers),
        ],
        plugins=[WholeFiles(), environment(here)],
        gradient_clip_val=settings.gradient_clip,
        deterministic="warn" if settings.deterministic else None,
        limit_train_batches=settings.limit_batches,
        enable_progress_bar=config.callbacks.progress_bar and here.first,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        log_every_n_steps=50,
        default_root_dir=folder,
    )


def _callbacks(config: Config, folder: Path) -> list[Callback]:
    # `best` and `last` are two: save_last beside a monitor goes stale, as it is written only when the best improves.
    common: dict[str, Any] = {"dirpath": folder / "checkpoints", "enable_version_counter": False}
    settings, callbacks = config.callbacks, list[Callback]()
    if settings.ema is not None:
        callbacks.append(WeightAveraging(avg_fn=_moving(settings.ema)))
    callbacks += [
        Best(filename="best", monitor=MONITOR, mode="max", save_weights_only=True, **common),
        ModelCheckpoint(filename="last", save_top_k=1, save_on_train_epoch_end=True, **common),
        Reporting(),
    ]
    if settings.early_stopping:
        callbacks.append(EarlyStopping(MONITOR, mode="max", patience=settings.early_stopping, verbose=False))
    if settings.progress_bar and place().first:
        callbacks.append(RichProgressBar(leave=False))
    return callbacks


def _moving(decay: float) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """Return how an average moves: by `decay`, more at first, or short runs would average little but the start.

    After n steps by min(decay, (1 + n) / (10 + n)), as TensorFlow's ExponentialMovingAverage does with `num_updates`.
    """

    @torch.no_grad()
    def move(average: Tensor, current: Tensor, steps: Tensor) -> Tensor:
        keep = min(decay, (1.0 + float(steps)) / (10.0 + float(steps)))
        return (keep * average + (1.0 - keep) * current).to(average.dtype)

    return move


def to_memory_format(model: Model, settings: Trainer) -> Model:
    """Return the model in channels_last where asked for, or where the arithmetic is 16 bit."""
    wanted = precision(settings) != "32-true" if settings.channels_last is None else settings.channels_last
    return model.to(memory_format=torch.channels_last) if wanted else model
