"""Kill training runs with SIGKILL at random and at chosen moments, resume them, and compare with uninterrupted ones.

A program of its own: torch is imported once, and every run is a fork of it that calls `train.main` as a user does.
Prints one JSON line a kill.
"""

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from osteon import train
from osteon.module import OsteonModule
from osteon.run import checkpoints, start  # noqa: F401  imported before the forks

RECIPES = {
    "ema": (
        "callbacks.ema=0.9",
        "trainer.accumulate=3",
        "training.mixup=0.4",
        "tasks.hip_fracture.head.dropout=0.3",
        "data.workers=2",
    ),
    "plateau": (
        "scheduler=plateau",
        "scheduler.warmup_epochs=1.0",
        "scheduler.patience=0",
        "callbacks.early_stopping=3",
        "optimizer=sgd",
        "trainer.precision=32-true",
    ),
    "stream": (
        "trainer.epoch_length=3",
        "training.imbalance=sampler",
        "training.unfreeze=gradual",
        "callbacks.ema=0.8",
        "trainer.accumulate=2",
        "data.workers=1",
    ),
}
SMALL_RUN = [
    "backbone=timm", "backbone.name=test_resnet", "phantom.patients=60", "phantom.size=96", "phantom.image_size=64",
    "data.max_rejected=0.1", "trainer.max_epochs=5", "callbacks.progress_bar=false", "bootstrap=100",
]  # fmt: skip
FILES = ("predictions/val.parquet", "predictions/test.parquet")
PHASES = ("training_step", "validation_step", "save")


def child(words: list[str], log: Path, first: Callable[[], None] | None = None) -> int:
    """Fork a run and return its process id; `first` is called in the fork."""
    number = os.fork()
    if number:
        return number
    sink = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(sink, 1)
    os.dup2(sink, 2)
    if first:
        first()
    sys.argv = ["train.py", *words]
    status = 0
    try:
        train.main()
    except SystemExit as stop:
        status = int(stop.code or 0)
    except BaseException:
        import traceback

        traceback.print_exc()
        status = 70
    os._exit(status)


def _arm(phase: str) -> None:
    """Let this process kill itself in the middle of a later call of `phase`."""
    owner, name = (checkpoints, "write_bytes") if phase == "save" else (OsteonModule, phase)
    plain: Callable[..., object] = getattr(owner, name)
    calls = {"validation_step": 3, "training_step": 7, "save": 4}[phase]

    def deadly(*values: object, **options: object) -> object:
        nonlocal calls
        calls -= 1
        if calls > 0:
            return plain(*values, **options)
        if phase == "save":
            file, data = values
            assert isinstance(file, Path)
            assert isinstance(data, memoryview)
            file.with_name(f".{file.name}.{os.getpid()}.part").write_bytes(data[: len(data) // 2])
        os.kill(os.getpid(), signal.SIGKILL)
        return None

    setattr(owner, name, deadly)


def wait(number: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])


def killed_after(number: int, begun: Path | None, seconds: float) -> bool:
    """Kill a run `seconds` after the file `begun` is there (None: at once); tell whether it was still at work."""
    end = None if begun else time.monotonic() + seconds
    while end is None or time.monotonic() < end:
        if end is None and begun and begun.is_file():
            end = time.monotonic() + seconds
        if os.waitpid(number, os.WNOHANG)[0]:
            return False
        time.sleep(0.005)
    os.kill(number, signal.SIGKILL)
    return wait(number) == -signal.SIGKILL


def difference(one: Path, other: Path) -> str:
    """Name the first thing in which two run folders differ, to the last bit; empty where they agree."""
    for name in FILES:
        tables = [pd.read_parquet(folder / name) for folder in (one, other)]
        if not tables[0].equals(tables[1]):
            return name
    said = [json.loads((folder / "result.json").read_text()) for folder in (one, other)]
    for key in ("scores", "split"):
        if said[0][key] != said[1][key]:
            return key
    apart = {"resumed_at_epoch"}
    facts = [{key: value for key, value in part["training"].items() if key not in apart} for part in said]
    if facts[0] != facts[1]:
        return f"training {facts}"
    states = [torch.load(folder / "model.pt", weights_only=True)["state_dict"] for folder in (one, other)]
    if any(not torch.equal(states[0][key], states[1][key]) for key in states[0]):
        return "model.pt"
    curves = [pd.read_csv(folder / "metrics.csv") for folder in (one, other)]
    columns = sorted(curves[0])
    same = sorted(curves[1]) == columns and np.array_equal(
        *(c[columns].to_numpy(float) for c in curves), equal_nan=True
    )
    return "" if same else "metrics.csv"


def main(folder: Path, kills: int, seed: int) -> None:
    """Kill `kills` runs: the first nine at chosen moments, one in eight of the others before its folder is begun."""
    rng = random.Random(seed)
    seconds = {}
    for recipe, words in RECIPES.items():
        for attempt in range(2):  # the second finds cache and phantoms made: its length is what a kill is drawn from
            plain = [*SMALL_RUN, *words, f"hydra.run.dir={folder / f'{recipe}-{attempt}'}"]
            assert wait(child(plain, folder / "log.txt")) == 0, (folder / "log.txt").read_text()
            begun = (folder / f"{recipe}-{attempt}" / "config.yaml").stat().st_mtime
            seconds[recipe] = time.time() - begun
        assert not (fault := difference(folder / f"{recipe}-0", folder / f"{recipe}-1")), f"not repeatable: {fault}"
    for number in range(kills):
        recipe = list(RECIPES)[number % len(RECIPES)]
        run, log = folder / f"kill-{number}", folder / f"kill-{number}.txt"
        first = [*SMALL_RUN, *RECIPES[recipe], f"hydra.run.dir={run}"]
        fatal = PHASES[number // len(RECIPES)] if number < len(RECIPES) * len(PHASES) else None
        early = rng.random() < 0.125
        delay = rng.uniform(0.02, 0.9) * seconds[recipe]
        process = child(first, log, partial(_arm, fatal) if fatal else None)
        interrupted = (
            wait(process) == -signal.SIGKILL
            if fatal
            else killed_after(process, None if early else run / "config.yaml", delay)
        )
        began = (run / "config.yaml").is_file()
        again = [f"resume={run}"] if began else first
        twice = interrupted and rng.random() < 0.4
        if twice:
            killed_after(child(again, log), None, rng.uniform(0.3, 1.0) * seconds[recipe])
            again = [f"resume={run}"] if (run / "config.yaml").is_file() else first
        status = wait(child(again, log))
        fault = difference(folder / f"{recipe}-0", run) if status == 0 else f"exit {status}: {log.read_text()[-2000:]}"
        told = {
            "recipe": recipe,
            "at": fatal or f"{delay:.2f} s",
            "killed": interrupted,
            "began": began,
            "twice": twice,
        }
        print(json.dumps({**told, "difference": fault}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
