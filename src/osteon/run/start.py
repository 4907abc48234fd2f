"""A run, end to end: locate, prepare, train, predict, score, and leave everything in one folder."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytorch_lightning as pl

from osteon import predictions
from osteon.augment import build_augment
from osteon.backbone import default_image_size
from osteon.config import Config
from osteon.data import RadiographData
from osteon.model import Model, build_model
from osteon.module import MONITOR, OsteonModule, PredictionTable
from osteon.run import fit as fitting
from osteon.run import folder as leaving
from osteon.run.bundle import write_model
from osteon.run.measure import facts_of, measure, monitor_scores, rehearse
from osteon.run.prepare import Prepared, prepare
from osteon.run.show import show_prepared, show_result
from osteon.run.sources import Sources, locate


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
    leaving.check_empty(folder)
    fitting.quiet()
    pl.seed_everything(config.seed, workers=True, verbose=False)
    sources = locate(config)
    size = image_size(config, sources)
    model = make_model(config, sources, size)
    prepared = prepare(config, sources, size)
    leaving.write_start(folder, config, prepared, overrides)
    show_prepared(config, prepared)
    module, trainer = make_module(config, prepared, model), fitting.build_trainer(config, folder)
    rehearse(module.table)
    data = make_data(config, prepared)
    clock.append(time.monotonic())
    fitting.fit(trainer, module, data, folder)
    clock.append(time.monotonic())
    table = predictions.check(fitting.predict(trainer, module, data, folder), facts_of(config, prepared))
    thresholds, scores = measure(config, prepared, table, folder)
    write_model(folder / "model.pt", config, prepared, model, thresholds)
    facts = leaving.result_facts(config, prepared, model.backbone.weights, fitting.training_facts(trainer, model))
    facts["seconds"] = _durations([*clock, time.monotonic()])
    leaving.write_result(folder, facts, scores)
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
    targets = {name: sources.cards[task.dataset.name].targets[task.target] for name, task in config.tasks.items()}
    model = build_model(config.tasks, targets, config.backbone, size, wanted)
    return fitting.to_memory_format(model, config.trainer)


def make_module(config: Config, prepared: Prepared, model: Model) -> OsteonModule:
    """Return the LightningModule with the table and the scores that it is watched by."""
    facts = facts_of(config, prepared)
    table = PredictionTable(prepared.manifest, prepared.targets, prepared.members, facts, prepared.sources.kind)
    return OsteonModule(
        model,
        {name: task.loss_weight for name, task in config.tasks.items()},
        config.optimizer,
        config.scheduler,
        config.seed,
        table,
        lambda frame: monitor_scores(frame, facts, MONITOR),
    )


def make_data(config: Config, prepared: Prepared) -> RadiographData:
    """Return the loaders over the cached images."""
    return RadiographData(
        prepared.manifest,
        prepared.cache.file,
        prepared.targets,
        config.data.batch_size,
        config.data.workers,
        build_augment(config.augment, prepared.size),
        config.seed,
    )
