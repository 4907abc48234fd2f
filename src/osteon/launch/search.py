"""`sweep=<name>`: a search of hyperparameters with Optuna, on val; test is predicted once, for the best trial."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from filelock import FileLock

from osteon.config import Config, Search
from osteon.errors import OsteonError
from osteon.files import write_json
from osteon.launch.crew import Crew
from osteon.launch.grid import check_all, run_jobs
from osteon.launch.history import plot, show_best, show_trials, write_trials
from osteon.launch.jobs import Job, devices_asked, digest
from osteon.launch.pool import Pool, devices_of
from osteon.launch.screen import Screen
from osteon.launch.setting import Setting, of_a_run
from osteon.launch.space import check_space, distribution, flat, from_words
from osteon.launch.study import Trials
from osteon.launch.trials import Drawn, Objective

TESTED = "tested.json"


def run_search(setting: Setting, arguments: Sequence[str]) -> float | None:
    """Search until as many trials are finished as were asked for, those of earlier calls and other processes included.

    Returns:
        The best value, None where no trial has one.

    Raises:
        OsteonError: space, metric or storage are wrong; no trial has started then.
        JobsFailed: the best trial's test could not be predicted.
    """
    search = setting.launching.sweep
    if search is None:
        raise OsteonError("sweep: choose a search: sweep=optuna, or a file of conf/sweep.")
    swept, told = from_words(arguments, setting.loader)
    space = {key: distribution(key, said) for key, said in flat(search.space).items()} | swept
    fixed = of_a_run([*search.fixed, *told])
    base = of_a_run([*fixed, "test=false"])
    config = setting.composed(base)
    objective = Objective(search.metric, config)
    replicates = replicates_of(search, config)
    check_space(setting, base, space)
    trials = Trials(
        search, space, setting.folder.name, setting.folder, _about(setting, base, search, space, objective),
        objective.direction, config.trainer.max_epochs if len(replicates) == 1 else len(replicates),
    )  # fmt: skip
    drawn = Drawn(setting, trials, objective, base, replicates)
    _draw(setting, drawn, config)
    return _concluded(setting, drawn, fixed, search.final)


def replicates_of(search: Search, config: Config) -> list[tuple[str, tuple[str, ...]]]:
    """Return what tells the runs of one trial apart: folder and overrides.

    Raises:
        OsteonError: seeds and folds are both asked for.
    """
    if search.seeds and search.folds:
        raise OsteonError("sweep.folds: seeds and folds are both averaged inside a trial; choose one of them.")
    if search.folds:
        count = search.folds
        return [(f"fold-{fold}", (f"data.folds={count}", f"data.fold={fold}")) for fold in range(count)]
    return [(f"seed-{seed}", (f"seed={seed}",)) for seed in search.seeds] or [("", ())]


def _about(
    setting: Setting, base: Sequence[str], search: Search, space: dict[str, Any], objective: Objective
) -> dict[str, Any]:
    """Return what trials of one study have in common; paths only as part of a digest."""
    from optuna.distributions import distribution_to_json

    said = {f"space.{key}": distribution_to_json(found) for key, found in space.items()}
    more = {"metric": objective.name, "seeds": search.seeds, "folds": search.folds}
    return {**said, **more, "settings": digest(base, setting.options)}


def _draw(setting: Setting, drawn: Drawn, config: Config) -> None:
    launch, trials = setting.launching.launch, drawn.trials
    pool = Pool(devices_of(launch.devices, config.trainer.accelerator), launch.jobs)
    at_once = pool.at_once(devices_asked(config))
    before = len(trials.finished())
    with Screen(trials.total, at_once, standing=trials.standing) as screen:
        if before:
            screen.said(f"{before} of {trials.total} trials are finished already")
        try:
            Crew(drawn, pool, launch, trials.total - before, screen).run()
        finally:
            write_trials(setting.folder, trials)


def _concluded(setting: Setting, drawn: Drawn, fixed: Sequence[str], final: bool) -> float | None:
    """Show what was found; predict test for the best once all trials are finished."""
    trials = drawn.trials
    show_trials(setting.folder, trials, drawn.objective)
    if not any(trial.state.name == "COMPLETE" for trial in trials.finished()):
        raise OsteonError(f"{setting.folder}: no trial has come to its end, see the logs of its trials.")
    best = trials.study.best_trial
    plot(setting.folder, trials.study, drawn.objective.name)
    if others := trials.elsewhere():
        print(f"{others} trial(s) are still at work in other processes; the last to end predicts test for the best")
    elif final:
        with FileLock(setting.folder / ".final.lock"):
            _predict_test(setting, drawn, best)
    show_best(setting, drawn, best, fixed)
    return None if best.value is None else float(best.value)


def _predict_test(setting: Setting, drawn: Drawn, best: Any) -> None:
    """Go on with the best trial's runs to predictions of test, which no trial has made before."""
    jobs = [_tested(job) for job in drawn.jobs(best.number, best.params)]
    table = run_jobs(setting, jobs, listed=False)
    check_all(table, setting.folder)
    file = setting.folder / TESTED
    said = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else []
    if best.number not in [one["trial"] for one in said]:
        entry = {"trial": best.number, "trials": len(drawn.trials.finished())}
        write_json(file, [*said, entry | {"at": datetime.now(UTC).isoformat(timespec="seconds")}])


def _tested(job: Job) -> Job:
    from dataclasses import replace

    words = tuple(of_a_run([*job.words, "test=true"]))
    return replace(job, words=words, test=True, anew=("test=true",))
