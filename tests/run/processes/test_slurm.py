"""A real SLURM of one node: its tasks train what processes of our own train, and are as many as asked for."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import torch
from tests.run.processes.cluster import absent, ask, script, submit
from tests.run.processes.pairs import LONG, MINUTE, SGD, TASKS, TWO, VIT, alone, check_alike, checkpoint, predicted
from tests.run.processes.pairs import trained, wait_for

pytestmark = pytest.mark.slurm
SHORT = (*SGD, *TASKS, VIT)
# A batch script that calls python itself: one process, that starts the others.
PLAIN = "#!/bin/bash\n#SBATCH --ntasks-per-node=2\npython train.py"


@pytest.fixture(autouse=True, scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    if why := absent():
        pytest.skip(why)
    yield


def test_two_tasks_are_one_run_and_two_processes(project: Path, tmp_path: Path) -> None:
    one, two, slurm = (tmp_path / name for name in ("one", "two", "slurm"))
    job = submit(tmp_path, script(project), project, *SHORT, f"hydra.run.dir={slurm}")
    state, said = job.wait()
    assert state == "COMPLETED", said
    assert said.count("test_vit (weights: none)") == 1, "rank 0 alone prints"
    alone(one, *SHORT)
    trained(project, *SHORT, *TWO, f"hydra.run.dir={two}")
    check_alike(one, slurm)
    check_same(two, slurm)
    assert checkpoint(slurm)["global_step"] >= 20


def check_same(two: Path, slurm: Path) -> None:
    """Hold two runs of two processes against one another: who started them changes no bit."""
    before, after = (checkpoint(folder)["state_dict"] for folder in (two, slurm))
    assert all(torch.equal(after[name], value) for name, value in before.items())
    for split in ("val", "test"):
        pd.testing.assert_frame_equal(predicted(slurm, split), predicted(two, split))
    scores = [pd.read_csv(folder / "scores.csv") for folder in (two, slurm)]
    pd.testing.assert_frame_equal(*scores)
