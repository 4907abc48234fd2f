"""Fit and predict with a trainer: from the start, from an interrupted run's last epoch, or not at all."""

import csv
from pathlib import Path
from typing import Any

import pandas as pd
import pytorch_lightning as pl
from pytorch_lightning.loggers import CSVLogger

from osteon.data import RadiographData
from osteon.model import Model
from osteon.module import OsteonModule
from osteon.run.checkpoints import BEST, LAST, load, progress
from osteon.run.faults import in_our_words
from osteon.run.processes.group import WorldAsAsked, together
from osteon.run.reporting import check_going_on


def fit(trainer: pl.Trainer, module: OsteonModule, data: RadiographData, folder: Path, resumed: bool) -> int | None:
    """Train, and load the best weights back into `module`.

    Args:
        trainer: see `build_trainer`.
        module: untrained.
        data: the loaders.
        folder: the run's.
        resumed: whether to go on after the last whole epoch, where one was finished.

    Returns:
        The epoch that was gone on with; None where training began.

    Raises:
        OsteonError: training diverged, memory or disk is full (names the settings to change), or a checkpoint is
            damaged or holds code.
        KeyboardInterrupt: stopped by a signal.
        Pruned: stopped by the search that it is a trial of.
    """
    checkpoints = folder / "checkpoints"
    last = checkpoints / LAST
    before = progress(checkpoints) if resumed and last.is_file() else None
    if before:
        _keep_curves(trainer, folder / "metrics.csv", before["steps"])
    if not before or not (before["stopped_early"] or before["epochs"] >= (trainer.max_epochs or 0)):
        with in_our_words(trainer, data, folder):
            trainer.fit(module, datamodule=data, ckpt_path=last if before else None, weights_only=True)
            together(trainer)  # rank 0 has written its checkpoints
        check_going_on(trainer)
    best = load(checkpoints / BEST)
    module.check_own(best)
    with in_our_words(trainer, data, folder):
        module.load_state_dict(best["state_dict"])
    return before["epochs"] if before else None


def _keep_curves(trainer: pl.Trainer, file: Path, steps: int) -> None:
    """Put the rows before `steps` back: Lightning's logger deletes the file that it finds."""
    logger = next((one for one in trainer.loggers if isinstance(one, CSVLogger)), None)
    if logger is None or not file.is_file():
        return
    with file.open(newline="", encoding="utf-8", errors="replace") as handle:
        rows = [row for row in csv.DictReader(handle) if (row.get("step") or "").isdigit() and int(row["step"]) < steps]
    whole = [row for row in rows if None not in row and None not in row.values()]  # a line may be cut off
    logger.experiment.metrics = whole
    logger.experiment.save()


def predict(trainer: pl.Trainer, module: OsteonModule, data: RadiographData, folder: Path) -> pd.DataFrame:
    """Return the predictions of the splits that the data names, one row an image and task."""
    with in_our_words(trainer, data, folder):
        trainer.predict(module, datamodule=data, return_predictions=False)
    assert module.predicted is not None
    return module.predicted


def training_facts(trainer: pl.Trainer, model: Model, folder: Path) -> dict[str, Any]:
    """Return how training went: epochs, steps, best monitor, precision, device, parameters."""
    return {
        **progress(folder / "checkpoints"),
        "precision": str(trainer.precision),
        "device": str(trainer.strategy.root_device),
        "processes": trainer.world_size,
        **_ranks(trainer),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        **_lost(folder / "metrics.csv"),
    }


def _ranks(trainer: pl.Trainer) -> dict[str, Any]:
    """Return what every rank said it trains with; empty for one process, and where nothing was left to train."""
    told = [one.values for one in trainer.callbacks if isinstance(one, WorldAsAsked)]  # type: ignore[attr-defined]
    return {"ranks": told[0]} if told and len(told[0]) > 1 else {}


def _lost(file: Path) -> dict[str, float]:
    """Return how many boxes augmentation took an epoch, and how many images it left with none; empty without boxes."""
    curves = pd.read_csv(file) if file.is_file() else pd.DataFrame()
    names = ("boxes_lost", "images_emptied")
    return {f"{name}_an_epoch": float(curves[f"train/{name}"].mean()) for name in names if f"train/{name}" in curves}
