"""Sweeps of stub runs: settings, jobs and commands without Hydra and without torch."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from osteon.config import Launch, Launching
from osteon.launch.jobs import Job, digest
from osteon.launch.setting import Setting

STUB = Path(__file__).with_name("stub.py")


def setting(folder: Path, **launch: Any) -> Setting:
    return Setting(None, None, Launching(launch=Launch(**launch)), folder, ())


def job(folder: Path, *words: str, devices: int = 1, accelerator: str = "auto") -> Job:
    about = dict(word.split("=", 1) for word in words)
    name = digest(words)
    return Job(
        name, words, folder / name, devices=devices, accelerator=accelerator, about=about, monitors={"hip": "auroc"}
    )


def start(job: Job, workers: int) -> list[str]:
    return [sys.executable, "-I", "-S", str(STUB), str(job.folder), *job.words]


def grid(folder: Path, a: Sequence[str], b: Sequence[str], seeds: Sequence[int], *more: str) -> list[Job]:
    return [
        job(folder, *one, *two.split(), f"seed={seed}", *more)
        for one in [x.split() for x in a]
        for two in b
        for seed in seeds
    ]
