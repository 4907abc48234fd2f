"""From members to a run: answers put together, weights or a subset chosen on val, written and scored as any run."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from osteon.ensemble.answers import Answers, answers
from osteon.ensemble.folder import check_free, write_run
from osteon.ensemble.made import Ensemble, Request
from osteon.ensemble.members import SPLITS, open_members, shared_tasks
from osteon.ensemble.mixing import check_mixing, mixed, weighted
from osteon.ensemble.search import Search, frame_of, graded, search
from osteon.ensemble.weights import fitted
from osteon.errors import OsteonError
from osteon.predictions import TaskFacts
from osteon.scoring.grouping import grouped_by
from osteon.scoring.metrics import metric
from osteon.scoring.rows import check_replicates
from osteon.scoring.sample import Floats
from osteon.scoring.units import pool, units

Halves = dict[str, dict[str, Answers]]


def ensemble(given: Sequence[str | Path], out: Path, request: Request | None = None) -> Ensemble:
    """Make one run of several and write its folder.

    Args:
        given: run folders, folders of them, patterns, or predictions of another framework.
        out: the folder to write; it must not exist, or be empty.
        request: how; None for the plain mean.

    Raises:
        OsteonError: the folder holds something; members are too few, unfinished, or differ in images, targets, units
            or tasks; the rule or metric is none of a task's; nothing can be fitted on val.
    """
    asked = request or Request()
    check_replicates(asked.replicates)
    check_free(out)
    members = open_members(given)
    tasks, notes = shared_tasks(members, asked.tasks)
    for task, facts in tasks.items():
        check_mixing(asked.rule, facts, task)
    if asked.search and asked.rule == "weighted":
        raise OsteonError("--search with --rule weighted: weights of 0 leave members out already. Choose one of them.")
    halves = {split: {task: answers(members, task, facts, split) for task, facts in tasks.items()} for split in SPLITS}
    weights, searches = _chosen(tasks, halves, asked)
    apart = {task: list(dict.fromkeys(n for half in halves.values() for n in half[task].differing)) for task in tasks}
    notes += [f"task {task}: no groups by {name}, in which members differ" for task in tasks for name in apart[task]]
    tasks = {task: _without(facts, apart[task]) for task, facts in tasks.items()}
    frame = pd.concat(
        [_frame(task, facts, half[task], weights[facts.of or task], asked.rule)
         for half in halves.values() for task, facts in tasks.items()],
        ignore_index=True,
    )  # fmt: skip
    made = Ensemble(out, tuple(members), weights, searches, pd.DataFrame(), tuple(notes))
    return replace(made, scores=write_run(made, frame, tasks, asked.rule, asked.replicates))


def _chosen(
    tasks: Mapping[str, TaskFacts], halves: Halves, asked: Request
) -> tuple[dict[str, Floats], dict[str, Search]]:
    """Return the weights of each task's members, and its search; findings of one task share theirs."""
    weights, searches = {}, {}
    for owner in dict.fromkeys(facts.of or task for task, facts in tasks.items()):
        mine = {task: facts for task, facts in tasks.items() if (facts.of or task) == owner}
        val, test = ({task: half[task] for task in mine} for half in (halves["val"], halves["test"]))
        count = len(next(iter(val.values())).score)
        weights[owner] = np.full(count, 1 / count)
        if asked.rule == "weighted":
            weights[owner] = _fitted(mine, val)
        if asked.search:
            first = next(iter(mine.values()))
            found = search(mine, val, test, asked.rule, metric(asked.metric or first.monitor, first.head))
            searches[owner] = found
            weights[owner] = found.chosen[found.best] / found.chosen[found.best].sum()
    return weights, searches


def _fitted(tasks: Mapping[str, TaskFacts], val: Mapping[str, Answers]) -> Floats:
    """Fit one set of weights on the labelled units of val, of all findings together."""
    scores, targets = [], []
    for task, facts in tasks.items():
        table, by = units(val[task].rows, facts), grouped_by(val[task].rows["unit_id"])
        known = table["target"].notna().to_numpy()
        scores.append(pool(val[task].score, by, facts)[..., known])
        targets.append(table["target"].to_numpy(np.float64)[known])
    target = np.concatenate(targets)
    if not len(target):
        raise OsteonError(f"--rule weighted: val has no labelled unit of {', '.join(tasks)}: nothing can be fitted.")
    return fitted(np.concatenate(scores, axis=-1), target, next(iter(tasks.values())))


def _frame(task: str, facts: TaskFacts, found: Answers, weights: Floats, rule: str) -> pd.DataFrame:
    if rule == "weighted":
        value = weighted(found.value, weights) if found.value.size else np.empty(0)
        return frame_of(found, facts, weighted(found.score, weights), value)
    chosen = weights[None] > 0
    value = graded(found, chosen, rule, facts)
    return frame_of(found, facts, mixed(found.score, chosen, rule, facts)[0], value[0] if value.size else value)


def _without(facts: TaskFacts, lost: Sequence[str]) -> TaskFacts:
    """Return the facts without the groups in which members differ."""
    return replace(facts, groups=tuple(name for name in facts.groups if name not in lost))
