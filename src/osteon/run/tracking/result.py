"""What is logged after training: tables of predictions and scores, plots on test, and images where terms allow it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from pytorch_lightning.loggers import Logger, WandbLogger

from osteon.config import Config
from osteon.run.facts import facts_of
from osteon.run.prepare import Prepared
from osteon.run.tracking import pictures, tables
from osteon.run.tracking.permission import images_shown
from osteon.run.tracking.plots import plots
from osteon.scoring.thresholds import Threshold
from osteon.scoring.units import units


def log_result(
    loggers: list[Logger],
    config: Config,
    prepared: Prepared,
    table: pd.DataFrame,
    thresholds: Mapping[str, Threshold],
    scores: pd.DataFrame,
) -> None:
    """Log what a run found to its W&B run; nothing happens where there is none.

    Args:
        loggers: of the run.
        config: its settings.
        prepared: what it was trained on; ids there are hashes where the set is private.
        table: checked predictions of val and test, one row an image and task.
        thresholds: frozen on val, by task.
        scores: the score table.

    Raises:
        OsteonError: images of a gated set are asked for.
    """
    runs = [logger.experiment for logger in loggers if isinstance(logger, WandbLogger)]
    settings = config.logger.wandb
    if not runs or settings is None:
        return
    found: dict[str, Any] = {"scores": _table(tables.score_rows(scores))}
    count = images_shown(config, prepared.sources.cards, prepared.sources.kind)
    for task, facts in facts_of(config, prepared).items():
        rows = table[table["task"] == task]
        test = rows[rows["split"] == "test"]
        if len(test):
            found |= plots(task, units(test, facts), facts, thresholds.get(task), prepared.sources.kind)
        if facts.head == "detection":  # a list of boxes is no row of a table; the whole-image answer has its own
            continue
        called = tables.called(rows, facts, thresholds.get(task))
        if settings.table_rows:
            found[f"predictions/{task}"] = _table(tables.sampled(called, settings.table_rows))
        found |= _images(task, called, prepared, count)
    for run in runs:
        run.log(found)
        run.summary.update(tables.summary(scores))


def _table(frame: pd.DataFrame) -> Any:
    import wandb

    return wandb.Table(**tables.plain(frame))


def _images(task: str, called: pd.DataFrame, prepared: Prepared, count: int) -> dict[str, Any]:
    if not count:
        return {}
    slots = prepared.manifest.set_index("image_id")["slot"]
    pixels = prepared.cache.pixels()
    chosen = {"mistakes": pictures.mistakes(called, count), "by_chance": pictures.by_chance(called, count)}
    return {
        f"{kind}/{task}": [_image(np.array(pixels[slots[row["image_id"]]]), row) for _, row in rows.iterrows()]
        for kind, rows in chosen.items()
        if len(rows)
    }


def _image(pixels: np.ndarray, row: pd.Series) -> Any:
    import wandb

    return wandb.Image(pixels, caption=pictures.caption(row))
