"""`train.py -m`, `sweep=` and their faults, through Hydra, with stubs in the place of runs."""

import json
import stat
import sys
from pathlib import Path

import pytest
from tests.commands import Command


@pytest.fixture
def command(command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    """Return train.py in this process; its children are stubs."""
    shim = tmp_path / "python"
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "{Path(__file__).with_name("shim.py")}" "$@"\n')
    shim.chmod(shim.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("SHIM_PYTHON", sys.executable)
    monkeypatch.setenv("SHIM_CALLS", str(tmp_path / "calls"))
    monkeypatch.setattr("osteon.launch.jobs.sys.executable", str(shim))
    return command


def calls(folder: Path) -> list[list[str]]:
    file = folder / "calls"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.is_file() else []


def test_a_multirun_is_a_process_a_job(command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("-m", "seed=0,1", "optimizer.lr=0.2", "launch.jobs=2", "hydra.verbose=false") == 0
    said = calls(tmp_path)
    assert len(said) == 2
    assert all(one[:2] == ["-m", "osteon.train"] for one in said)
    assert {word for one in said for word in one if word.startswith("seed=")} == {"seed=0", "seed=1"}
    assert not any(word.startswith("launch") for one in said for word in one), "a run is told nothing of its launcher"
    folder = tmp_path / "runs" / "sweeps" / "hip_fracture"
    assert len(list(folder.glob("*/result.json"))) == 2
    assert not (folder / "multirun.yaml").exists(), "Hydra would leave private places there"
    assert command("-m", "seed=0,1,2", "optimizer.lr=0.2") == 0
    assert len(calls(tmp_path)) == 3, "a grid that grew runs what is new"
    assert "2 of 3 jobs are finished already" in capsys.readouterr().out


def test_failed_jobs_end_in_a_table(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SHIM_FAIL", "1")
    assert command("-m", "seed=0,1") == 1
    said = capsys.readouterr()
    assert "made to fail" in said.out
    assert "2 of 2 jobs have no result" in said.err
    assert "Traceback" not in said.out + said.err
    assert command("-m", "seed=0,1") == 0, "they are gone on with"
    assert sum(any(word.startswith("resume=") for word in one) for one in calls(tmp_path)) == 2


def test_a_search_is_a_command(command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["sweep=optuna", "sweep.trials=4", "sweep.pruner=none", "sweep.space.augment=null", "trainer.max_epochs=2"]
    assert command(*words, "sweep.final=false") == 0
    folder = tmp_path / "runs" / "sweeps" / "hip_fracture_search"
    assert sorted(file.parent.name for file in folder.glob("*/result.json")) == [f"trial-000{n}" for n in range(4)]
    assert all("test=false" in one for one in calls(tmp_path)), "no trial looks at test"
    assert {"history.png", "importance.png", "trials.csv"} <= {file.name for file in folder.iterdir()}
    said = capsys.readouterr().out
    assert "best trial" in said
    line = next(line for line in said.splitlines() if "python train.py" in line)
    assert "optimizer.lr=" in line
    assert "test=false" not in line
    assert "augment" not in line, "null takes a setting out of the space"
    assert command(*words[:1], "sweep.trials=6", *words[2:]) == 0
    assert len([one for one in calls(tmp_path) if "test=false" in one]) == 6, "two more, not six"
    said = capsys.readouterr().out
    assert "4 of 6 trials are finished already" in said
    assert "6 of 6 jobs, best" in said, "those of the first call are counted, and the best of all is shown"


def test_the_best_trial_alone_predicts_test(command: Command, tmp_path: Path) -> None:
    assert (
        command("sweep=optuna", "sweep.trials=3", "sweep.pruner=none", "sweep.space={optimizer.lr:{low:0.1,high:0.9}}")
        == 0
    )
    folder = tmp_path / "runs" / "sweeps" / "hip_fracture_search"
    assert [one["trial"] for one in json.loads((folder / "tested.json").read_text())] != []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-m", "trainer.max_epochs=1,x"], "found 'x', expected a whole number. (job trainer.max_epochs=x)"),
        (["-m", "trainer.max_epoch=1,2"], "Did you mean 'max_epochs'"),
        (["-m", "seed=range(3,3)"], "an empty grid"),
        (["-m", "seed=0,1", "data.folds=3"], "a job is one fold. Say data.fold=0,1,2"),
        (["sweep=optuna", "data.folds=3"], "a search averages over sweep.folds=3"),
        (["-m", "seed=0,1", "launch.job=2"], "Did you mean 'jobs'"),
        (["-m", "seed=0,1", "launch.devices=x"], "launch.devices: found 'x'"),
        (["-m", "seed=0,1", "data.root=/nowhere"], "data.root: there is no such folder"),
        (["sweep=optuna", "sweep.space={optimizer.lrr:[1,2]}"], "optimizer.lrr: no such key. Did you mean"),
        (["sweep=optuna", "sweep.space={optimizer.lr:{low:-1.0,high:1.0}}"], "must hold for `log=True`"),
        (["sweep=optuna", "++sweep.space.optimizer.momentum=[-1.0]"], "optimizer.momentum: found -1.0"),
        (["sweep=optuna", "sweep.space={backbone:[resnet19]}"], "sweep.space.backbone: "),
        (["sweep=optuna", "sweep.metric=val/hip_fracture/kapp"], "no epoch logs"),
        (["sweep=optuna", "sweep.metric=test/hip_fracture/auroc"], "Nothing is tuned on test"),
        (["sweep=optuna", "sweep.seeds=[0]", "sweep.folds=3"], "choose one of them"),
        (["sweep=optuna", "sweep.storage=trials.txt"], "expected a path ending in .db or .journal"),
        (["sweep=optuna", "sweep.sampler=grid"], "a grid needs values"),
        (["ablation=bone_age_sex", "seed=0,1"], "ablation.seeds=[0,1,2]"),
        (["ablation=bone_age_sex", "covariates=[]"], "'covariates: without sex' is 'with sex' itself"),
        (["ablation=bone_age_sex", "ablation.metric=mea"], "Did you mean 'mae'"),
        (["ablation=bone_age_sex", "sweep=optuna"], "Run one after the other"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_before_any_job(
    command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert command(*words) == 2
    said = capsys.readouterr()
    assert message in said.err
    assert "Traceback" not in said.err
    assert calls(tmp_path) == []


def test_a_storage_of_another_search_is_named_before_any_job(
    command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["sweep=optuna", "sweep.trials=1", "sweep.storage=all.journal", "sweep.final=false", "launch.name=s"]
    assert command(*words) == 0
    before = calls(tmp_path)
    for changed in ("task=mura", "sweep.space.optimizer.lr=[0.1]", "sweep.seeds=[0,1]", "trainer.max_epochs=3"):
        assert command(*words, "sweep.trials=2", changed) == 2
        said = capsys.readouterr()
        assert "all.journal holds another study named 's'" in said.err
        assert "launch.name=<name>" in said.err
        assert "Traceback" not in said.err
    assert calls(tmp_path) == before


def test_ranks_do_not_sweep(
    command: Command, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = {"TORCHELASTIC_RUN_ID": "a", "RANK": "1", "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "LOCAL_RANK": "1"}
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    assert command("-m", "seed=0,1", "hydra.sweep.dir=here") == 2
    assert "torchrun has started 2 processes alike, and each would run all jobs" in capsys.readouterr().err
