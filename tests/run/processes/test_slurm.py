"""A real SLURM of one node: its tasks train what processes of our own train, and are as many as asked for."""

import json
import os
import re
import signal
import time
from pathlib import Path

import pandas as pd
import pytest
import torch
from tests.run.processes import pairs
from tests.run.processes.cluster import Job, absent, script, submit
from tests.run.processes.pairs import MINUTE, SGD, TASKS, TWO, VIT

pytestmark = pytest.mark.slurm
SHORT = (*SGD, *TASKS, VIT, "trainer.max_epochs=1", "trainer.epoch_length=20")
LONG = tuple(word for word in pairs.LONG if word not in TWO)
STEPS = "srun --kill-on-bad-exit=1 python train.py"


@pytest.fixture(autouse=True, scope="module")
def _cluster() -> None:
    if why := absent():
        pytest.skip(why)


def test_two_tasks_are_one_run_and_two_processes(project: Path, tmp_path: Path) -> None:
    one, two, slurm = (tmp_path / name for name in ("one", "two", "slurm"))
    job = submit(tmp_path, script(project), project, *SHORT, f"hydra.run.dir={slurm}")
    state, said = job.wait()
    assert state == "COMPLETED", said
    assert said.count("test_vit (weights: none)") == 1, "rank 0 alone prints"
    assert "warn" not in said.lower()
    pairs.alone(one, *SHORT)
    pairs.trained(project, *SHORT, *TWO, f"hydra.run.dir={two}")
    pairs.check_alike(one, slurm)
    check_same(two, slurm)
    assert pairs.checkpoint(slurm)["global_step"] == 20


def check_same(two: Path, slurm: Path) -> None:
    """Hold two runs of two processes against one another: who started them changes no bit."""
    before, after = (pairs.checkpoint(folder)["state_dict"] for folder in (two, slurm))
    assert all(torch.equal(after[name], value) for name, value in before.items())
    for split in ("val", "test"):
        pd.testing.assert_frame_equal(pairs.predicted(slurm, split), pairs.predicted(two, split))
    assert scores(slurm) == scores(two)


def scores(folder: Path) -> str:
    """Return the scores as text, in which an undefined one equals itself."""
    return json.dumps(json.loads((folder / "result.json").read_text(encoding="utf-8"))["scores"])


@pytest.mark.parametrize(
    ("asked", "devices", "said"),
    [
        ("--ntasks=1", 2, "asks for 2 process(es), but SLURM (--ntasks) has started 1."),
        ("--ntasks=2", 2, "SLURM: started 2 tasks by --ntasks, which may lie unevenly on machines"),
        ("--ntasks-per-node=2", 1, "asks for 1 process(es), but SLURM (--ntasks) has started 2"),
    ],
)
def test_other_numbers_of_tasks_are_refused(asked: str, devices: int, said: str, project: Path, tmp_path: Path) -> None:
    text = script(project).replace("--ntasks-per-node=2 ", f"{asked} ")
    text = re.sub(r"trainer.devices=\S+", f"trainer.devices={devices}", text)
    state, log = submit(tmp_path, text, project, *SHORT, f"hydra.run.dir={tmp_path / 'run'}").wait()
    assert state == "FAILED"
    assert said in log
    assert "Traceback" not in log
    assert not (tmp_path / "run").exists()


def begun(folder: Path, project: Path, place: Path) -> tuple[Job, dict[int, int]]:
    """Return a job that has finished an epoch, and its tasks."""
    job = submit(folder, script(project), project, *LONG, f"hydra.run.dir={place}")
    pairs.wait_for((place / "checkpoints" / "last.ckpt").is_file)
    return job, job.tasks()


def test_a_killed_task_ends_the_job_by_name_and_any_number_goes_on(project: Path, tmp_path: Path) -> None:
    place = tmp_path / "run"
    job, tasks = begun(tmp_path, project, place)
    os.kill(tasks[1], signal.SIGKILL)
    began = time.monotonic()
    state, said = job.wait(MINUTE)
    assert time.monotonic() - began < MINUTE
    assert state == "FAILED"
    assert "task 1: Killed" in said
    assert "rank 0 of 2: rank 1 has ended, the connection to it is lost" in said
    assert f"python train.py resume={place}" in said
    assert "Traceback" not in said
    epoch = pairs.checkpoint(place)["epoch"]
    state, said = submit(tmp_path, script(project), project, f"resume={place}").wait()
    assert state == "COMPLETED", said
    assert pairs.checkpoint(place)["epoch"] == 39 > epoch
    pairs.alone(tmp_path / "whole", *LONG)
    pairs.check_alike(tmp_path / "whole", place)


def test_a_job_that_is_told_to_end_does(project: Path, tmp_path: Path) -> None:
    """SIGTERM reaches both tasks, wherever they are: what Lightning does with it may hang."""
    job, tasks = begun(tmp_path, project, tmp_path / "run")
    for process in tasks.values():
        os.kill(process, signal.SIGTERM)
    state, said = job.wait(MINUTE)
    assert state == "FAILED"
    assert f"python train.py resume={tmp_path / 'run'}" in said
    assert "Traceback" not in said
    assert pairs.checkpoint(tmp_path / "run")["epoch"] >= 0


@pytest.mark.parametrize("processes", [1, 2])
def test_plain_python_in_a_job_starts_its_own_processes(processes: int, project: Path, tmp_path: Path) -> None:
    text = script(project).replace(STEPS, "python train.py")
    text = re.sub(r"trainer.devices=\S+", f"trainer.devices={processes}", text)
    words = (*SHORT, f"hydra.run.dir={tmp_path / 'run'}")
    state, said = submit(tmp_path, text, project, *words).wait()
    assert state == "COMPLETED", said
    assert "srun" not in said
    assert "warn" not in said.lower()
    facts = (tmp_path / "run" / "result.json").read_text(encoding="utf-8")
    assert f'"processes": {processes}' in facts
