"""Start runs of one and of several processes, and hold what they leave against one another."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from tests.composing import SMALL, config

from osteon.run.start import run

SGD = (
    *SMALL,
    "phantom.patients=24",
    "data.max_rejected=0.3",
    "trainer.precision=32-true",
    "optimizer=sgd",
    "optimizer.lr=0.02",
    "trainer.max_epochs=1",
)
TWO = ("trainer=ddp", "trainer.devices=2")
# Batches of two images a process: tasks are absent from a process' part.
TASKS = ("task=[hip_fracture,knee_kl]", "data.batch_size=4", "augment.horizontal_flip=0", "trainer.max_epochs=2")
NARROW = tuple(f"tasks.hip_localization.head.{word}" for word in ("width=64", "convs=1"))
BOXES = ("task=[hip_fracture,knee_kl,hip_localization]", *NARROW, *TASKS[1:])
VIT = "backbone.name=test_vit"  # without batch norm
LONG = (*SGD, VIT, *TWO, "data.batch_size=4", "trainer.max_epochs=40")
MINUTE = 60.0


def outside() -> dict[str, str]:
    """Return the environment of a shell in which nobody has started several processes."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("SLURM_", "TORCHELASTIC_"))}


def start(project: Path, *words: str, by: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    line = [*(by or (sys.executable,)), "train.py", *words]
    return subprocess.Popen(
        line,
        cwd=project,
        env=outside(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        preexec_fn=lambda: signal.signal(
            signal.SIGINT, signal.default_int_handler
        ),  # a shell's background job has none
    )


def trained(project: Path, *words: str, by: tuple[str, ...] = ()) -> str:
    process = start(project, *words, by=by)
    said = process.communicate()[0]
    assert process.returncode == 0, said
    return said


def alone(folder: Path, *words: str) -> None:
    run(config(*words), folder, list(words))


def checkpoint(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)
    return content


def predicted(folder: Path, split: str) -> pd.DataFrame:
    return pd.read_parquet(folder / "predictions" / f"{split}.parquet")


def wait_for(ready: Callable[[], bool], seconds: float = 600.0) -> None:
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.1)


def check_alike(one: Path, two: Path) -> None:
    """Hold parameters, predictions and curves of two runs against one another."""
    before, after = checkpoint(one), checkpoint(two)
    assert before["global_step"] == after["global_step"]
    for name, value in before["state_dict"].items():
        torch.testing.assert_close(after["state_dict"][name], value, rtol=0.0, atol=1e-4)
    for split in ("val", "test"):
        tables = [predicted(folder, split) for folder in (one, two)]
        assert tables[0][["task", "image_id"]].equals(tables[1][["task", "image_id"]])
        for column in {"probability", "value"} & set(tables[0]):
            np.testing.assert_allclose(tables[0][column], tables[1][column], atol=2e-3)
    curves = [pd.read_csv(folder / "metrics.csv") for folder in (one, two)]
    for column in (name for name in curves[0] if name.startswith("train/")):
        np.testing.assert_allclose(curves[0][column].dropna(), curves[1][column].dropna(), rtol=1e-3)
