"""Two processes train what one trains, and what becomes of the run when one of them ends."""

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
import pytest
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
# Batches of two images a process, and a last one that does not reach both: tasks are absent from a process' part.
TASKS = ("task=[hip_fracture,knee_kl]", "data.batch_size=4", "augment.horizontal_flip=0", "trainer.max_epochs=2")
BOXES = ("task=[hip_fracture,knee_kl,hip_localization]", *TASKS[1:])
VIT, CONVNEXT = "backbone.name=test_vit", "backbone.name=test_convnext"
MINUTE = 60.0


def command(*words: str) -> list[str]:
    return [sys.executable, "train.py", *words]


def start(project: Path, *words: str, by: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    told = {name: value for name, value in os.environ.items() if not name.startswith(("SLURM_", "TORCHELASTIC_"))}
    line = [*by, "train.py", *words] if by else command(*words)
    return subprocess.Popen(
        line, cwd=project, env=told, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )


def trained(project: Path, *words: str, by: tuple[str, ...] = ()) -> str:
    process = start(project, *words, by=by)
    said = process.communicate()[0]
    assert process.returncode == 0, said
    return said


def checkpoint(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)
    return content


def alone(folder: Path, *words: str) -> None:
    run(config(*words), folder, list(words))


def test_one_and_two_processes_are_one_run(project: Path, tmp_path: Path) -> None:
    words = (*SGD, *TASKS, VIT)
    alone(tmp_path / "one", *words)
    said = trained(project, *words, *TWO, f"hydra.run.dir={tmp_path / 'two'}")
    check_alike(tmp_path / "one", tmp_path / "two")
    assert checkpoint(tmp_path / "one")["global_step"] >= 20
    assert said.count("split by") == said.count("test_vit (weights: none)") == 1, "rank 0 alone prints"


def check_alike(one: Path, two: Path) -> None:
    """Hold parameters, predictions and curves of two runs against one another."""
    before, after = checkpoint(one), checkpoint(two)
    assert before["global_step"] == after["global_step"]
    for name, value in before["state_dict"].items():
        torch.testing.assert_close(after["state_dict"][name], value, rtol=0.0, atol=1e-4)
    for split in ("val", "test"):
        tables = [pd.read_parquet(folder / "predictions" / f"{split}.parquet") for folder in (one, two)]
        assert tables[0][["task", "image_id"]].equals(tables[1][["task", "image_id"]])
        for column in {"probability", "value"} & set(tables[0]):
            np.testing.assert_allclose(tables[0][column], tables[1][column], atol=2e-3)
    curves = [pd.read_csv(folder / "metrics.csv") for folder in (one, two)]
    for column in (name for name in curves[0] if name.startswith("train/")):
        np.testing.assert_allclose(curves[0][column].dropna(), curves[1][column].dropna(), rtol=1e-3)


@pytest.mark.slow  # two runs, three processes that import torch
@pytest.mark.parametrize(
    "words",
    [
        (CONVNEXT, *TASKS),
        (VIT, *BOXES, "data.batching=per_task", "data.batch_size=12", "training.loss_weights=uncertainty"),
        (VIT, *TASKS, "training.imbalance=sampler", "data.sampling=balanced", "trainer.accumulate=2"),
        ("backbone.norm=frozen", *TASKS),
        (VIT, "training.unfreeze=gradual", "trainer.max_epochs=3", "callbacks.ema=0.9", "data.workers=1"),
    ],
    ids=["convnext", "per_task", "sampler", "frozen_norm", "gradual"],
)
def test_recipes_do_not_depend_on_the_number_of_processes(
    words: tuple[str, ...], project: Path, tmp_path: Path
) -> None:
    alone(tmp_path / "one", *SGD, *words)
    trained(project, *SGD, *words, *TWO, f"hydra.run.dir={tmp_path / 'two'}")
    check_alike(tmp_path / "one", tmp_path / "two")


@pytest.mark.slow  # a run of two processes
def test_batch_norm_of_cpus_is_told_and_every_row_is_there_once(project: Path, tmp_path: Path) -> None:
    said = trained(project, *SGD, *TWO, "data.batch_size=8", f"hydra.run.dir={tmp_path}")
    assert "batch norm: on CPUs each of 2 processes has statistics of its own" in " ".join(said.split())
    manifest = pd.read_parquet(tmp_path / "manifest.parquet")
    for split in ("val", "test"):
        table = pd.read_parquet(tmp_path / "predictions" / f"{split}.parquet")
        assert sorted(table["image_id"]) == sorted(manifest.loc[manifest["split"] == split, "image_id"])


@pytest.mark.slow  # a run of two processes under torchrun, with a cache of its own
def test_torchrun_starts_the_same_run_and_caches_once(project: Path, tmp_path: Path) -> None:
    launcher = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
    words = (*SGD, VIT, "data.batch_size=8", f"data.cache_dir={tmp_path / 'cache'}")
    trained(project, *words, *TWO, f"hydra.run.dir={tmp_path / 'two'}", by=launcher)
    assert len(list((tmp_path / "cache" / "pixels").iterdir())) == 1
    alone(tmp_path / "one", *words)
    check_alike(tmp_path / "one", tmp_path / "two")


def ranks_of(starter: int) -> list[int]:
    """Return the processes that a starter has started, in the order of their ranks."""
    children = Path(f"/proc/{starter}/task/{starter}/children").read_text().split()
    return [int(number) for number in children]


def wait_for(ready: Callable[[], bool], seconds: float = 600.0) -> None:
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.1)


LONG = (*SGD, VIT, *TWO, "data.batch_size=4", "trainer.max_epochs=40")


@pytest.mark.slow  # a run of two processes that is killed, and one that goes on
def test_a_killed_rank_ends_the_run_by_name_and_one_process_goes_on(project: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    process = start(project, *LONG, f"hydra.run.dir={folder}")
    wait_for((folder / "checkpoints" / "last.ckpt").is_file)
    first, second = ranks_of(process.pid)
    os.kill(second, signal.SIGKILL)
    began = time.monotonic()
    said = process.communicate(timeout=MINUTE)[0]
    assert time.monotonic() - began < MINUTE
    assert process.returncode == 2
    assert "rank 1 of 2 was killed by SIGKILL" in said
    assert f"resume={folder}" in said
    assert "Traceback" not in said
    assert not Path(f"/proc/{first}").exists()
    epoch = checkpoint(folder)["epoch"]
    assert list(folder.rglob("*.part")) == []
    text = trained(project, f"resume={folder}", "trainer.devices=1")
    assert "test_vit" in text
    assert checkpoint(folder)["epoch"] == 39 > epoch
    alone(tmp_path / "whole", *(word for word in LONG if word not in TWO))
    check_alike(tmp_path / "whole", folder)


@pytest.mark.slow  # runs of two processes that are stopped
@pytest.mark.parametrize(("how", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_a_stopped_starter_leaves_no_process_behind(
    how: signal.Signals, status: int, project: Path, tmp_path: Path
) -> None:
    process = start(project, *LONG, f"hydra.run.dir={tmp_path}")
    wait_for((tmp_path / "checkpoints" / "last.ckpt").is_file)
    ranks = ranks_of(process.pid)
    assert len(ranks) == 2
    process.send_signal(how)
    said = process.communicate(timeout=MINUTE)[0]
    assert process.returncode == status, said
    wait_for(lambda: not any(Path(f"/proc/{rank}").exists() for rank in ranks), 20.0)
    if how != signal.SIGKILL:
        assert f"resume={tmp_path}" in said
        assert "Traceback" not in said
    assert checkpoint(tmp_path)["epoch"] >= 0


@pytest.mark.slow  # two processes that import torch
def test_a_fault_of_the_data_is_said_once(project: Path, tmp_path: Path) -> None:
    words = (*SGD, *TWO, "data.val_fraction=0.001", f"hydra.run.dir={tmp_path / 'run'}")
    process = start(project, *words)
    said = process.communicate()[0]
    assert process.returncode == 2
    assert said.count("osteon: tasks.hip_fracture: no image in val") == 1
    assert not (tmp_path / "run").exists()
