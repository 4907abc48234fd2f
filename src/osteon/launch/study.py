"""An Optuna study on a storage that several processes and machines may share: asking, telling, taking over."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from filelock import FileLock

from osteon.config import Search
from osteon.errors import OsteonError
from osteon.launch.owners import ALIVE, BEAT, OWNER, dead, owner
from osteon.launch.sampling import pruner, sampler
from osteon.launch.space import grid_size
from osteon.launch.storages import file_of, hidden, opening, storage_of

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.study import Study
    from optuna.trial import FrozenTrial, Trial

CONTINUES, REPLACED = "continues", "replaced"  # what a trial says of the one before it, and of one after it
_ABOUT = "osteon"  # what a study says of itself


class Trials:
    """The trials of a search.

    Args:
        search: settings.
        space: key -> distribution.
        name: of the study.
        folder: of the sweep; trials of one folder are drawn one at a time.
        about: what every trial has in common; a study of something else is refused.
        direction: `maximize` or `minimize`.
        epochs: of a trial.

    Raises:
        OsteonError: the storage cannot be opened, or holds a study of something else under this name.
    """

    def __init__(
        self,
        search: Search,
        space: Mapping[str, "BaseDistribution"],
        name: str,
        folder: Path,
        about: Mapping[str, Any],
        direction: Literal["minimize", "maximize"],
        epochs: int,
    ) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.search, self.space, self.folder = search, dict(space), folder
        self.total = min(search.trials, grid_size(space)) if search.sampler == "grid" else search.trials
        folder.mkdir(parents=True, exist_ok=True)
        where = search.storage or str(folder / "study.db")
        # Beside a file the lock holds for all who use it; users of a database on other machines have another.
        file = file_of(where)
        self.shared = file is None
        self.lock = FileLock(folder / ".drawing.lock" if file is None else f"{file}.drawing")  # .lock is Optuna's own
        with self._drawing(), opening(where):
            storage = storage_of(where)
            self.study: Study = optuna.create_study(
                storage=storage, study_name=name, direction=direction, load_if_exists=True,
                pruner=pruner(search, epochs),
            )  # fmt: skip
        self._check_same(dict(about) | {"direction": direction}, where)
        self.mine: dict[int, Trial] = {}
        self.beaten = 0.0

    def _check_same(self, about: dict[str, Any], where: str) -> None:
        found = self.study.user_attrs.get(_ABOUT)
        if found is None and not self.study.trials:
            self.study.set_user_attr(_ABOUT, about)
            return
        said = found if isinstance(found, dict) else {"what is searched": "unknown"}
        differ = [key for key in {**said, **about} if said.get(key) != about.get(key)]
        if differ:
            lines = "".join(f"\n  {key}: it has {said.get(key)!r}, found {about.get(key)!r}" for key in sorted(differ))
            raise OsteonError(
                f"sweep.storage: {hidden(where)} holds another study named {self.study.study_name!r}:{lines}\n"
                "Give this search a name of its own: launch.name=<name>, or another storage."
            )

    def ask(self) -> "Trial | None":
        """Return the next trial, None where as many are finished or at work as were asked for."""
        with self._drawing():
            self._take_over()
            trials = self.study.get_trials(deepcopy=False)
            if sum(_counts(trial) for trial in trials) >= self.total:
                return None
            self.study.sampler = sampler(self.search, self.space, len(trials), self.total)
            trial = self.study.ask(self.space)
            trial.set_user_attr(OWNER, owner())
            trial.set_user_attr(ALIVE, time.time())
        self.mine[trial.number] = trial
        return trial

    def beat(self) -> None:
        """Give a sign of life of every trial at work here, every now and then."""
        if time.monotonic() - self.beaten < BEAT:
            return
        self.beaten = time.monotonic()
        for trial in self.mine.values():
            trial.set_user_attr(ALIVE, time.time())

    def tell(self, number: int, value: float | None, state: str = "COMPLETE", reason: str = "") -> None:
        """Note how a trial has ended: COMPLETE with its value, PRUNED, or FAIL with the reason."""
        from optuna.samplers import RandomSampler
        from optuna.trial import TrialState

        trial = self.mine.pop(number)
        if reason:
            trial.set_user_attr("reason", reason)
        if self.search.sampler == "grid":  # it would stop `optimize`, which is not running, after the last point
            self.study.sampler = RandomSampler()
        if state == "PRUNED":  # Optuna takes the last report as its value
            value = None
        self.study.tell(number, value, TrialState[state], skip_if_finished=True)

    def leave(self) -> None:
        """Give up the trials at work here: this process, or another one, goes on with them."""
        for trial in self.mine.values():
            trial.set_user_attr(OWNER, "")
        self.mine.clear()

    def _take_over(self) -> None:
        """Put trials whose process was killed back in line, with the same parameters.

        Their number is not used twice: the old trial fails, and the new one goes on in its folder.
        """
        from optuna.trial import TrialState

        for trial in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            nobody = OWNER not in trial.user_attrs and not self.shared  # killed while it drew, with the lock in hand
            if trial.number not in self.mine and (nobody or dead(trial)):
                self.study._storage.set_trial_user_attr(trial._trial_id, REPLACED, True)
                self.study.tell(trial.number, state=TrialState.FAIL, skip_if_finished=True)
                self.study.enqueue_trial(trial.params, user_attrs={CONTINUES: trial.number})

    @contextmanager
    def _drawing(self) -> Iterator[None]:
        with self.lock:
            yield

    def finished(self) -> "list[FrozenTrial]":
        """Return the trials that have ended, those that were put back in line left out."""
        return [
            trial for trial in self.study.get_trials(deepcopy=False) if trial.state.is_finished() and _counts(trial)
        ]

    def standing(self) -> tuple[int, tuple[float, str] | None]:
        """Return how many trials have ended, whoever ran them, and the best one's value and name, if there is one."""
        done = self.finished()
        if not any(trial.state.name == "COMPLETE" for trial in done):
            return len(done), None
        best = self.study.best_trial
        return len(done), (float(best.value or 0.0), f"trial-{best.number:04d}")

    def elsewhere(self) -> int:
        """Return how many trials other processes are at."""
        trials = self.study.get_trials(deepcopy=False)
        return sum(not trial.state.is_finished() and trial.number not in self.mine for trial in trials)


def _counts(trial: "FrozenTrial") -> bool:
    """Tell whether a trial takes a place: those in line have been given theirs, and lose none by it."""
    return trial.state.name != "WAITING" and not trial.user_attrs.get(REPLACED)
