"""A job: the overrides of one run, the folder that they name, and the command that starts or resumes it."""

import hashlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from osteon.config import Config
from osteon.config.neutral import WATCHING, under
from osteon.errors import OsteonError
from osteon.launch.setting import Setting, key_of
from osteon.run.resume import quoted

# What changes no number: the same job whatever is said here.
FREE = ("data.cache_dir", *WATCHING)
BEGUN = ("config.yaml", "overrides.txt")


@dataclass(frozen=True)
class Job:
    """One run of a sweep.

    Attributes:
        name: short, for tables and the log.
        words: its overrides.
        folder: its run folder.
        options: command-line options before the overrides.
        devices: how many it needs.
        accelerator: as its settings say.
        workers: loader processes that its settings ask for.
        test: whether it predicts test.
        monitors: task -> what its epochs are chosen by.
        about: what tells it from the other jobs, for tables.
        epochs: it trains for, at most.
        anew: words of a finished run that is to predict test after all; none otherwise.
    """

    name: str
    words: tuple[str, ...]
    folder: Path
    options: tuple[str, ...] = ()
    devices: int = 1
    accelerator: str = "auto"
    workers: int = 0
    test: bool = True
    monitors: dict[str, str] = field(default_factory=dict)
    about: dict[str, str] = field(default_factory=dict)
    epochs: int = 1
    anew: tuple[str, ...] = ()

    @property
    def begun(self) -> bool:
        """Whether there is a run to go on with."""
        return all((self.folder / name).is_file() for name in BEGUN)


def job_of(setting: Setting, config: Config, words: Sequence[str], folder: Path, about: dict[str, str]) -> Job:
    """Return the job of composed settings."""
    return Job(
        folder.name,
        tuple(words),
        folder,
        setting.options,
        devices_asked(config),
        config.trainer.accelerator,
        config.data.workers,
        config.test,
        {name: task.monitor for name, task in config.tasks.items()},
        about,
        config.trainer.max_epochs,
    )


def devices_asked(config: Config) -> int:
    """Return how many devices a job takes.

    Raises:
        OsteonError: it would take all there are, which jobs side by side cannot.
    """
    if config.trainer.devices == "auto":
        raise OsteonError("trainer.devices: found auto; jobs share devices, so each needs a number: trainer.devices=1")
    return config.trainer.devices


def digest(words: Sequence[str], options: Sequence[str] = ()) -> str:
    """Return the name of the folder of a job: 12 hexadecimal digits of what its numbers depend on.

    The order of words does not matter, nor what is said about workers, loggers and progress bars.
    """
    telling = [word for word in words if not under(key_of(word), FREE)]
    return hashlib.sha256("\n".join([*options, *sorted(telling)]).encode()).hexdigest()[:12]


def command(job: Job, workers: int) -> list[str]:
    """Return the command of a job, resumed where its run has begun, with at most so many loader workers."""
    room = [f"data.workers={workers}"] if workers < job.workers else []
    place = quoted(str(job.folder))
    start = [sys.executable, "-m", "osteon.train"]
    if job.begun:
        return [*start, f"resume={place}", *job.anew, *room]
    return [*start, *job.options, *job.words, *room, f"hydra.run.dir={place}"]
