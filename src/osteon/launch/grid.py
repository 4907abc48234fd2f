"""A grid of jobs: checked before any starts, run where they are missing, told in one table."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from osteon.errors import OsteonError
from osteon.files import alone
from osteon.launch.crew import Crew, Starter
from osteon.launch.jobs import Job, command, digest, job_of
from osteon.launch.outcome import JobsFailed, Outcome, done, natural, write_table
from osteon.launch.pool import Pool, devices_of
from osteon.launch.screen import Screen
from osteon.launch.setting import Setting, key_of, of_a_run

# What a second launcher of the same folder is told, and the lock that keeps it out.
SWEEP = ("running this sweep", ".launcher.lock")


def run_grid(setting: Setting, job_overrides: Sequence[Sequence[str]]) -> list[float | None]:
    """Run what is missing of a grid and print its table; the same call again runs what is still missing.

    Returns:
        The best validation score of every job, higher is better, None where it has none.

    Raises:
        OsteonError: there is no job, or a job's settings or data are wrong; nothing has started then.
        JobsFailed: jobs have failed; all others have run.
    """
    if not job_overrides:
        raise OsteonError("an empty grid, there is no job to run. Give values: seed=0,1,2")
    jobs = grid_of(setting, [of_a_run(words) for words in job_overrides])
    with alone(setting.folder, *SWEEP):
        table = run_jobs(setting, jobs)
    show_jobs(setting.folder, list(table.values()))
    check_all(table, setting.folder)
    return [table[job.name][1].value for job in jobs]


def grid_of(setting: Setting, grid: Sequence[Sequence[str]]) -> list[Job]:
    """Return the jobs of a grid, every one's settings checked.

    Raises:
        OsteonError: names the job whose settings are wrong.
    """
    values = [{key_of(word): word.partition("=")[2] for word in words} for words in grid]
    swept = {key for one in values for key in one if len({other.get(key) for other in values}) > 1}
    jobs = []
    for words, said in zip(grid, values, strict=True):
        about = {key: value for key, value in said.items() if key in swept}
        folder = setting.folder / digest(words, setting.options)
        try:
            jobs.append(job_of(setting, setting.composed(words), words, folder, about))
        except OsteonError as fault:
            told = " ".join(f"{key}={value}" for key, value in about.items())
            raise OsteonError(f"{fault}{f' (job {told})' if told else ''}") from fault
    return list({job.name: job for job in jobs}.values())


def run_jobs(
    setting: Setting, jobs: Sequence[Job], start: Starter = command, listed: bool = True
) -> dict[str, tuple[Job, Outcome]]:
    """Run what is missing of jobs, and keep `jobs.csv` of the sweep's folder true all the while if they are `listed`.

    Returns:
        Name -> job and how it ended, in the order of the jobs.

    Raises:
        OsteonError: a job needs more devices than there are.
        KeyboardInterrupt: after the children have ended.
    """
    launch = setting.launching.launch
    pool = Pool(devices_of(launch.devices, _accelerator(jobs)), launch.jobs)
    at_once = min(pool.at_once(job.devices) for job in jobs)
    source = Listed(setting.folder if listed else None, jobs)
    finished = [pair for pair in source.table.values() if pair[1].status == "finished"]
    with Screen(len(jobs), at_once, finished) as screen:
        if finished:
            screen.said(f"{len(finished)} of {len(jobs)} jobs are finished already")
        try:
            Crew(source, pool, launch, len(source.missing), screen, start).run()
        finally:
            source.write()
    return source.table


def _accelerator(jobs: Sequence[Job]) -> str:
    found = {job.accelerator for job in jobs}
    return found.pop() if len(found) == 1 else "auto"


class Listed:
    """Jobs that are known beforehand; those that are finished are left alone."""

    asks = False

    def __init__(self, folder: Path | None, jobs: Sequence[Job]) -> None:
        self.folder = folder
        waiting = Outcome("waiting")
        self.table = {job.name: (job, done(job) or waiting) for job in jobs}
        self.missing = [job for job, outcome in self.table.values() if outcome is waiting]

    def take(self) -> Job | None:
        """Return the next missing job."""
        return self.missing.pop(0) if self.missing else None

    def reported(self, job: Job, epoch: int, values: dict[str, float]) -> bool:
        """Stop no job."""
        return False

    def ended(self, job: Job, outcome: Outcome) -> None:
        """Note how it ended."""
        self.table[job.name] = (job, outcome)
        self.write()

    def tick(self) -> None:
        """Do nothing."""

    def write(self) -> None:
        """Write the table."""
        if self.folder is not None:
            write_table(self.folder, self.table)


def check_all(table: dict[str, tuple[Job, Outcome]], folder: Path) -> None:
    """Raise where jobs have no result.

    Raises:
        JobsFailed: says how many, and what to do.
    """
    lost = [job for job, outcome in table.values() if outcome.status != "finished"]
    if lost:
        raise JobsFailed(
            f"{len(lost)} of {len(table)} jobs have no result, first {lost[0].name}: see {lost[0].folder / 'log.txt'}. "
            f"The same command again runs these {len(lost)} only."
        )


def show_jobs(folder: Path, pairs: Sequence[tuple[Job, Outcome]], console: Console | None = None) -> None:
    """Print a row a job."""
    console = console or Console()
    headings = list(dict.fromkeys(key for job, _ in pairs for key in job.about))
    names = {natural(None, job.monitors)[0] for job, _ in pairs}
    table = Table(title=str(folder), title_justify="left")
    score = names.pop() if len(names) == 1 else "val"
    for heading in ("job", *headings, "status", f"best {score}", "time"):
        table.add_column(heading, overflow="fold")
    for job, outcome in pairs:
        value = natural(outcome.value, job.monitors)[1]
        shown = outcome.reason if value is None else f"{value:.4f}"
        told = [job.about.get(heading, "") for heading in headings]
        table.add_row(job.name, *told, outcome.status, shown, f"{outcome.seconds:.0f} s")
    console.print(table)
