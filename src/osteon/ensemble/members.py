"""The runs of an ensemble: opened, and refused where they cannot be averaged; what differs is named."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from osteon.errors import OsteonError, nearest
from osteon.predictions import TaskFacts
from osteon.scoring.comparison.matching import SAME
from osteon.scoring.foreign import open_runs, runs_among
from osteon.scoring.runs import Run

# What members must say alike of a task: else their answers mean two things, or become units in two ways.
ALIKE = (*SAME, "pool", "truth", "low", "high", "call")
SPLITS = ("val", "test")


@dataclass(frozen=True)
class Member:
    """A run with the name it goes by: its folder's, or its path where two folders have one name."""

    name: str
    run: Run


def open_members(given: Sequence[str | Path]) -> list[Member]:
    """Open run folders, folders of them, patterns, or another framework's predictions of val and test.

    Raises:
        OsteonError: fewer than two runs are there, or one is unfinished or has not predicted val and test.
    """
    runs = {run.folder.resolve(): run for one in runs_among(given) for run in open_runs(one)}
    if len(runs) < 2:
        found = ", ".join(str(run.folder) for run in runs.values()) or "none"
        raise OsteonError(f"an ensemble needs two runs or more, found {found}. Give other run folders beside it.")
    names = [path.name for path in runs]
    found_members = [
        Member(path.name if names.count(path.name) == 1 else str(run.folder), run) for path, run in runs.items()
    ]
    for member in found_members:
        _check_splits(member)
    return found_members


def _check_splits(member: Member) -> None:
    held = set(member.run.predictions.frame["split"])
    if lacking := [split for split in SPLITS if split not in held]:
        raise OsteonError(
            f"{member.run.folder}: no predictions of {lacking[0]} (predictions/{lacking[0]}.parquet). An ensemble is "
            "scored on test, and its threshold, weights and members are chosen on val: give runs with both."
        )


def shared_tasks(members: Sequence[Member], asked: Sequence[str] = ()) -> tuple[dict[str, TaskFacts], list[str]]:
    """Return the tasks that all members have, or those asked for, and what to say of the others.

    Args:
        members: two or more.
        asked: names of tasks, or of a multilabel task for all its findings; empty for all.

    Raises:
        OsteonError: no task is shared, an asked one is lacking, a task is of boxes, or two members describe one in two
            ways; names the member and the fact.
    """
    every = _told(members)
    shared = [task for task in every if all(task in member.run.predictions.tasks for member in members)]
    if not shared:
        held = "; ".join(f"{one.name} has {', '.join(one.run.predictions.tasks)}" for one in members)
        raise OsteonError(f"the members have no task in common: {held}. Give runs of one task.")
    for name in asked:
        if name not in shared and not any(every[task].of == name for task in shared):
            raise OsteonError(
                f"--task {name}: not a task of all members; they share {', '.join(shared)}.{nearest(name, shared)}"
            )
    chosen = [task for task in shared if not asked or task in asked or every[task].of in asked]
    for task in chosen:
        _check_facts(task, every[task], members)
    lost = [task for task in every if task not in shared]
    return {task: every[task] for task in chosen}, [f"task {task}: not of all members, left out" for task in lost]


def _told(members: Sequence[Member]) -> dict[str, TaskFacts]:
    """Return every task as the first member that describes it does; guesses of another framework's count last."""
    found = [member.run.predictions for member in members]
    told = [{task: facts for task, facts in one.tasks.items() if task not in one.guessed} for one in found]
    return {task: facts for tasks in reversed([*told, *(one.tasks for one in found)]) for task, facts in tasks.items()}


def _check_facts(task: str, facts: TaskFacts, members: Sequence[Member]) -> None:
    if facts.head == "detection":
        raise OsteonError(
            f"task {task}: boxes cannot be averaged box by box, and fusing them (weighted boxes fusion) is not built "
            "in. Name the tasks that are no boxes with --task, such as its image- or exam-level score."
        )
    for member in members:
        found = member.run.predictions
        own, guessed = found.tasks[task], task in found.guessed
        names = ("head",) if guessed else ALIKE
        for name in names:
            if getattr(own, name) != getattr(facts, name):
                raise OsteonError(
                    f"{member.run.folder}: task {task}: its {name} is {getattr(own, name)!r}, in another member "
                    f"{getattr(facts, name)!r}. Average runs of one task: the same {name}."
                )
        if guessed and len(own.classes) != len(facts.classes):
            raise OsteonError(
                f"{member.run.folder}: task {task}: found {len(own.classes)} classes, in another member "
                f"{len(facts.classes)} ({', '.join(facts.classes)}). Predict the same classes in the same order."
            )
