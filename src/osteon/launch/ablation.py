"""`ablation=<name>`: a base, and variants that differ from it in one factor (or all combinations), over seeds."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from osteon.config import Ablation
from osteon.config.monitors import MONITORS
from osteon.errors import OsteonError, nearest
from osteon.files import alone
from osteon.launch.effects import effects
from osteon.launch.grid import SWEEP, check_all, run_jobs, show_jobs
from osteon.launch.jobs import Job, digest, job_of
from osteon.launch.setting import Setting, of_a_run
from osteon.launch.writing import write_results


def run_ablation(setting: Setting, arguments: Sequence[str]) -> list[float | None]:
    """Train base and variants, compare them on test, and leave table, plot and the sentence that may be claimed.

    Returns:
        The best validation score of every job.

    Raises:
        OsteonError: a variant's settings are wrong, or a level is the base itself; nothing has started then.
        JobsFailed: jobs have failed; the same command again runs these only.
    """
    asked = setting.launching.ablation
    assert asked is not None
    told = plain(arguments, setting.loader)
    base = of_a_run([*asked.base, *told])
    jobs = jobs_of(setting, asked, base)
    first = next(iter(jobs.values()))[0]
    metric = _metric(asked, first, setting, base)
    with alone(setting.folder, *SWEEP):
        table = run_jobs(setting, [job for several in jobs.values() for job in several])
        show_jobs(setting.folder, list(table.values()))
        check_all(table, setting.folder)
        folders = {name: [job.folder for job in several] for name, several in jobs.items()}
        found = effects(folders, metric, asked.replicates)
        phantom = bool(found["source"].astype(str).str.contains("phantom").any())
        write_results(results_folder(setting, asked, phantom), asked, metric, found, len(asked.seeds))
    return [outcome.value for _, outcome in table.values()]


def variants(asked: Ablation) -> dict[str, tuple[str, ...]]:
    """Return name -> overrides; the base first. One factor at a time, or with `grid` every combination of levels."""
    if not asked.grid:
        single = {
            f"{factor}: {level}": tuple(words)
            for factor, levels in asked.factors.items()
            for level, words in levels.items()
        }
        return {asked.base_name: (), **single}
    found: dict[str, tuple[str, ...]] = {}
    choices = [
        [("", ()), *((f"{factor}: {level}", tuple(words)) for level, words in levels.items())]
        for factor, levels in asked.factors.items()
    ]
    for combination in itertools.product(*choices):
        name = ", ".join(part for part, _ in combination if part)
        found[name or asked.base_name] = tuple(word for _, words in combination for word in words)
    return found


def jobs_of(setting: Setting, asked: Ablation, base: Sequence[str]) -> dict[str, list[Job]]:
    """Return variant -> its jobs, one a seed; all are checked.

    Raises:
        OsteonError: seeds are given twice, settings are wrong, or two variants are the same.
    """
    if len(set(asked.seeds)) < len(asked.seeds):
        raise OsteonError(f"ablation.seeds: found {asked.seeds}; give each seed once.")
    found: dict[str, list[Job]] = {}
    same: dict[str, str] = {}
    for name, words in variants(asked).items():
        found[name] = []
        for seed in asked.seeds:
            whole = of_a_run([*base, *words, f"seed={seed}"])
            try:
                config = setting.composed(whole)
            except OsteonError as fault:
                raise OsteonError(f"ablation, {name}: {fault}") from fault
            told = digest([repr(sorted(config.model_dump(mode="json").items()))])
            if told in same:
                raise OsteonError(
                    f"ablation.factors: {name!r} is {same[told]!r} itself, with these settings. Leave the level out, "
                    "or say another base."
                )
            same[told] = name
            folder = setting.folder / digest(whole, setting.options)
            found[name].append(job_of(setting, config, whole, folder, {"variant": name, "seed": str(seed)}))
    return found


def plain(arguments: Sequence[str], loader: Any) -> list[str]:
    """Return overrides of the base; values to sweep over are refused.

    Raises:
        OsteonError: names the override.
    """
    from hydra.core.override_parser.overrides_parser import OverridesParser

    for one in OverridesParser.create(config_loader=loader).parse_overrides(list(arguments)):
        if one.is_sweep_override() or one.get_key_element() == "seed":
            way = "ablation.seeds=[0,1,2]" if one.get_key_element() == "seed" else "a level of ablation.factors"
            raise OsteonError(f"{one.input_line}: an ablation varies its own factors over its own seeds. Say {way}.")
    return list(arguments)


def results_folder(setting: Setting, asked: Ablation, phantom: bool) -> Path:
    """Return where tables and plot go: what is drawn from phantoms never among the results of experiments."""
    if asked.results is not None:
        return Path(asked.results).expanduser().absolute()
    if phantom:
        return setting.folder / "results"
    return Path("experiments", setting.folder.name, "results").absolute()


def _metric(asked: Ablation, job: Job, setting: Setting, base: Sequence[str]) -> str:
    """Return the score that variants are compared by.

    Raises:
        OsteonError: the base has several tasks, or the head of its task has no such score.
    """
    if len(job.monitors) != 1:
        raise OsteonError(f"ablation: found {len(job.monitors)} tasks, expected one. Ablate one task at a time.")
    (monitor,) = job.monitors.values()
    if asked.metric is None:
        return monitor
    (task,) = setting.composed(base).tasks.values()
    known = MONITORS[task.head.kind]
    if asked.metric not in known:
        hint = nearest(asked.metric, known)
        raise OsteonError(
            f"ablation.metric: a {task.head.kind} head has no score {asked.metric!r}.{hint} It has: {', '.join(known)}"
        )
    return asked.metric
