"""What the predictions of a run say of themselves: the facts of its tasks, and of the run."""

import hashlib
import json
from dataclasses import replace
from typing import Any

import numpy as np

from osteon.config import Config, Task
from osteon.config.neutral import REPLICATED, nested
from osteon.errors import OsteonError, nearest
from osteon.heads import scale
from osteon.manifest.target import INDEXED, Target
from osteon.module.boxes_table import WholeImage
from osteon.predictions import TaskFacts
from osteon.run.prepare import Prepared

ELSEWHERE = nested(REPLICATED)
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
        classes=target.classes if target.kind in (*INDEXED, "boxes") else ("negative", "positive"),
        groups=_groups(task),
        protocol_threshold=task.protocol_threshold,
        rule=task.threshold_rule,
        monitor=OF_A_LABEL.get(task.monitor, task.monitor) if task.head.kind == "multilabel" else task.monitor,
        low=low,
        high=high,
        unit_name=target.unit or ("grades" if target.kind == "ordinal" else ""),
        cut=task.cut,
        hit=task.hit if task.head.kind == "detection" else "",
        call=task.head.call if task.head.kind == "ordinal" else "",
    )
    if task.head.kind == "detection":
        return {name: facts, **_whole_facts(name, task, target)}
    if task.head.kind != "multilabel":
        return {name: facts}
    return {f"{name}.{label}": replace(facts, of=name) for label in target.classes}


def _groups(task: Task) -> tuple[str, ...]:
    """Return the columns by whose values scores are told; of several datasets each has its own."""
    return tuple(dict.fromkeys((*task.groups, *(["dataset"] if task.also else []))))


def _whole_facts(name: str, task: Task, target: Target) -> dict[str, TaskFacts]:
    """Return the facts of the answers that are made of a task's boxes; they are tasks of their own."""
    if task.whole is None:
        return {}
    for one in task.whole.classes:
        if one not in target.classes:
            raise OsteonError(f"whole.classes: found {one!r}.{nearest(one, target.classes)}")
    said = ("none", "+".join(task.whole.classes or target.classes))
    facts = TaskFacts("binary", "image", "max", "any", said, _groups(task))
    return {f"{name}.{unit}": replace(facts, unit=unit) for unit in task.whole.units}


def wholes_of(config: Config, prepared: Prepared) -> dict[str, WholeImage]:
    """Return which boxes the answers of whole images are made of."""
    found: dict[str, WholeImage] = {}
    for name, task in config.tasks.items():
        if task.whole is not None:
            classes = prepared.sources.target(name, task).classes
            indices = tuple(classes.index(one) for one in task.whole.classes or classes)
            truth = _said_of_images(task, prepared)
            found |= {f"{name}.{unit}": WholeImage(name, indices, truth) for unit in task.whole.units}
    return found


def _said_of_images(task: Task, prepared: Prepared) -> np.ndarray | None:
    """Return what the target that `whole` names says of every image; None where it names none."""
    column = task.whole.target if task.whole is not None else None
    if column is None:
        return None
    return np.asarray(prepared.manifest[column].to_numpy(np.float64, na_value=np.nan))


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


def predicted_splits(config: Config) -> tuple[str, ...]:
    """Return the splits that a run predicts and scores: val, and test unless it is left out."""
    return ("val", "test") if config.test else ("val",)


def digest(value: Any) -> str:
    """Return the sha256 of plain containers as JSON."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
