"""From what a user names to trainings of one task; what cannot be read is told and left out."""

from collections.abc import Sequence
from pathlib import Path

from osteon.errors import OsteonError, nearest
from osteon.leaderboard.trainings import LackingError, Training, about_run, of_opened, of_run, tasks_of
from osteon.predictions import TaskFacts
from osteon.scoring.fold_sets import sets
from osteon.scoring.foreign import is_ours, open_place, places, runs_among
from osteon.scoring.runs import Run, load

# Runs of a sweep lie in folders of their own: runs/<sweep>/<recipe>/<seed>.
DEPTH = 4


class Gathered:
    """Trainings of one task, and what was left out.

    Attributes:
        trainings: of the task, in the order of their places.
        faults: what is wrong with what was named; the exit status tells of it.
        others: runs in a folder that are of other tasks.
    """

    def __init__(self, given: Sequence[str | Path]) -> None:
        """Find the places that are named."""
        self.trainings: list[Training] = []
        self.faults: list[str] = []
        self.others: list[Path] = []
        self._places: dict[Path, Path] = {}
        self._named: set[Path] = set()
        for one in runs_among(given):
            try:
                found = places(one, DEPTH)
            except OsteonError as fault:
                self.faults.append(str(fault))
                continue
            self._places |= {place.resolve(): place for place in found if place.resolve() not in self._places}
            self._named |= {place.resolve() for place in found if place == Path(one)}

    def the_task(self) -> str:
        """Return the one task that all runs have.

        Raises:
            OsteonError: there are several, or none.
        """
        found: dict[str, None] = {}
        unread: list[str] = []
        for place in self._places.values():
            try:
                found |= dict.fromkeys(tasks_of(place))
            except OsteonError as fault:
                unread.append(str(fault))  # told when it is read, too
        if not found:
            raise OsteonError("no run could be read." + "".join(f"\n- {one}" for one in (*self.faults, *unread)))
        if len(found) != 1:
            raise OsteonError(f"--task: the runs have {', '.join(found)}; choose one.{self._told()}")
        return next(iter(found))

    def read(self, task: str, replicates: int, seed: int) -> None:
        """Read every place; predictions of other frameworks come last, as runs of ours say what a task is.

        Raises:
            OsteonError: nothing of the task could be read.
        """
        folds: list[Run] = []
        foreign: list[Path] = []
        for place in self._places.values():
            if not is_ours(place):
                foreign.append(place)
            elif (run := self._ours(place, task)) is not None:
                folds.append(run)
        for runs in sets(folds):
            self._scored(runs, task, None, replicates, seed)
        like = next((training.facts for training in self.trainings), None)
        for place in foreign:
            try:
                opened = open_place(place)
            except OsteonError as fault:
                self.faults.append(str(fault))
                continue
            self._scored([opened], task, like, replicates, seed)
        if not self.trainings:
            raise OsteonError(f"--task {task}: no run that could be read has it.{self._hint(task)}{self._told()}")

    def _ours(self, place: Path, task: str) -> Run | None:
        """Read a run, or return it where it is a fold."""
        try:
            known = about_run(place)
            if int(known.run.get("folds") or 1) > 1:
                return load(place)
            self.trainings.append(of_run(place, task, known))
        except LackingError as fault:
            self._lacks(place, fault)
        except OsteonError as fault:
            self.faults.append(str(fault))
        return None

    def _scored(self, runs: Sequence[Run], task: str, like: TaskFacts | None, replicates: int, seed: int) -> None:
        try:
            self.trainings.append(of_opened(runs, task, like, replicates=replicates, seed=seed))
        except LackingError as fault:
            self._lacks(runs[0].folder, fault)
        except OsteonError as fault:
            self.faults.append(str(fault))

    def _lacks(self, place: Path, fault: LackingError) -> None:
        """A run of another task in a folder is no fault; one that was named is."""
        if place.resolve() in self._named:
            self.faults.append(str(fault))
        else:
            self.others.append(place)

    def _hint(self, task: str) -> str:
        held: dict[str, None] = {}
        for place in self.others:
            held |= dict.fromkeys(tasks_of(place))
        return f" Their tasks: {', '.join(held)}.{nearest(task, held)}" if held else ""

    def _told(self) -> str:
        return "".join(f"\n- {fault}" for fault in self.faults)
