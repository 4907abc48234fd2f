"""Real runs under a launcher: pruned ones end cleanly, test is left out and made up for, a killed grid is completed."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
import pytest
from tests.composing import SMALL
from tests.launch.test_grid import wait_for

from osteon import launched, train

Command = Callable[..., int]
TINY = [*(word for word in SMALL if "patients" not in word), "phantom.patients=40"]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    """Return train.py in this process: words -> exit status."""
    monkeypatch.chdir(tmp_path)

    def call(*words: str) -> int:
        monkeypatch.setattr(sys, "argv", ["train.py", *words])
        try:
            train.main()
        except SystemExit as stop:
            return int(stop.code or 0)
        return 0

    return call


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
    script = Path(__file__).parents[2] / "train.py"
    words = [sys.executable, str(script), "-m", *TINY, "trainer.max_epochs=1", "seed=0,1,2", "launch.jobs=1"]
    first = subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.DEVNULL)
    sweep = tmp_path / "runs" / "sweeps" / "hip_fracture"
    wait_for(lambda: len(list(sweep.glob("*/result.json"))) >= 1, 600)
    first.kill()
    first.wait()
    done = {file: file.stat().st_mtime_ns for file in sweep.glob("*/result.json")}
    last = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False, env=os.environ.copy())
    assert last.returncode == 0, last.stdout + last.stderr
    assert len(list(sweep.glob("*/result.json"))) == 3
    assert all(file.stat().st_mtime_ns == before for file, before in done.items())
