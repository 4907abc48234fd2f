"""How a job ended, read from what its run left."""

import json
import math
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from osteon.config.monitors import MONITOR
from osteon.errors import OsteonError
from osteon.launch.child import LOG, last_words
from osteon.launch.jobs import Job


@dataclass(frozen=True)
class Outcome:
    """How a job ended.

    Attributes:
        status: `finished`, `failed`, `pruned` or `stopped` (by Ctrl-C, or because another one failed).
        value: best validation score, higher is better; None where there is none.
        seconds: of this call; of a run that was finished before, as it says itself.
        attempts: how often it was started now; 0: it was finished before.
        reason: why it failed.
    """

    status: str
    value: float | None = None
    seconds: float = 0.0
    attempts: int = 0
    reason: str = ""


class JobsFailed(OsteonError):  # noqa: N818  what is said at the end of a sweep, whose other jobs went well
    """Jobs have failed; the others have ended as they should."""

    status = 1


def done(job: Job) -> Outcome | None:
    """Return the outcome of a job whose run is finished, None where there is something left to do.

    Raises:
        OsteonError: its result.json is damaged.
    """
    from osteon.run.unchanged import finished

    said = finished(job.folder, job.test)
    if said is None:
        return None
    value = float(said["training"]["best_monitor"])
    seconds = float(said.get("seconds", {}).get("all", 0.0))
    return Outcome("finished", value if math.isfinite(value) else None, seconds)


def judged(job: Job, status: int, told: bool, seconds: float, attempts: int) -> Outcome:
    """Return how a process that ended with `status` has ended; `told`: it was told to stop early."""
    found = done(job) if status == 0 else None
    if found is not None:
        return Outcome("finished", found.value, seconds, attempts)
    if status == 0 and told:
        return Outcome("pruned", None, seconds, attempts)
    return Outcome("failed", None, seconds, attempts, _reason(job, status))


def _reason(job: Job, status: int) -> str:
    """Say why a run has failed: who killed it, else its last words, which tell nothing of a kill."""
    if status < 0:
        name = next((one.name for one in signal.Signals if one == -status), f"signal {-status}")
        return f"killed by {name}{', as when memory runs out' if -status == signal.SIGKILL else ''}"
    return f"{last_words(job.folder / LOG)} (status {status})" if status else "ended without a result"


def natural(value: float | None, monitors: Mapping[str, str]) -> tuple[str, float | None]:
    """Return a score as people call it: a single task's own (an error is positive), else the signed mean."""
    if len(monitors) != 1:
        return MONITOR, value
    from osteon.scoring.metrics import direction

    task, metric = next(iter(monitors.items()))
    down = value is not None and direction(metric) == "min"
    return f"val/{task}/{metric}", -value if down and value is not None else value


def write_table(folder: Path, jobs: Mapping[str, tuple[Job, Outcome]]) -> None:
    """Write `jobs.csv` and `jobs.json` of a sweep: a row a job with what tells it apart, how it ended and its score."""
    import csv
    import io

    from osteon.files import write_text

    columns = list(dict.fromkeys(key for job, _ in jobs.values() for key in job.about))
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["folder", *columns, "status", "metric", "value", "seconds", "attempts", "reason"])
    for name, (job, end) in jobs.items():
        metric, value = natural(end.value, job.monitors)
        told = [job.about.get(column, "") for column in columns]
        rows.writerow([name, *told, end.status, metric, value, round(end.seconds, 1), end.attempts, end.reason])
    write_text(folder / "jobs.csv", text.getvalue())
    write_text(folder / "jobs.json", json.dumps({name: list(job.words) for name, (job, _) in jobs.items()}, indent=1))
