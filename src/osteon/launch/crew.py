"""Jobs at work: as many at once as there is room for, watched until the last has ended."""

import selectors
import signal
import time
from collections.abc import Callable
from typing import Protocol

from osteon.config import Launch
from osteon.launch.child import Child, end
from osteon.launch.jobs import Job, command
from osteon.launch.outcome import Outcome, judged
from osteon.launch.pool import Pool, cores
from osteon.launch.screen import Screen
from osteon.run.processes.spawn import free_port, terminable

TICK = 0.2  # seconds between two looks at the children
INPUT_FAULT = 2  # what train.py ends with when its settings or data are at fault: trying again would not help
Starter = Callable[[Job, int], list[str]]


class Source(Protocol):
    """Where jobs come from and where their fate is told.

    Attributes:
        asks: whether jobs wait after every epoch for the word to go on.
    """

    asks: bool

    def take(self) -> Job | None:
        """Return the next job, None where there is none now."""

    def reported(self, job: Job, epoch: int, values: dict[str, float]) -> bool:
        """Hear of an epoch's validation scores; return whether the job is to stop."""

    def ended(self, job: Job, outcome: Outcome) -> None:
        """Hear how a job has ended."""

    def tick(self) -> None:
        """Be called every now and then while jobs run."""


class Crew:
    """Runs the jobs of a source.

    Args:
        source: of the jobs.
        pool: of devices.
        launch: settings.
        planned: how many jobs are to come at most; fewer than there is room for share out all cores.
        screen: what people watch.
        start: the command of a job with so many loader workers.
    """

    def __init__(
        self, source: Source, pool: Pool, launch: Launch, planned: int, screen: Screen, start: Starter = command
    ) -> None:
        self.source, self.pool, self.launch, self.screen, self.start = source, pool, launch, screen, start
        self.planned = max(planned, 1)
        self.running: list[Child] = []
        self.attempts: dict[str, int] = {}
        self.waiting: list[Job] = []  # drawn and without devices yet, or to be tried again
        self.selector = selectors.DefaultSelector()

    def run(self) -> None:
        """Run until the source has no more.

        Raises:
            KeyboardInterrupt: Ctrl-C or SIGTERM; the children have ended.
        """
        with terminable():
            try:
                while self._fill() or self.running:
                    self._look()
            except KeyboardInterrupt:
                self._stop("interrupted")
                raise
            except BaseException:
                self._stop("stopped")
                raise

    def _fill(self) -> bool:
        """Start jobs while there is room; return whether any was started."""
        began = False
        while self.pool.held < self.pool.places:
            job = self.waiting.pop(0) if self.waiting else self.source.take()
            if job is None:
                return began
            devices = self.pool.take(job.devices)
            if devices is None:
                self.waiting.insert(0, job)
                return began
            self._begin(job, devices)
            began = True
        return began

    def _begin(self, job: Job, devices: tuple[str, ...]) -> None:
        at_once = min(self.pool.at_once(job.devices), self.planned)
        share = self.launch.threads or max(1, cores() // at_once)
        workers = min(job.workers, max(1, cores() // at_once)) if job.workers else 0
        self.attempts[job.name] = self.attempts.get(job.name, 0) + 1
        port = free_port([child.port for child in self.running])
        threads = max(1, share // job.devices)
        child = Child(job, self.start(job, workers), devices, threads, self.source.asks, port)
        self.running.append(child)
        self.selector.register(child.line, selectors.EVENT_READ, child)
        self.screen.began(child)

    def _look(self) -> None:
        """Hear what children report, and which have ended."""
        for key, _ in self.selector.select(TICK):
            self._hear(key.data)
            if key.data.gone:
                self.selector.unregister(key.fileobj)
        for child in list(self.running):
            status = child.process_ended()
            if status is not None and child in self.running:  # not one that a failure beside it has ended
                self._end(child, status)
        self.source.tick()
        self.screen.refresh(self.running)

    def _hear(self, child: Child) -> None:
        for said in child.messages():
            child.epoch, child.values = int(said["epoch"]), dict(said["values"])
            stop = self.source.reported(child.job, child.epoch, child.values)
            if self.source.asks:
                child.answer(stop)

    def _end(self, child: Child, status: int) -> None:
        self._hear(child)
        self._leave(child)
        seconds = time.monotonic() - child.began
        outcome = judged(child.job, status, child.told, seconds, self.attempts[child.job.name])
        again = outcome.status == "failed" and status != INPUT_FAULT
        if again and self.attempts[child.job.name] <= self.launch.retries:
            self.screen.said(f"{child.job.name} crashed ({outcome.reason}) and is started again")
            self.waiting.append(child.job)
            return
        self.attempts.pop(child.job.name)
        self.source.ended(child.job, outcome)
        self.screen.ended(child.job, outcome)
        if outcome.status == "failed" and self.launch.stop_on_failure:
            self._stop("stopped")
            self.waiting, self.source = [], _Dry(self.source)

    def _leave(self, child: Child) -> None:
        if child.line in self.selector.get_map():
            self.selector.unregister(child.line)
        child.close()
        self.running.remove(child)
        self.pool.give(child.devices)

    def _stop(self, reason: str) -> None:
        """End all children, whatever else is asked meanwhile."""
        self.screen.said(f"ending {len(self.running)} job(s); they can be gone on with")
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            end(self.running)
        finally:
            signal.signal(signal.SIGINT, before)
        for child in list(self.running):
            self._leave(child)
            seconds = time.monotonic() - child.began
            self.source.ended(child.job, Outcome("stopped", None, seconds, self.attempts[child.job.name], reason))


class _Dry:
    """A source that gives no more jobs."""

    asks = False

    def __init__(self, source: Source) -> None:
        self.source = source

    def take(self) -> None:
        return None

    def reported(self, job: Job, epoch: int, values: dict[str, float]) -> bool:
        return self.source.reported(job, epoch, values)

    def ended(self, job: Job, outcome: Outcome) -> None:
        self.source.ended(job, outcome)

    def tick(self) -> None:
        self.source.tick()
