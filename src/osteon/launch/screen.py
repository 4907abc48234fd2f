"""What people watch while jobs run: who is at what, the best so far, the time left."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.table import Table

from osteon.config.monitors import MONITOR
from osteon.launch.jobs import Job
from osteon.launch.outcome import Outcome, natural

if TYPE_CHECKING:
    from osteon.launch.child import Child

Standing = tuple[int, tuple[float, str] | None]  # jobs that are finished; the best score, as people call it, and whose


class Screen:
    """A live table on a terminal, a line a job elsewhere.

    Args:
        total: how many jobs there are, those that were finished before included.
        at_once: how many run side by side.
        finished: outcomes of earlier calls.
        standing: where other processes work at the same jobs, tells how many are finished and the best of all.
        console: where to.
    """

    def __init__(
        self, total: int, at_once: int, finished: Sequence[tuple[Job, Outcome]] = (),
        standing: Callable[[], Standing] | None = None, console: Console | None = None,
    ) -> None:  # fmt: skip
        self.console = console or Console()
        self.total, self.at_once, self.standing = total, max(1, at_once), standing
        self.began_at, self.ended_now, self.failed, self.count = time.monotonic(), 0, 0, len(finished)
        self.busy = 0.0  # seconds of all jobs that ended now
        self.best: tuple[float, str] | None = None
        self._signed = float("-inf")  # the same, higher is better
        for job, outcome in finished:
            self._note(job, outcome)
        self._stand()
        self.live = Live(console=self.console, refresh_per_second=2, transient=True)

    def __enter__(self) -> "Screen":
        if self.console.is_terminal:
            self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.console.is_terminal:
            self.live.stop()

    def said(self, text: str) -> None:
        """Print a line above the table."""
        self.console.print(text, markup=False, highlight=False)

    def began(self, child: "Child") -> None:
        """Say that a job has started."""
        where = f"on {','.join(child.devices)}" if child.devices else ""
        if not self.console.is_terminal:
            self.said(" ".join(["started", child.job.name, *_told(child.job), where]).rstrip())

    def ended(self, job: Job, outcome: Outcome) -> None:
        """Say how a job has ended."""
        self.ended_now, self.busy, self.count = self.ended_now + 1, self.busy + outcome.seconds, self.count + 1
        self._note(job, outcome)
        self._stand()
        name, value = natural(outcome.value, job.monitors)
        score = "" if value is None else f", {name} {value:.4f}"
        self.said(
            f"{outcome.status} {job.name} in {_span(outcome.seconds)}{score}{outcome.reason and ': '}{outcome.reason}"
        )
        if not self.console.is_terminal:
            self.said(self.line())

    def refresh(self, running: Sequence["Child"]) -> None:
        """Draw the live table anew."""
        if not self.console.is_terminal:
            return
        table = Table(title=self.line(), title_justify="left")
        for heading in ("job", "settings", "devices", "epoch", "val", "since"):
            table.add_column(heading)
        for child in running:
            value = child.values.get(MONITOR)
            shown = "" if value is None else f"{natural(value, child.job.monitors)[1]:.4f}"
            epoch = f"{child.epoch + 1}/{child.job.epochs}"
            since = _span(time.monotonic() - child.began)
            settings = " ".join(_told(child.job))
            table.add_row(child.job.name, settings, ",".join(child.devices), epoch, shown, since)
        self.live.update(table)

    def line(self) -> str:
        """Return counts, the best so far and the time left in a line."""
        parts = [f"{self.count} of {self.total} jobs"]
        parts += [f"{self.failed} failed"] if self.failed else []
        parts += [f"best {self.best[0]:.4f} ({self.best[1]})"] if self.best else []
        left = self.total - self.count
        if self.ended_now and left > 0:
            parts.append(f"about {_span(self.busy / self.ended_now * -(-left // self.at_once))} left")
        return ", ".join(parts)

    def _note(self, job: Job, outcome: Outcome) -> None:
        self.failed += outcome.status == "failed"
        value = natural(outcome.value, job.monitors)[1]
        if value is not None and outcome.value is not None and outcome.value > self._signed:
            self.best, self._signed = (value, job.name), outcome.value

    def _stand(self) -> None:
        if self.standing is not None:
            self.count, self.best = self.standing()


def _told(job: Job) -> list[str]:
    return [f"{key}={value}" for key, value in job.about.items()]


def _span(seconds: float) -> str:
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    return f"{whole // 60} min" if whole < 7200 else f"{whole // 3600} h {whole % 3600 // 60} min"
