"""From predictions to scores: files are written first, and scored from what was written."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from osteon import predictions
from osteon.config import Config, Task
from osteon.errors import OsteonError
from osteon.heads import scale
from osteon.manifest.target import INDEXED, Target
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
# What each label of a multilabel task is scored by, where their mean is monitored.
OF_A_LABEL = {"macro_auroc": "auroc", "macro_average_precision": "average_precision"}


def facts_of(config: Config, prepared: Prepared) -> dict[str, TaskFacts]:
    """Return what scoring must know of every task; a multilabel one is written as a binary task a label.

    Raises:
        OsteonError: a label's task has the name of another task, or a task's settings do not fit its target.
    """
    facts: dict[str, TaskFacts] = {}
    for name, task in config.tasks.items():
        try:
            mine = _facts_of_task(name, task, prepared.sources.target(name, task))
        except OsteonError as fault:
            raise OsteonError(f"tasks.{name}: {fault}") from fault
        if twice := sorted(set(mine) & (set(facts) | (set(config.tasks) - {name}))):
            raise OsteonError(f"tasks.{name}: its label {twice[0]!r} has the name of another task. Rename that one.")
        facts |= mine
    return facts


def _facts_of_task(name: str, task: Task, target: Target) -> dict[str, TaskFacts]:
    low, high = scale(target) if task.head.kind == "regression" else (None, None)
    facts = TaskFacts(
        head="binary" if task.head.kind == "multilabel" else task.head.kind,
        unit=task.unit,
        pool=task.pool,
        truth=task.truth,
        classes=target.classes if target.kind in INDEXED else ("negative", "positive"),
        groups=tuple(task.groups),
        protocol_threshold=task.protocol_threshold,
        rule=task.threshold_rule,
        monitor=OF_A_LABEL.get(task.monitor, task.monitor) if task.head.kind == "multilabel" else task.monitor,
        low=low,
        high=high,
        unit_name=target.unit or ("grades" if target.kind == "ordinal" else ""),
        cut=task.cut,
    )
    if task.head.kind != "multilabel":
        return {name: facts}
    return {f"{name}.{label}": replace(facts, of=name) for label in target.classes}


def monitor_scores(frame: pd.DataFrame, facts: Mapping[str, TaskFacts], key: str) -> dict[str, float]:
    """Return the monitored score of every task, and under `key` their mean, signed so that higher is better.

    Of a multilabel task it is the mean over the labels; see `macro`.
    """
    scores, signed = {}, []
    for owner in dict.fromkeys(fact.of or name for name, fact in facts.items()):
        mine = {name: fact for name, fact in facts.items() if (fact.of or name) == owner}
        several, chosen = owner not in mine, next(iter(mine.values())).monitor
        parts = {name: frame[frame["task"] == name] for name in mine}
        value = macro(parts, mine) if several else monitor(parts[owner], mine[owner])
        scores[f"val/{owner}/{'macro_' if several else ''}{chosen}"] = value
        signed.append(value if direction(chosen) == "max" else -value)
    return {**scores, key: sum(signed) / len(signed)}


def macro(parts: Mapping[str, pd.DataFrame], facts: Mapping[str, TaskFacts]) -> float:
    """Return the mean of the monitored score over the labels of one task; of those that it is defined for, if any.

    Args:
        parts: task of a label -> its image predictions.
        facts: task of a label -> its facts.
    """
    made = {name: units(part, facts[name]) for name, part in parts.items()}
    chosen = [name for name, table in made.items() if table["target"].nunique() > 1] or list(made)
    return sum(monitor(made[name], facts[name]) for name in chosen) / len(chosen)


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
    _fitted(frame[frame["split"] == "val"], facts)


def _guess(targets: np.ndarray, facts: TaskFacts | None) -> dict[str, np.ndarray]:
    """Return columns as a head would decode them, of an answer that knows nothing; no facts: several labels."""
    count = len(targets)
    if facts is None or facts.head == "binary":
        return {"probability": np.full(targets.shape, 0.5)}
    if facts.head == "regression":
        return {"value": np.full(count, 0.0 if facts.low is None else facts.low)}
    classes = len(facts.classes)
    even = {"probabilities": np.full((count, classes), 1 / classes)}
    return even if facts.head == "multiclass" else even | {"value": np.full(count, (classes - 1) / 2)}


def _fitted(val: pd.DataFrame, facts: Mapping[str, TaskFacts]) -> dict[str, Threshold]:
    """Return the thresholds of the binary tasks, fitted on val.

    A label that all units of val have, or none, gets none: rare findings must not stop the others.

    Raises:
        OsteonError: val has units of one outcome only, of a task that is no label.
    """
    found = {}
    for name, fact in facts.items():
        if fact.head == "binary":
            made = units(val[val["task"] == name], fact)
            if not fact.of or made["target"].nunique() > 1:
                found[name] = fit(made, fact)
    return found


def measure(
    config: Config, prepared: Prepared, table: pd.DataFrame, folder: Path
) -> tuple[dict[str, Threshold], pd.DataFrame]:
    """Write predictions and thresholds fitted on val, and return the thresholds and the score table of the files."""
    facts = facts_of(config, prepared)
    cards = prepared.sources.cards
    names = {
        f"{task}/{split}": said
        for task, fact in facts.items()
        for split, said in cards[config.tasks[fact.of or task].dataset.name].split_names.items()
    }
    about = {"name": folder.name, **run_facts(config, prepared)}
    files = [folder / "predictions" / f"{split}.parquet" for split in ("val", "test")]
    for file in files:
        predictions.write(file, table[table["split"] == file.stem], facts, about, names)
    thresholds = _fitted(table[table["split"] == "val"], facts)
    freeze(folder / "thresholds.json", thresholds)
    written = predictions.merge([predictions.read(file) for file in files])
    return thresholds, score(written, thresholds, replicates=config.bootstrap)
