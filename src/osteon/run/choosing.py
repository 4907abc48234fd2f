"""What the best epoch is chosen by: one task's score, or the mean of all tasks' normalised scores."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from osteon.module import PredictionTable
from osteon.predictions import TaskFacts
from osteon.scoring.metrics import direction, monitor
from osteon.scoring.units import units


@dataclass(frozen=True)
class Choice:
    """How the scores of several tasks become one number, higher is better.

    Attributes:
        by: `mean`, or the name of a task.
        floors: task -> its score of an answer that is the same for every image; of tasks whose score is an error.
    """

    by: str = "mean"
    floors: Mapping[str, float] = field(default_factory=dict)

    def number(self, scores: Mapping[str, tuple[str, float]]) -> float:
        """Return what an epoch is judged by.

        A single task's score is taken as it is, an error with its sign turned. Of several, scores that are best at 1
        count as they are, and errors as the share of the floor that is gone: 1 - error / floor, which is 1 for no
        error and 0 for the constant answer, so that months and kappas can be averaged.

        Args:
            scores: task -> name and value of its monitored score.
        """
        if self.by != "mean" or len(scores) == 1:
            name, value = scores[self.by if self.by in scores else next(iter(scores))]
            return value if direction(name) == "max" else -value
        return sum(self._normalised(task, *said) for task, said in scores.items()) / len(scores)

    def _normalised(self, task: str, name: str, value: float) -> float:
        if direction(name) == "max":
            return value
        floor = self.floors.get(task, 0.0)
        return 1.0 - value / floor if floor > 0 else -value


def floors(table: PredictionTable) -> dict[str, float]:
    """Return what constant answers, taken from the train labels, score on val: of every task whose score is an error.

    Classes get their frequencies, numbers and grades the median.
    """
    split, found = table.manifest["split"].to_numpy(), {}
    for task, facts in table.watched.items():
        if direction(facts.monitor) == "max" or facts.of:
            continue
        known = table.targets[task][split == "train"]
        rows = np.flatnonzero((split == "val") & table.members[task])
        frame = table.build(rows, {task: _constant(known[~np.isnan(known)], facts, len(rows))})
        found[task] = monitor(frame[frame["task"] == task], facts)
    return found


def _constant(labels: np.ndarray, facts: TaskFacts, rows: int) -> dict[str, np.ndarray]:
    if facts.head == "binary":
        return {"probability": np.full(rows, labels.mean())}
    if facts.head == "regression":
        return {"value": np.full(rows, np.median(labels))}
    shares = np.bincount(labels.astype(int), minlength=len(facts.classes)) / len(labels)
    even = {"probabilities": np.tile(shares, (rows, 1))}
    return even if facts.head == "multiclass" else even | {"value": np.full(rows, np.median(labels))}


def monitor_scores(
    frame: pd.DataFrame, facts: Mapping[str, TaskFacts], key: str, choice: Choice = Choice()
) -> dict[str, float]:
    """Return the monitored score of every task, and under `key` the number that an epoch is chosen by.

    Of a multilabel task it is the mean over the labels; see `macro`.
    """
    scores, chosen = {}, dict[str, tuple[str, float]]()
    for task in dict.fromkeys(fact.of or name for name, fact in facts.items()):
        mine = {name: fact for name, fact in facts.items() if (fact.of or name) == task}
        several, name = task not in mine, next(iter(mine.values())).monitor
        parts = {one: frame[frame["task"] == one] for one in mine}
        value = macro(parts, mine) if several else monitor(parts[task], mine[task])
        scores[f"val/{task}/{'macro_' if several else ''}{name}"] = value
        chosen[task] = (name, value)
    return {**scores, key: choice.number(chosen)}


def macro(parts: Mapping[str, pd.DataFrame], facts: Mapping[str, TaskFacts]) -> float:
    """Return the mean of the monitored score over the labels of one task; of those that it is defined for, if any.

    Args:
        parts: task of a label -> its image predictions.
        facts: task of a label -> its facts.
    """
    made = {name: units(part, facts[name]) for name, part in parts.items()}
    chosen = [name for name, table in made.items() if table["target"].nunique() > 1] or list(made)
    return sum(monitor(made[name], facts[name]) for name in chosen) / len(chosen)
