"""Two processes train what one trains: parameters, curves and evaluation rows."""

import sys
from pathlib import Path

import pandas as pd
import pytest
from tests.run.processes.pairs import BOXES, SGD, TASKS, TWO, VIT, alone, check_alike, checkpoint, predicted, trained

CONVNEXT = "backbone.name=test_convnext"
STEPS = ("trainer.max_epochs=1", "trainer.epoch_length=20")


def test_one_and_two_processes_are_one_run(project: Path, tmp_path: Path) -> None:
    words = (*SGD, *BOXES, VIT, *STEPS, "optimizer.lr=0.01")
    alone(tmp_path / "one", *words)
    said = trained(project, *words, *TWO, f"hydra.run.dir={tmp_path / 'two'}")
    check_alike(tmp_path / "one", tmp_path / "two")
    check_each_once(tmp_path / "two")
    assert checkpoint(tmp_path / "one")["global_step"] == 20
    assert said.count("split by") == said.count("test_vit (weights: none)") == 1, "rank 0 alone prints"


def check_each_once(folder: Path) -> None:
    """Hold the rows against the manifest, whose splits do not divide by two."""
    splits = pd.read_parquet(folder / "manifest.parquet").groupby("split")["image_id"]
    for split in ("val", "test"):
        rows, ids = predicted(folder, split), splits.get_group(split)
        assert len(ids) % 2 == 1
        assert set(rows["image_id"]) == set(ids)
        assert not rows.duplicated(["task", "image_id"]).any()


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
    said = trained(project, *SGD, *TASKS, *TWO, "trainer.max_epochs=1", f"hydra.run.dir={tmp_path}")
    assert "batch norm: on CPUs each of 2 processes has statistics of its own" in " ".join(said.split())
    check_each_once(tmp_path)


@pytest.mark.slow  # a run of two processes under torchrun, with a cache of its own
def test_torchrun_starts_the_same_run_and_caches_once(project: Path, tmp_path: Path) -> None:
    launcher = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
    words = (*SGD, VIT, "data.batch_size=8", f"data.cache_dir={tmp_path / 'cache'}")
    trained(project, *words, *TWO, f"hydra.run.dir={tmp_path / 'two'}", by=launcher)
    assert len(list((tmp_path / "cache" / "pixels").iterdir())) == 1
    alone(tmp_path / "one", *words)
    check_alike(tmp_path / "one", tmp_path / "two")
