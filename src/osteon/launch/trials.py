"""The trials of a search as jobs: drawn from the study when there is room, judged every epoch, told when they end."""

import csv
import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from osteon.config import Config
from osteon.config.monitors import MONITOR
from osteon.errors import OsteonError, nearest
from osteon.launch.jobs import Job, job_of
from osteon.launch.outcome import Outcome
from osteon.launch.setting import Setting
from osteon.launch.space import words
from osteon.launch.study import CONTINUES, Trials


class Objective:
    """What is searched for: a score on val, of one run or the mean over several.

    Args:
        metric: `sweep.metric`.
        config: of a trial.

    Raises:
        OsteonError: nothing logs such a score, or it is one of test.
    """

    def __init__(self, metric: str | None, config: Config) -> None:
        from osteon.scoring.metrics import direction

        own = {f"val/{name}/{task.monitor}": task.monitor for name, task in config.tasks.items()}
        name = metric or MONITOR
        if name.startswith("test/") or "/test/" in name:
            raise OsteonError(f"sweep.metric: found {name!r}. Nothing is tuned on test; there are {', '.join(own)}.")
        if name not in (MONITOR, *own):
            raise OsteonError(
                f"sweep.metric: no epoch logs {name!r}.{nearest(name, own)} There are {MONITOR}, {', '.join(own)}; "
                "another score is logged where it is what epochs are chosen by: tasks.<task>.monitor=<score>."
            )
        self.watched = frozenset((name, task.monitor) for name, task in config.tasks.items())
        # The monitor of a single task is called by its name, and has its sign.
        self.column = name
        self.name = next(iter(own)) if name == MONITOR and len(own) == 1 else name
        self.direction: Literal["minimize", "maximize"] = (
            "minimize" if self.name in own and direction(own[self.name]) == "min" else "maximize"
        )
        self.flipped = self.direction == "minimize"

    def of_epoch(self, values: dict[str, float]) -> float:
        """Return the score of an epoch from what it logged."""
        value = values.get(self.column, math.nan)
        return -value if self.flipped and self.column == MONITOR else value

    def of_run(self, job: Job, outcome: Outcome) -> float | None:
        """Return the score of a finished run, at its best epoch."""
        if self.column == MONITOR:
            return None if outcome.value is None else (-outcome.value if self.flipped else outcome.value)
        with (job.folder / "metrics.csv").open(newline="", encoding="utf-8") as handle:
            rows = [row for row in csv.DictReader(handle) if row.get(MONITOR) and row.get(self.column)]
        best = max(rows, key=lambda row: float(row[MONITOR]), default=None)
        return None if best is None else float(best[self.column])


class Drawn:
    """Jobs that a study draws: one a trial, or one a seed or fold, one after the other.

    Args:
        setting: of the sweep.
        trials: of the study.
        objective: what is searched for.
        base: overrides of every trial.
        replicates: overrides that tell the runs of one trial apart, with the names of their folders; at least one.
    """

    def __init__(
        self, setting: Setting, trials: Trials, objective: Objective, base: Sequence[str],
        replicates: Sequence[tuple[str, tuple[str, ...]]],
    ) -> None:  # fmt: skip
        self.setting, self.trials, self.objective = setting, trials, objective
        self.base, self.replicates = list(base), list(replicates)
        self.asks = trials.search.pruner != "none" and len(replicates) == 1
        self.of: dict[str, int] = {}  # name of a job -> number of its trial
        self.left: dict[int, list[Job]] = {}  # runs of a trial that are still to come
        self.values: dict[int, list[float]] = {}
        self.ready: list[Job] = []

    def take(self) -> Job | None:
        """Return the next run of a trial at work here, else the first of a new trial."""
        if self.ready:
            return self.ready.pop(0)
        trial = self.trials.ask()
        if trial is None:
            return None
        number = trial.number
        self._move(trial.user_attrs.get(CONTINUES), number)
        jobs = self.jobs(number, trial.params)
        for job in jobs:
            self.of[job.name] = number
        self.values[number], self.left[number] = [], jobs[1:]
        return jobs[0]

    def jobs(self, number: int, params: dict[str, Any]) -> list[Job]:
        """Return the runs of a trial."""
        chosen, place = words(params), folder_of(self.setting, number)
        about = {key: word.partition("=")[2] for key, word in zip(params, chosen, strict=True)}
        about = {key: _short(value) for key, value in about.items()}
        found = []
        for name, more in self.replicates:
            told = [*self.base, *chosen, *more]
            job = job_of(self.setting, self.setting.composed(told), told, place / name if name else place, about)
            found.append(replace(job, name=f"{place.name}/{name}" if name else place.name))
        return found

    def reported(self, job: Job, epoch: int, values: dict[str, float]) -> bool:
        """Tell the study of an epoch; return whether the trial is to stop."""
        trial = self.trials.mine[self.of[job.name]]
        value = self.objective.of_epoch(values)
        if not self.asks or not math.isfinite(value):
            return False
        trial.report(value, epoch)
        return bool(trial.should_prune())

    def ended(self, job: Job, outcome: Outcome) -> None:
        """Tell the study how a run has ended, or go on with the trial's next one."""
        number = self.of[job.name]
        if number not in self.trials.mine:
            return
        if outcome.status == "stopped":
            self.trials.leave()
        elif outcome.status == "pruned":
            self.trials.tell(number, None, "PRUNED")
        elif outcome.status == "failed":
            self.trials.tell(number, None, "FAIL", outcome.reason)
        else:
            self._finished(number, job, outcome)

    def tick(self) -> None:
        """Give a sign of life."""
        self.trials.beat()

    def _finished(self, number: int, job: Job, outcome: Outcome) -> None:
        value = self.objective.of_run(job, outcome)
        if value is None or not math.isfinite(value):
            self.trials.tell(number, None, "FAIL", f"{self.objective.name} is not a number")
            return
        values = self.values[number]
        values.append(value)
        mean = sum(values) / len(values)
        if not self.left[number]:
            self.trials.tell(number, mean)
            return
        trial = self.trials.mine[number]
        trial.report(mean, len(values) - 1)
        if self.trials.search.pruner != "none" and trial.should_prune():
            self.trials.tell(number, None, "PRUNED")
        else:
            self.ready.append(self.left[number].pop(0))

    def _move(self, before: int | None, number: int) -> None:
        """Let a trial go on in the folder of the one it replaces, under its own number."""
        if before is None:
            return
        old, new = folder_of(self.setting, before), folder_of(self.setting, number)
        with suppress(OSError):  # another machine's disk: the trial then starts from its first epoch
            if old.is_dir() and not new.exists():
                old.rename(new)


def folder_of(setting: Setting, number: int) -> Path:
    """Return the folder of a trial."""
    return setting.folder / f"trial-{number:04d}"


def _short(text: str) -> str:
    """Return a number with four digits that count, for tables."""
    try:
        return text if text.lstrip("-").isdigit() else f"{float(text):.4g}"
    except ValueError:
        return text
