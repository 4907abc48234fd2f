"""TensorBoard and MLflow through Lightning's loggers: told settings, curves and scores; absent, named early."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.composing import config

from osteon.errors import OsteonError
from osteon.run.check import check_names
from osteon.run.loggers import open_loggers
from osteon.run.trackers import RUN_ID, log_summary

SCORES = pd.DataFrame(
    {
        "group": ["all"],
        "value": [0.75],
        "split": ["test"],
        "task": ["hip"],
        "metric": ["kappa"],
        "operating_point": ["frozen"],
    }
)


def test_tensorboard(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="an extra")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    with open_loggers(config("logger=tensorboard"), tmp_path / "run") as loggers:
        loggers[-1].log_metrics({"val/monitor": 0.5}, step=3)
        log_summary(loggers, SCORES)
    found = EventAccumulator(str(tmp_path / "run" / "tensorboard"))
    found.Reload()
    assert [(one.step, one.value) for one in found.Scalars("val/monitor")] == [(3, 0.5)]
    assert found.Scalars("result/test/hip/kappa.frozen")[0].value == 0.75


def test_mlflow_goes_on_in_its_run_and_says_how_it_ended(tmp_path: Path) -> None:
    mlflow = pytest.importorskip("mlflow", reason="an extra")
    file = tmp_path / "store" / "m.db"
    settings = config("logger=mlflow", f"logger.mlflow.file={file}")
    hidden = {"data": {"root": "p-1"}}

    def redact(said: Any) -> Any:
        return {**said, **hidden}

    def fail() -> None:
        with open_loggers(settings, tmp_path / "run", redact=redact) as loggers:
            loggers[-1].log_metrics({"val/monitor": 0.5}, step=3)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    client = mlflow.MlflowClient(f"sqlite:///{file}")
    run = client.get_run((tmp_path / "run" / RUN_ID).read_text().strip())
    assert run.info.status == "FAILED"
    assert run.data.params["data/root"] == "p-1"
    assert run.data.tags["mlflow.user"] == ""
    again = settings.model_copy(update={"resume": str(tmp_path / "run")})
    with open_loggers(again, tmp_path / "run") as loggers:
        loggers[-1].log_metrics({"val/monitor": 0.75}, step=6)
        log_summary(loggers, SCORES)
    run = client.get_run(run.info.run_id)
    assert run.info.status == "FINISHED"
    assert [one.value for one in client.get_metric_history(run.info.run_id, "val/monitor")] == [0.5, 0.75]
    assert run.data.metrics["result/test/hip/kappa.frozen"] == 0.75
    assert len(client.search_runs([run.info.experiment_id])) == 1


OPENING = """
import sys
from pathlib import Path
from tests.composing import config
from osteon.run.trackers import open_trackers
settings = config('logger=mlflow', f'logger.mlflow.file={sys.argv[1]}')
folder = Path(sys.argv[2])
folder.mkdir()
print('ready', flush=True)
sys.stdin.readline()
open_trackers(settings, folder, 'phantom', dict, False)
"""


@pytest.mark.slow  # three processes that import MLflow
def test_jobs_that_start_at_once_share_a_new_file(tmp_path: Path, project: Path) -> None:
    mlflow = pytest.importorskip("mlflow", reason="an extra")
    places = [tmp_path / "m.db", *(tmp_path / f"run{number}" for number in range(3))]
    jobs = [
        subprocess.Popen(
            [sys.executable, "-c", OPENING, str(places[0]), str(place)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, cwd=project,
        )
        for place in places[1:]
    ]  # fmt: skip
    for job in jobs:
        assert job.stdout is not None
        assert job.stdout.readline() == "ready\n"
    for job in jobs:
        assert job.stdin is not None
        job.stdin.write("go\n")
        job.stdin.flush()
    said = [job.communicate(timeout=300)[1] for job in jobs]
    assert [job.returncode for job in jobs] == [0, 0, 0], said
    client = mlflow.MlflowClient(f"sqlite:///{places[0]}")
    (experiment,) = (one for one in client.search_experiments() if one.name.startswith("hip_fracture"))
    assert {run.info.run_name for run in client.search_runs([experiment.experiment_id])} == {"run0", "run1", "run2"}


def test_a_file_that_is_no_store_is_named(tmp_path: Path) -> None:
    pytest.importorskip("mlflow", reason="an extra")
    (tmp_path / "m.db").write_bytes(b"no store\n" * 500)
    settings = config("logger=mlflow", f"logger.mlflow.file={tmp_path / 'm.db'}")
    with (
        pytest.raises(OsteonError, match=r"logger.mlflow.file: .*m.db cannot be used"),
        open_loggers(settings, tmp_path),
    ):
        pass


@pytest.mark.parametrize("name", ["tensorboard", "mlflow"])
def test_what_is_not_installed_is_named_before_torch(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr("osteon.run.check.find_spec", lambda _: None)
    with pytest.raises(OsteonError, match=rf"logger={name}: is not installed. Run: pip install 'osteon\[{name}\]'"):
        check_names(config(f"logger={name}"))


def test_several_at_once() -> None:
    several = config("logger=[wandb,tensorboard,mlflow]").logger
    assert several.wandb is not None
    assert several.tensorboard is not None
    assert several.mlflow is not None
    assert config().logger.wandb is None
