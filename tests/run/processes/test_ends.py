"""What becomes of a run of two processes when one of them ends, or whoever started them."""

import os
import signal
import time
from pathlib import Path

import pytest
from tests.run.processes.pairs import LONG, MINUTE, SGD, TWO, alone, check_alike, checkpoint, start, trained, wait_for


def ranks_of(starter: int) -> list[int]:
    """Return the processes that a starter has started, in the order of their ranks."""
    children = Path(f"/proc/{starter}/task/{starter}/children").read_text().split()
    return [int(number) for number in children]


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
