"""W&B sweeps: files of ours are right by W&B's own schema and by ours; faults are named without a server."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from tests.composing import SMALL
from tests.run.wandb_file import runs

from osteon.compose import conf_dir
from osteon.errors import OsteonError
from osteon.launch.wandb_sweep import ARGUMENTS, read, run_agent, values

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


def suggested(said: dict[str, Any], source: str, scores: list[float]) -> dict[str, Any]:
    """Return the values of the next run: both ends in turn, or what W&B's own search says after runs with scores."""
    if source == "ends":
        return {key: values(about, key)[len(scores)] for key, about in said["parameters"].items()}
    sweeps = pytest.importorskip("sweeps", reason="W&B's package of its search; it asks for numpy 1")
    done: list[Any] = []
    for score in scores:
        run = sweeps.next_run(said, done)
        run.state, run.name = sweeps.run.RunState.finished, str(len(done))
        run.summary_metrics = {said["metric"]["name"]: score}
        run.history = [run.summary_metrics]
        done.append(run)
    return {key: np.asarray(one["value"]).item() for key, one in sweeps.next_run(said, done).config.items()}


@pytest.mark.slow  # two runs, each started by W&B's agent
@pytest.mark.parametrize("source", ["ends", "wandb"])
def test_wandbs_agent_trains_with_what_wandb_suggests(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wandb.wandb_agent import Agent

    said, scores = read(Path("hip_fracture")), list[float]()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")  # the agent says `python`
    monkeypatch.setenv("WANDB_SWEEP_ID", "sweep1")
    agent = Agent(api=None, queue=None, sweep_id="sweep1")  # type: ignore[no-untyped-call]
    agent._sweep_command = [*said["command"][:-1], *SMALL, said["command"][-1]]
    for name in ("run00001", "run00002"):
        given = suggested(said, source, scores)
        agent._command_run(
            {"run_id": name, "program": said["program"], "args": {key: {"value": one} for key, one in given.items()}}
        )  # type: ignore[no-untyped-call]
        assert agent._run_processes[name].wait() == 0
        (folder,) = [
            file.parent for file in tmp_path.glob("runs/*/result.json") if name in str([*file.parent.glob("wandb/*")])
        ]
        was = yaml.safe_load((folder / "config.yaml").read_text())["optimizer"]
        assert (was["lr"], was["weight_decay"]) == (given["optimizer.lr"], given["optimizer.weight_decay"])
        (logged,) = runs(folder)
        assert (logged.about.run_id, logged.about.sweep_id) == (name, "sweep1")
        assert (logged.about.run_group, logged.about.tags[-1]) == ("sweep_hip_fracture", "sweep")
        scores.append(max(value for _, value in logged.curve("val/monitor")))
        assert not (folder / "predictions" / "test.parquet").exists(), "nothing is tuned on test"


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
    assert read(written(tmp_path))["program"] == "train.py", "W&B's agent fails without"
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
