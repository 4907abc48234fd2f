"""A run, end to end: locate, prepare, train, predict, score, and leave everything in one folder."""

import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytorch_lightning as pl
from pytorch_lightning.loggers import Logger

from osteon import predictions
from osteon.config import Config
from osteon.config.names import RIDGE
from osteon.files import alone
from osteon.identity import redacted
from osteon.manifest.covariates import fit_covariates
from osteon.model import Model
from osteon.module.imbalance import balance
from osteon.run import fit as fitting
from osteon.run import folder as leaving
from osteon.run.aftermath import examine
from osteon.run.bundle import learned, write_model
from osteon.run.drawn import draw_boxes
from osteon.run.facts import facts_of
from osteon.run.floor import fit_floor
from osteon.run.inherit import inherit
from osteon.run.loggers import open_loggers
from osteon.run.making import image_size, make_data, make_model, make_module
from osteon.run.measure import measure, rehearse
from osteon.run.memory import hold_pages
from osteon.run.outcome import Outcome
from osteon.run.prepare import Prepared, prepare
from osteon.run.processes.ending import joined
from osteon.run.processes.group import check_devices, check_own_world
from osteon.run.processes.norms import settle_norms
from osteon.run.processes.place import Place, place
from osteon.run.show import show_prepared, show_result
from osteon.run.sources import locate
from osteon.run.trackers import log_summary
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
    here = place()
    check_own_world(config, here)
    check_devices(config)  # before hours of preparing
    with joined(here, folder):
        return _run(config, folder, overrides, here)


def _run(config: Config, folder: Path, overrides: list[str], here: Place) -> Result:
    start = time.monotonic()
    if here.first and config.resume is None:
        leaving.check_empty(folder)
    quiet()
    hold_pages()
    pl.seed_everything(config.seed, workers=True, verbose=False)
    sources = locate(config)
    check_images(config, sources.cards, sources.kind)
    size = image_size(config, sources)
    model = None if config.backbone.name == RIDGE else make_model(config, sources, size)
    prepared = prepare(config, sources, size)
    if model is not None:
        model.join(fit_covariates(_train_rows(prepared), config.joined))
        taken = inherit(model, config, prepared.manifest)
        model, said = settle_norms(model, config)
        prepared = replace(prepared, notes=(*prepared.notes, *taken, *said))
    with alone(folder) if here.first else nullcontext():
        if here.first:
            _begin(config, prepared, folder, overrides)
        with _loggers(config, prepared, folder, here) as loggers:
            outcome = fit_floor(config, prepared) if model is None else _train(config, prepared, model, folder, loggers)
            if not here.first:
                return Result(folder, pd.DataFrame(), {"training": outcome.training})
            return _measured(config, prepared, outcome, folder, loggers, start)


def _begin(config: Config, prepared: Prepared, folder: Path, overrides: list[str]) -> None:
    """Write and print what is known before training; an interrupted run's folder is held against it first."""
    if config.resume is None:
        leaving.check_empty(folder)  # again, now that no other process can fill it
    else:
        check_same_data(folder, prepared.manifest, prepared.cache.folder.name)
        leaving.sweep(folder)
    leaving.write_start(folder, config, prepared, overrides)
    show_prepared(config, prepared)


def _loggers(config: Config, prepared: Prepared, folder: Path, here: Place) -> AbstractContextManager[list[Logger]]:
    """Return the loggers, of rank 0 alone; what they are told of the config has no private place in it."""
    if not here.first:
        return nullcontext([])
    places = prepared.sources.places
    before = None if config.resume is None else last_run(folder)
    return open_loggers(config, folder, prepared.sources.kind, lambda said: redacted(said, places), before)


def _train(config: Config, prepared: Prepared, model: Model, folder: Path, loggers: list[Logger]) -> Outcome:
    train = (prepared.manifest["split"] == "train").to_numpy()
    model = to_memory_format(model, config.trainer)
    if config.trainer.compile:
        model.backbone.compile()  # in place: the names of its weights stay
    model.fit({task: values[train] for task, values in prepared.targets.items()})
    classes = {task: head.classes for task, head in model.heads_by_task.items() if head.classes}
    balanced = balance(config.training, classes, prepared.targets, train)
    model.emphasise(balanced.emphasis)
    data = make_data(config, prepared, balanced)
    module = make_module(config, prepared, model, data.steps_an_epoch())
    trainer = build_trainer(config, folder, loggers)
    rehearse(module.table)
    began = time.monotonic()
    epoch = fitting.fit(trainer, module, data, folder, resumed=config.resume is not None)
    ended = time.monotonic()
    facts = {**fitting.training_facts(trainer, model, folder), "resumed_at_epoch": epoch, "imbalance": balanced.facts}
    table = fitting.predict(trainer, module, data, folder)
    return Outcome(table, learned(model), facts, began, ended)


def _measured(
    config: Config, prepared: Prepared, outcome: Outcome, folder: Path, loggers: list[Logger], start: float
) -> Result:
    table = predictions.check(outcome.table, facts_of(config, prepared))
    thresholds, scores, written = measure(config, prepared, table, folder)
    draw_boxes(folder, prepared, table, facts_of(config, prepared), thresholds)
    write_model(folder / "model.pt", config, prepared, outcome.model, thresholds)
    facts = leaving.result_facts(config, prepared, outcome.model.weights, outcome.training)
    spans = {"prepare": outcome.began - start, "train": outcome.ended - outcome.began}
    facts["seconds"] = {**spans, "all": time.monotonic() - start}
    leaving.write_result(folder, facts, scores)  # what follows can be made again from the files
    audited = examine(folder, prepared, written, thresholds, config.bootstrap) if config.test else None
    if audited is not None:
        facts["audit"] = audited.to_json()
        leaving.write_result(folder, facts, scores)
    log_result(loggers, config, prepared, table, thresholds, scores)
    log_summary(loggers, scores)
    show_result(scores, facts, folder, audited)
    return Result(folder, scores, facts)


def _train_rows(prepared: Prepared) -> pd.DataFrame:
    return prepared.manifest[prepared.manifest["split"] == "train"]
