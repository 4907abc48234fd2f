"""One training as the leaderboard needs it: its scores as result.json holds them, and whom they are of."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from osteon.errors import OsteonError, nearest
from osteon.leaderboard.glimpse import Units, about, members, units_of_file, units_of_table
from osteon.leaderboard.stored import check_count, stored_rows
from osteon.predictions import Predictions, TaskFacts
from osteon.predictions.metadata import About
from osteon.scoring.folds import score_set
from osteon.scoring.foreign import is_ours, open_place
from osteon.scoring.macro import HEAD, owners
from osteon.scoring.registry import METRICS
from osteon.scoring.runs import Run, load
from osteon.scoring.table import to_records

# The group that a finding of a multilabel task is.
FINDING = "finding"


@dataclass(frozen=True)
class Training:
    """One trained model, or all folds of a cross-validation.

    Attributes:
        places: its run folder, that of every fold, or a file.
        task: that the scores are of.
        facts: of the task; of a multilabel one those of its first finding.
        said: what its predictions file says of the run.
        split_name: what the owners of the data call the test.
        units: that it was scored on.
        scores: rows of the score table of the test.
        guessed: whether the facts are guesses, because the file says nothing.
    """

    places: tuple[Path, ...]
    task: str
    facts: TaskFacts
    said: Mapping[str, Any]
    split_name: str
    units: Units
    scores: list[dict[str, Any]]
    guessed: bool = False

    @property
    def name(self) -> str:
        """Its folder, or the first and last of its folds'."""
        names = [place.stem if place.is_file() else place.name for place in self.places]
        return " ... ".join(dict.fromkeys((names[0], names[-1])))

    @property
    def source(self) -> str:
        """Return real or phantom, or both."""
        return "+".join(sorted({str(row["source"]) for row in self.scores}))


class LackingError(OsteonError):
    """A run that has not the task."""


def tasks_of(place: Path) -> list[str]:
    """Return the tasks that a place predicts, multilabel ones by their own name.

    Raises:
        OsteonError: it is neither a finished run nor a table of predictions.
    """
    tasks = about_run(place).tasks if is_ours(place) else open_place(place).predictions.tasks
    return names_of(tasks)


def names_of(tasks: Mapping[str, TaskFacts]) -> list[str]:
    """Return the names that people know tasks by: of several findings that of their task."""
    return [*(name for name, facts in tasks.items() if not facts.of), *owners(tasks)]


def about_run(place: Path) -> About:
    """Return what a finished run of ours says of its tasks and itself.

    Raises:
        OsteonError: the run is not finished, or its predictions are damaged.
    """
    file = place / "predictions" / "test.parquet"
    if not file.is_file() or not (place / "result.json").is_file():
        load(place)  # says what the run lacks
    return about(file)


def of_run(place: Path, task: str, known: About | None = None) -> Training:
    """Read a run of ours: scores from result.json, units from predictions/test.parquet.

    Where result.json holds no scores they are made from the predictions.

    Args:
        place: its folder.
        task: to read.
        known: what `about_run` says of it, where that has been read.

    Raises:
        OsteonError: the run is not finished, has not the task, or one of its files is damaged.
    """
    known = known or about_run(place)
    names = members(known.tasks, task)
    if not names:
        raise _lacking(place, known.tasks, task)
    units = units_of_file(place / "predictions" / "test.parquet", known.tasks, names)
    stored = stored_rows(place / "result.json", {task, *names})
    rows = [row for row in stored if row["task"] == task]
    if not rows:
        return of_opened([load(place)], task)
    check_count(place / "result.json", rows, units)
    split_name = str(rows[0].get("split_name") or "test")
    return Training(
        (place,), task, known.tasks[names[0]], known.run, split_name, units, [*rows, *by_finding(stored, task)]
    )


def of_opened(
    runs: Sequence[Run], task: str, like: TaskFacts | None = None, *, replicates: int = 1000, seed: int = 0
) -> Training:
    """Score runs that are open: another framework's predictions, or all folds of a cross-validation.

    Args:
        runs: one, or all folds.
        task: to score.
        like: what runs of ours say of the task, for a file that says nothing of it.
        replicates: bootstrap replicates behind an interval.
        seed: of the draws.

    Raises:
        OsteonError: there is no such task, or the folds do not fit together.
    """
    import pyarrow as pa

    runs = [only(run, task, like) for run in runs]
    first = runs[0].predictions
    names = members(first.tasks, task)
    test = [run.predictions.frame[run.predictions.frame["split"] == "test"] for run in runs]
    if not all(map(len, test)):
        raise OsteonError(f"{runs[0].folder}: no row of split test; a leaderboard is of test sets.")
    columns = ["task", "unit_id", "image_id", "target", "dataset"]
    table = pa.concat_tables([pa.Table.from_pandas(part[columns], preserve_index=False) for part in test])
    scored = score_set(runs, replicates=replicates, seed=seed)
    tested = scored[scored["split"] == "test"]
    rows = to_records(tested[tested["task"] == task])
    return Training(
        tuple(run.folder for run in runs),
        task,
        first.tasks[names[0]],
        first.run,
        str(rows[0]["split_name"]),
        units_of_table(table, first.tasks, names),
        [*rows, *by_finding(to_records(tested), task)],
        bool(first.guessed & set(names)),
    )


def by_finding(rows: Iterable[Mapping[str, Any]], task: str) -> list[dict[str, Any]]:
    """Return the scores of each finding of a multilabel task as a group of what is their mean over findings."""
    found = []
    for row in rows:
        mean, label = f"macro_{row['metric']}", str(row["task"]).removeprefix(f"{task}.")
        if label != row["task"] and row["group"] == "all" and mean in METRICS and HEAD in METRICS[mean].heads:
            found.append({**row, "task": task, "metric": mean, "group": f"{FINDING}={label}"})
    return found


def only(run: Run, task: str, like: TaskFacts | None = None) -> Run:
    """Return a run with one task alone; facts that are guesses give way to those of `like`, its groups where there are.

    Raises:
        OsteonError: it has not the task.
    """
    told = run.predictions
    names = members(told.tasks, task)
    if not names:
        raise _lacking(run.folder, told.tasks, task)
    tasks = {name: told.tasks[name] for name in names}
    if like is not None and task in told.guessed and like.head == tasks[task].head:
        groups = [name for name in like.groups if name in told.frame]
        tasks[task] = replace(like, groups=tuple(groups))
    frame = told.frame[told.frame["task"].isin(names)]
    kept = Predictions(frame, tasks, told.run, told.split_names, told.guessed & set(names))
    return replace(run, predictions=kept)


def _lacking(place: Path, tasks: Mapping[str, TaskFacts], task: str) -> LackingError:
    held = names_of(tasks)
    return LackingError(
        f"{place}: no task {task!r}; its predictions (column task) have {', '.join(held)}.{nearest(task, held)}"
    )
