"""From predictions to scores: files are written first, and scored from what was written."""

from pathlib import Path

import numpy as np
import pandas as pd

from osteon import predictions
from osteon.config import Config
from osteon.module import PredictionTable
from osteon.module.boxes_table import empty_boxes
from osteon.predictions import Predictions, TaskFacts, owner
from osteon.run.facts import facts_of, predicted_splits, run_facts, wholes_of
from osteon.run.prepare import Prepared
from osteon.scoring.calibrated.run import TEMPERATURES
from osteon.scoring.calibrated.temperature import fit_all as fit_temperatures
from osteon.scoring.calibrated.temperature import freeze as freeze_temperatures
from osteon.scoring.table import score
from osteon.scoring.thresholds import Threshold, fit_all, freeze
from osteon.scoring.units import units


def prediction_table(config: Config, prepared: Prepared) -> PredictionTable:
    """Return what joins the answers of a run with the ids of its images."""
    return PredictionTable(
        prepared.manifest,
        prepared.targets,
        prepared.members,
        facts_of(config, prepared),
        prepared.sources.kind,
        prepared.canvas,
        wholes_of(config, prepared),
    )


def rehearse(table: PredictionTable) -> None:
    """Run what follows training on made-up answers, so that a fault of units or labels stops the run before it.

    Raises:
        OsteonError: images of one unit disagree where they must not, or val has units of one outcome only.
    """
    facts = table.facts
    columns = {name: _guess(values, facts.get(name)) for name, values in table.targets.items()}
    frame = table.build(np.arange(len(table.manifest)), columns)
    frame = predictions.check(frame[frame["split"] != "train"], facts, "manifest")
    for name, fact in facts.items():
        for split in ("val", "test"):
            units(frame[(frame["task"] == name) & (frame["split"] == split)], fact)
    fit_all(frame[frame["split"] == "val"], facts, table.wholes)


def _guess(targets: np.ndarray, facts: TaskFacts | None) -> dict[str, np.ndarray]:
    """Return columns as a head would decode them, of an answer that knows nothing; no facts: several labels."""
    count = len(targets)
    if facts is not None and facts.head == "detection":
        return {"boxes": empty_boxes(count)}
    if facts is None or facts.head == "binary":
        return {"probability": np.full(targets.shape, 0.5)}
    if facts.head == "regression":
        return {"value": np.full(count, 0.0 if facts.low is None else facts.low)}
    classes = len(facts.classes)
    even = {"probabilities": np.full((count, classes), 1 / classes)}
    return even if facts.head == "multiclass" else even | {"value": np.full(count, (classes - 1) / 2)}


def measure(
    config: Config, prepared: Prepared, table: pd.DataFrame, folder: Path
) -> tuple[dict[str, Threshold], pd.DataFrame, Predictions]:
    """Write predictions, thresholds and temperatures fitted on val, and score what was written.

    Returns:
        The thresholds, the score table, and the predictions as they were read back.
    """
    facts = facts_of(config, prepared)
    names = {
        f"{task}/{split}": said
        for task in facts
        for split, said in prepared.sources.split_names(config.tasks[owner(task, config.tasks) or task]).items()
    }
    about = {"name": folder.name, **run_facts(config, prepared)}
    files = [folder / "predictions" / f"{split}.parquet" for split in predicted_splits(config)]
    for file in files:
        predictions.write(file, table[table["split"] == file.stem], facts, about, names)
    thresholds = fit_all(table[table["split"] == "val"], facts, wholes_of(config, prepared))
    freeze(folder / "thresholds.json", thresholds)
    freeze_temperatures(folder / TEMPERATURES, fit_temperatures(table[table["split"] == "val"], facts))
    written = predictions.merge([predictions.read(file) for file in files])
    return thresholds, score(written, thresholds, replicates=config.bootstrap), written
