"""From predictions to scores: files are written first, and scored from what was written."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from osteon import predictions
from osteon.config import Config
from osteon.module import PredictionTable
from osteon.predictions import TaskFacts
from osteon.run.prepare import Prepared
from osteon.scoring.metrics import direction, monitor
from osteon.scoring.table import score
from osteon.scoring.thresholds import Threshold, fit, freeze
from osteon.scoring.units import units

# What may differ between two folds of one cross-validation: who is tested, where files lie, how progress is shown.
ELSEWHERE: Any = {
    "seed": True,
    "data": {"fold", "root", "roots", "cache_dir", "key_file", "workers"},
    "logger": True,
    "callbacks": {"progress_bar"},
    "bootstrap": True,
    "resume": True,
}


def facts_of(config: Config, prepared: Prepared) -> dict[str, TaskFacts]:
    """Return what scoring must know of every task."""
    facts = {}
    for name, task in config.tasks.items():
        classes = prepared.sources.cards[task.dataset.name].targets[task.target].classes
        facts[name] = TaskFacts(
            head=task.head.kind,
            unit=task.unit,
            pool=task.pool,
            truth=task.truth,
            classes=tuple(classes) or ("negative", "positive"),
            groups=tuple(task.groups),
            protocol_threshold=task.protocol_threshold,
            rule=task.threshold_rule,
            monitor=task.monitor,
        )
    return facts


def monitor_scores(frame: pd.DataFrame, facts: Mapping[str, TaskFacts], key: str) -> dict[str, float]:
    """Return the monitored score of every task, and under `key` their mean, signed so that higher is better."""
    values = {name: monitor(frame[frame["task"] == name], fact) for name, fact in facts.items()}
    scores = {f"val/{name}/{facts[name].monitor}": value for name, value in values.items()}
    signed = [value if direction(facts[name].monitor) == "max" else -value for name, value in values.items()]
    return {**scores, key: sum(signed) / len(signed)}


def run_facts(config: Config, prepared: Prepared) -> dict[str, Any]:
    """Return what a predictions file says of its run; runs are joined as folds only where cohort and settings agree."""
    data = config.data
    ids = sorted(prepared.manifest["image_id"])
    settings = config.model_dump(mode="json", exclude=ELSEWHERE)
    return {
        "fold": data.fold,
        "folds": data.folds,
        "seed": config.seed,
        "backbone": config.backbone.name,
        "cohort": digest([ids, data.split_seed, data.folds]),
        "settings": digest(settings),
    }


def digest(value: Any) -> str:
    """Return the sha256 of plain containers as JSON."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def rehearse(table: PredictionTable) -> None:
    """Run what follows training on made-up probabilities, so that a fault of units or labels stops the run before it.

    Raises:
        OsteonError: images of one unit disagree where they must not, or val has units of one outcome only.
    """
    count = len(table.manifest)
    facts = table.facts
    guess = {name: np.full((count, len(fact.classes)), 1 / len(fact.classes)) for name, fact in facts.items()}
    columns = {
        name: {"probability": values[:, 0]} if facts[name].head == "binary" else {"probabilities": values}
        for name, values in guess.items()
    }
    frame = table.build(np.arange(count), columns)
    frame = predictions.check(frame[frame["split"] != "train"], facts, "manifest")
    for name, fact in facts.items():
        for split in ("val", "test"):
            made = units(frame[(frame["task"] == name) & (frame["split"] == split)], fact)
            if split == "val" and fact.head == "binary":
                fit(made, fact)


def measure(
    config: Config, prepared: Prepared, table: pd.DataFrame, folder: Path
) -> tuple[dict[str, Threshold], pd.DataFrame]:
    """Write predictions and thresholds fitted on val, and return the thresholds and the score table of the files."""
    facts = facts_of(config, prepared)
    cards = prepared.sources.cards
    names = {
        f"{task}/{split}": said
        for task, settings in config.tasks.items()
        for split, said in cards[settings.dataset.name].split_names.items()
    }
    about = {"name": folder.name, **run_facts(config, prepared)}
    files = [folder / "predictions" / f"{split}.parquet" for split in ("val", "test")]
    for file in files:
        predictions.write(file, table[table["split"] == file.stem], facts, about, names)
    val = table[table["split"] == "val"]
    thresholds = {
        name: fit(units(val[val["task"] == name], fact), fact) for name, fact in facts.items() if fact.head == "binary"
    }
    freeze(folder / "thresholds.json", thresholds)
    written = predictions.merge([predictions.read(file) for file in files])
    return thresholds, score(written, thresholds, replicates=config.bootstrap)
