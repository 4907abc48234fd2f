"""A run, end to end: locate, prepare, train, predict, score, and leave everything in one folder."""

import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytorch_lightning as pl
from pytorch_lightning.loggers import Logger

from osteon import predictions
from osteon.augment import build_augment
from osteon.backbone import default_image_size
from osteon.config import Config
from osteon.data import RadiographData, mirrored
from osteon.identity import redacted
from osteon.manifest.covariates import encode, fit_covariates
from osteon.model import Model, build_model
from osteon.module import MONITOR, OsteonModule, PredictionTable, Recipe
from osteon.module.imbalance import Balance, balance
from osteon.run import fit as fitting
from osteon.run import folder as leaving
from osteon.run.bundle import write_model
from osteon.run.facts import digest, facts_of, run_facts
from osteon.run.loggers import open_loggers
from osteon.run.measure import measure, monitor_scores, rehearse
from osteon.run.prepare import Prepared, prepare
from osteon.run.show import show_prepared, show_result
from osteon.run.sources import Sources, locate
from osteon.run.tracking import check_images, last_run, log_result
from osteon.run.trainer import build_trainer, quiet, to_memory_format
from osteon.run.unchanged import check_same_data


@dataclass(frozen=True)
class Result:
    """What `run` returns.

    Attributes:
        folder: the run folder.
        scores: tidy table, one row a task, split, group, operating point and metric.
        facts: what `result.json` holds beside the scores.
    """

    folder: Path
    scores: pd.DataFrame
    facts: dict[str, Any]


def run(config: Config, folder: Path, overrides: list[str]) -> Result:
    """Train one model and measure it.

    Args:
        config: validated settings.
        folder: the run folder, made if needed.
        overrides: what was said on the command line, kept beside the config.

    Raises:
        OsteonError: any fault of data, settings or disk, before work is lost where that can be known.
    """
    clock = [time.monotonic()]
    resumed = config.resume is not None
    if not resumed:
        leaving.check_empty(folder)
    quiet()
    pl.seed_everything(config.seed, workers=True, verbose=False)
    sources = locate(config)
    check_images(config, sources.cards, sources.kind)
    size = image_size(config, sources)
    model = make_model(config, sources, size)
    prepared = prepare(config, sources, size)
    with leaving.alone(folder):
        if not resumed:
            leaving.check_empty(folder)  # again, now that no other process can fill it
        if resumed:
            check_same_data(folder, prepared.manifest, prepared.cache.folder.name)
            leaving.sweep(folder)
        leaving.write_start(folder, config, prepared, overrides)
        show_prepared(config, prepared)
        with _loggers(config, prepared, folder) as loggers:
            trained = _train(config, prepared, model, folder, loggers)
            clock += [trained.began, time.monotonic()]
            return _measured(config, prepared, trained, folder, clock)


def _loggers(config: Config, prepared: Prepared, folder: Path) -> AbstractContextManager[list[Logger]]:
    """Return the loggers; what they are told of the config has no private place in it."""
    places = prepared.sources.places
    before = None if config.resume is None else last_run(folder)
    return open_loggers(config, folder, prepared.sources.kind, lambda said: redacted(said, places), before)


@dataclass(frozen=True)
class _Trained:
    """What training leaves in memory."""

    trainer: pl.Trainer
    module: OsteonModule
    data: RadiographData
    facts: dict[str, Any]
    began: float


def _train(config: Config, prepared: Prepared, model: Model, folder: Path, loggers: list[Logger]) -> _Trained:
    train = (prepared.manifest["split"] == "train").to_numpy()
    model.join(fit_covariates(prepared.manifest[train], config.joined))
    model = to_memory_format(model, config.trainer)
    model.fit({task: values[train] for task, values in prepared.targets.items()})
    classes = {task: head.classes for task, head in model.heads_by_task.items() if head.classes}
    balanced = balance(config.training, classes, prepared.targets, train)
    model.emphasise(balanced.emphasis)
    data = make_data(config, prepared, balanced)
    module = make_module(config, prepared, model, data.steps_an_epoch(config.trainer.devices))
    trainer = build_trainer(config, folder, loggers)
    rehearse(module.table)
    began = time.monotonic()
    epoch = fitting.fit(trainer, module, data, folder, resumed=config.resume is not None)
    facts = {**fitting.training_facts(trainer, model, folder), "resumed_at_epoch": epoch, "imbalance": balanced.facts}
    return _Trained(trainer, module, data, facts, began)


def _measured(config: Config, prepared: Prepared, trained: _Trained, folder: Path, clock: list[float]) -> Result:
    table = fitting.predict(trained.trainer, trained.module, trained.data, folder)
    table = predictions.check(table, facts_of(config, prepared))
    thresholds, scores = measure(config, prepared, table, folder)
    model = trained.module.model
    write_model(folder / "model.pt", config, prepared, model, thresholds)
    facts = leaving.result_facts(config, prepared, model.backbone.weights, trained.facts)
    facts["seconds"] = _durations([*clock, time.monotonic()])
    leaving.write_result(folder, facts, scores)
    log_result(trained.trainer.loggers, config, prepared, table, thresholds, scores)
    show_result(scores, facts, folder)
    return Result(folder, scores, facts)


def _durations(clock: list[float]) -> dict[str, float]:
    return {"prepare": clock[1] - clock[0], "train": clock[2] - clock[1], "all": clock[-1] - clock[0]}


def image_size(config: Config, sources: Sources) -> tuple[int, int]:
    """Return (height, width) in pixels: as asked for, small for phantoms, else what the backbone was pretrained at."""
    asked = config.data.image_size or (config.phantom.image_size if sources.kind == "phantom" else None)
    if asked is None:
        return default_image_size(config.backbone.name)
    return (asked[0], asked[1]) if isinstance(asked, list) else (asked, asked)


def make_model(config: Config, sources: Sources, size: tuple[int, int]) -> Model:
    """Return backbone and heads, with pretrained weights by default on real data."""
    pretrained = config.backbone.pretrained
    wanted = sources.kind == "real" if pretrained is None else pretrained
    targets = {name: sources.target(name, task) for name, task in config.tasks.items()}
    model = build_model(config.tasks, targets, config.backbone, size, wanted)
    return to_memory_format(model, config.trainer)


def make_module(config: Config, prepared: Prepared, model: Model, steps_an_epoch: int) -> OsteonModule:
    """Return the LightningModule with the table and the scores that it is watched by."""
    facts = facts_of(config, prepared)
    table = PredictionTable(prepared.manifest, prepared.targets, prepared.members, facts, prepared.sources.kind)
    recipe = Recipe(
        weights={name: task.loss_weight for name, task in config.tasks.items()},
        optimizer=config.optimizer,
        scheduler=config.scheduler,
        training=config.training,
        accumulate=config.trainer.accumulate,
        steps_an_epoch=steps_an_epoch,
        run=digest(run_facts(config, prepared)),
        seed=config.seed,
        covariates=encode(prepared.manifest, model.covariates) if model.covariates else None,
    )
    return OsteonModule(model, recipe, table, lambda frame: monitor_scores(frame, facts, MONITOR))


def make_data(config: Config, prepared: Prepared, balanced: Balance) -> RadiographData:
    """Return the loaders over the cached images."""
    return RadiographData(
        prepared.manifest,
        prepared.cache.file,
        prepared.targets,
        config.data.batch_size,
        config.data.workers,
        build_augment(config.augment, prepared.size),
        config.seed,
        config.trainer.epoch_length,
        balanced.row_weights,
        config.trainer.limit_batches,
        mirrored(prepared.manifest, config.data.canonical_laterality),
    )
