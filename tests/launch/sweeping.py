"""Run a sweep of stubs as a process of its own, so that a test can kill it: `sweeping.py grid|search <folder> ...`."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.composing import config
from tests.launch.stubs import grid, setting, start

from osteon.config import Search
from osteon.launch.crew import Crew
from osteon.launch.grid import run_jobs
from osteon.launch.pool import Pool
from osteon.launch.screen import Screen
from osteon.launch.space import distribution
from osteon.launch.study import Trials
from osteon.launch.trials import Drawn, Objective


def run_grid(folder: Path, seeds: int, seconds: str) -> None:
    jobs = grid(folder, ["lr=1", "lr=2"], ["size=3", "size=4"], range(seeds), f"seconds={seconds}")
    table = run_jobs(setting(folder, jobs=2), jobs, start)
    print({name: end.status for name, (_, end) in table.items()})


class Searching(SimpleNamespace):
    """A setting whose trials compose to one and the same config."""

    def composed(self, words: list[str]) -> Any:
        return self.config


def run_search(folder: Path, trials: int, jobs: int, seconds: str, storage: str) -> None:
    search = Search(trials=trials, pruner="median", startup_trials=4, warmup_epochs=0, storage=storage or None)
    space = {"score": distribution("score", {"low": 0.0, "high": 1.0}), "a": distribution("a", [1, 2, 3])}
    sweep = Searching(
        folder=folder, options=(), config=config("backbone=resnet18"), launching=setting(folder).launching
    )
    found = Trials(search, space, "stubs", folder, {"settings": "stubs"}, "maximize", 4)
    drawn = Drawn(sweep, found, Objective(None, sweep.config), ["epochs=4", f"seconds={seconds}"], [("", ())])  # type: ignore[arg-type]
    with Screen(trials, jobs, standing=found.standing) as screen:
        Crew(drawn, Pool([], jobs), sweep.launching.launch, trials, screen, start).run()


if __name__ == "__main__":
    kind, folder, *rest = sys.argv[1:]
    if kind == "grid":
        run_grid(Path(folder), int(rest[0]), rest[1])
    else:
        run_search(Path(folder), int(rest[0]), int(rest[1]), rest[2], rest[3] if len(rest) > 3 else "")
