"""Objects -> fit -> predictions: the trainer with its callbacks and loggers."""

import logging
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback, EarlyStopping, ModelCheckpoint, RichProgressBar

from osteon.config import Config, Trainer
from osteon.data import RadiographData
from osteon.errors import OsteonError
from osteon.model import Model
from osteon.module import MONITOR, OsteonModule
from osteon.run.faults import in_our_words
from osteon.run.loggers import build_loggers

NOTICES = (
    "does not have many workers",
    "srun. command is available",
    "isinstance.treespec",
    "Experiment logs directory",
    "smaller than the logging interval",
    "predict returned None",
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


def build_trainer(config: Config, folder: Path) -> pl.Trainer:
    """Return a Lightning trainer that leaves `metrics.csv` and `checkpoints/{best,last}.ckpt` in `folder`.

    Raises:
        OsteonError: the accelerator asked for is not there.
    """
    settings = config.trainer
    if settings.accelerator == "gpu" and not torch.cuda.is_available():
        raise OsteonError(
            "trainer.accelerator: found gpu, but torch sees no CUDA device. Use trainer.accelerator=auto."
        )
    if settings.accelerator == "mps" and not torch.backends.mps.is_available():
        raise OsteonError("trainer.accelerator: found mps, but this is no Apple GPU. Use trainer.accelerator=auto.")
    return pl.Trainer(
        max_epochs=settings.max_epochs,
        accelerator=settings.accelerator,
        devices=settings.devices,
        precision=precision(settings),  # type: ignore[arg-type]
        logger=build_loggers(config, folder),
        callbacks=_callbacks(config, folder),
        gradient_clip_val=settings.gradient_clip,
        deterministic="warn" if settings.deterministic else None,
        limit_train_batches=settings.limit_batches,
        limit_val_batches=settings.limit_batches,
        enable_progress_bar=config.callbacks.progress_bar,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        log_every_n_steps=50,
        default_root_dir=folder,
    )


def _callbacks(config: Config, folder: Path) -> list[Callback]:
    # `best` and `last` are two: save_last beside a monitor goes stale, as it is written only when the best improves.
    common: dict[str, Any] = {"dirpath": folder / "checkpoints", "enable_version_counter": False}
    callbacks: list[Callback] = [
        ModelCheckpoint(filename="best", monitor=MONITOR, mode="max", save_weights_only=True, **common),
        ModelCheckpoint(filename="last", save_top_k=1, save_on_train_epoch_end=True, **common),
    ]
    if config.callbacks.early_stopping:
        patience = config.callbacks.early_stopping
        callbacks.append(EarlyStopping(MONITOR, mode="max", patience=patience, verbose=False))
    if config.callbacks.progress_bar:
        callbacks.append(RichProgressBar(leave=False))
    return callbacks


def fit(trainer: pl.Trainer, module: OsteonModule, data: RadiographData, folder: Path) -> None:
    """Train, and load the best weights back into `module`.

    Raises:
        OsteonError: training diverged, memory or disk is full; names the settings to change.
        KeyboardInterrupt: stopped by a signal.
    """
    with in_our_words(trainer, data, folder):
        trainer.fit(module, datamodule=data)
    best = folder / "checkpoints" / "best.ckpt"
    module.load_state_dict(torch.load(best, map_location="cpu", weights_only=True)["state_dict"])


def predict(trainer: pl.Trainer, module: OsteonModule, data: RadiographData, folder: Path) -> pd.DataFrame:
    """Return the predictions of val and test, one row an image and task."""
    with in_our_words(trainer, data, folder):
        trainer.predict(module, datamodule=data, return_predictions=False)
    assert module.predicted is not None
    return module.predicted


def to_memory_format(model: Model, settings: Trainer) -> Model:
    """Return the model in channels_last where asked for, or where the arithmetic is 16 bit."""
    wanted = precision(settings) != "32-true" if settings.channels_last is None else settings.channels_last
    return model.to(memory_format=torch.channels_last) if wanted else model


def training_facts(trainer: pl.Trainer, model: Model) -> dict[str, Any]:
    """Return how training went: precision, device, epochs, best monitor, parameters."""
    best = next(item for item in trainer.callbacks if isinstance(item, ModelCheckpoint) and item.monitor)  # type: ignore[attr-defined]
    return {
        "epochs": trainer.current_epoch,
        "steps": trainer.global_step,
        "best_monitor": None if best.best_model_score is None else float(best.best_model_score),
        "precision": str(trainer.precision),
        "device": str(trainer.strategy.root_device),
        "processes": trainer.world_size,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
    }
