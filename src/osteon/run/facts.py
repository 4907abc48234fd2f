"""What the predictions of a run say of themselves: the facts of its tasks, and of the run."""

import hashlib
import json
from dataclasses import replace
from typing import Any

from osteon.config import Config, Task
from osteon.errors import OsteonError
from osteon.heads import scale
from osteon.manifest.target import INDEXED, Target
from osteon.predictions import TaskFacts
from osteon.run.prepare import Prepared

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
