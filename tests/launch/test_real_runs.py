"""Real runs under a launcher: pruned ones end cleanly, test is left out and made up for, a killed grid is completed."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pytest
from tests.commands import Command
from tests.composing import SMALL
from tests.launch.test_grid import rows, wait_for

from osteon import launched
from osteon.config import Launch
from osteon.launch.crew import Crew
from osteon.launch.jobs import Job
from osteon.launch.outcome import Outcome
from osteon.launch.pool import Pool
from osteon.launch.screen import Screen

TINY = [*(word for word in SMALL if "patients" not in word), "phantom.patients=40"]
TRAIN = str(Path(__file__).parents[2] / "train.py")


def swept(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run train.py as a process of its own to its end."""
    return subprocess.run([sys.executable, TRAIN, *words], cwd=folder, capture_output=True, text=True, check=False)


def test_a_pruned_run_ends_cleanly_and_can_be_gone_on_with(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[tuple[int, float]] = []

    def stop(epoch: int, values: Mapping[str, float]) -> bool:
        seen.append((epoch, values["val/monitor"]))
        return True

    with monkeypatch.context() as patch:
        patch.setattr(launched, "report", stop)
        assert command(*TINY, f"hydra.run.dir={tmp_path / 'run'}", "test=false") == 0
    assert [epoch for epoch, _ in seen] == [0]
    assert "pruned after epoch 0" in capsys.readouterr().out
    run = tmp_path / "run"
    assert (run / "checkpoints" / "last.ckpt").is_file()
    assert not (run / "result.json").exists()
    assert command(f"resume={run}") == 0
    result = json.loads((run / "result.json").read_text())
    assert result["training"]["resumed_at_epoch"] == 1
    assert {row["split"] for row in result["scores"]} == {"val"}, "test was left out"
    assert not (run / "predictions" / "test.parquet").exists()
    val = pd.read_parquet(run / "predictions" / "val.parquet")
    assert command(f"resume={run}", "test=true") == 0
    again = json.loads((run / "result.json").read_text())
    assert {row["split"] for row in again["scores"]} == {"val", "test"}
    pd.testing.assert_frame_equal(pd.read_parquet(run / "predictions" / "val.parquet"), val, check_exact=True)
    assert again["training"]["best_monitor"] == result["training"]["best_monitor"], "the same weights"


@pytest.mark.slow  # six real runs, each a process that imports torch
def test_a_killed_grid_of_real_runs_is_completed(tmp_path: Path) -> None:
    words = ["-m", *TINY, "trainer.max_epochs=1", "seed=0,1,2", "launch.jobs=1"]
    first = subprocess.Popen([sys.executable, TRAIN, *words], cwd=tmp_path, stdout=subprocess.DEVNULL)
    sweep = tmp_path / "runs" / "sweeps" / "hip_fracture"
    wait_for(lambda: len(list(sweep.glob("*/result.json"))) >= 1, 600)
    first.kill()
    first.wait()
    done = {file: file.stat().st_mtime_ns for file in sweep.glob("*/result.json")}
    last = swept(tmp_path, *words)
    assert last.returncode == 0, last.stdout + last.stderr
    assert len(list(sweep.glob("*/result.json"))) == 3
    assert all(file.stat().st_mtime_ns == before for file, before in done.items())


@pytest.mark.slow  # two jobs of two processes each
def test_the_ranks_of_every_job_train_alike(tmp_path: Path) -> None:
    words = [*TINY, "trainer=ddp", "trainer.devices=2", "trainer.max_epochs=1", "test=false", "data.batch_size=8"]
    done = swept(tmp_path, "-m", *words, "optimizer.lr=1e-3,2e-2", "launch.threads=2")
    assert done.returncode == 0, done.stdout + done.stderr
    sweep, rates = tmp_path / "runs" / "sweeps" / "hip_fracture", []
    for row in rows(sweep):
        said = json.loads((sweep / row["folder"] / "result.json").read_text())["training"]
        first, second = said["ranks"]
        assert first == second
        assert first["optimizer.lr"] == float(row["optimizer.lr"]), "and it is the job's own"
        assert float(row["value"]) == pytest.approx(said["best_monitor"])
        rates.append(first["optimizer.lr"])
        assert "thread(s); port" in (sweep / row["folder"] / "log.txt").read_text().splitlines()[0]
    assert sorted(rates) == [1e-3, 2e-2]


class Impatient:
    """One job, which is stopped after its first epoch."""

    asks = True

    def __init__(self, job: Job) -> None:
        self.jobs, self.epochs, self.outcome = [job], list[tuple[int, float]](), Outcome("waiting")

    def take(self) -> Job | None:
        return self.jobs.pop() if self.jobs else None

    def reported(self, job: Job, epoch: int, values: dict[str, float]) -> bool:
        self.epochs.append((epoch, values["val/monitor"]))
        return True

    def ended(self, job: Job, outcome: Outcome) -> None:
        self.outcome = outcome

    def tick(self) -> None:
        """Do nothing."""


@pytest.mark.slow  # a run of two processes
def test_a_run_of_two_processes_is_pruned_as_one(tmp_path: Path) -> None:
    words = (*TINY, "trainer=ddp", "trainer.devices=2", "data.batch_size=8", "test=false")
    source = Impatient(Job("trial", words, tmp_path / "trial", devices=2))
    with Screen(1, 1) as screen:
        Crew(source, Pool([], 1), Launch(), 1, screen).run()
    log = (tmp_path / "trial" / "log.txt").read_text()
    assert source.outcome.status == "pruned", log
    assert [epoch for epoch, _ in source.epochs] == [0]
    assert log.count("osteon: pruned after epoch 0") == 1
    assert log.count("osteon: job ") == 1
    assert not (tmp_path / "trial" / "result.json").exists()
