"""W&B sweeps: files of ours are right by W&B's own schema and by ours; faults are named without a server."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from osteon.compose import conf_dir
from osteon.errors import OsteonError
from osteon.launch.wandb_sweep import ARGUMENTS, read, run_agent

OURS = sorted((conf_dir() / "sweep" / "wandb").glob("*.yaml"))
GOOD: dict[str, Any] = {
    "method": "bayes",
    "metric": {"name": "val/monitor", "goal": "maximize"},
    "parameters": {"optimizer.lr": {"min": 0.001, "max": 0.1}},
    "command": ["python", "train.py", "logger=wandb", ARGUMENTS],
}


def written(folder: Path, **changed: Any) -> Path:
    said = {key: value for key, value in (GOOD | changed).items() if value is not ...}
    (folder / "s.yaml").write_text(yaml.safe_dump(said))
    return folder / "s.yaml"


@pytest.mark.parametrize("file", OURS, ids=lambda file: file.stem)
def test_a_file_of_ours_is_right(file: Path) -> None:
    said = read(Path(file.stem))
    assert said["name"] == file.stem
    assert "test=false" in said["command"], "nothing is tuned on test"
    assert any(word.startswith("logger.wandb.group=") for word in said["command"])
    assert any(word.startswith("logger.wandb.tags=") for word in said["command"])


@pytest.mark.parametrize("file", OURS, ids=lambda file: file.stem)
def test_a_file_of_ours_fits_the_schema_of_wandb(file: Path) -> None:
    config = pytest.importorskip("sweeps.config", reason="W&B's package of its sweep schema; it asks for numpy 1")
    assert config.schema_violations_from_proposed_config(yaml.safe_load(file.read_text())) == []


def test_wandb_hands_over_what_hydra_takes() -> None:
    from wandb.sdk.launch.sweeps.utils import create_sweep_command_args

    said = create_sweep_command_args({"args": {"optimizer.lr": {"value": 1e-05}, "augment": {"value": "none"}}})
    assert said[ARGUMENTS.strip("${}")] == ["optimizer.lr=1e-05", "augment=none"]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"method": "bayse"}, "method: "),
        ({"metrik": {}}, "metrik: .*Did you mean 'metric'"),
        ({"metric": ...}, "method bayes needs one"),
        ({"metric": {"name": "val/auroc", "goal": "maximize"}}, "metric.name: no run logs 'val/auroc'"),
        ({"metric": {"name": "val/monitor", "goal": "max"}}, "metric.goal: "),
        ({"parameters": {"optimizer.lrr": {"values": [1.0]}}}, "parameters.optimizer.lrr: .*no such key"),
        ({"parameters": {"optimizer.lr": {"values": [-1.0]}}}, "parameters.optimizer.lr: optimizer.lr: found -1.0"),
        ({"parameters": {"optimizer.lr": {"min": 2, "max": 1}}}, "expected value, values, or min"),
        ({"parameters": {}}, "parameters: "),
        ({"command": ["train.py", "logger=wandb", "${args}"]}, "command: lacks"),
        ({"command": ["train.py", ARGUMENTS]}, "lacks logger=wandb"),
    ],
)
def test_a_fault_is_named(tmp_path: Path, changed: dict[str, Any], message: str) -> None:
    read(written(tmp_path))
    with pytest.raises(OsteonError, match=message):
        read(written(tmp_path, **changed))


def test_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(OsteonError, match="Did you mean 'hip_fracture'"):
        read(tmp_path / "hip_fractur")


def test_no_key_is_said_before_a_server_is_asked(tmp_path: Path) -> None:
    with pytest.raises(OsteonError, match="Set WANDB_API_KEY"):
        run_agent(written(tmp_path), 1, "osteon", None)


def test_the_command_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "osteon.cli", "sweep", "wandb", "hip_fracture", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ.copy())
    assert done.returncode == 0, done.stderr
    assert "every key, value and metric is one of ours" in done.stdout
