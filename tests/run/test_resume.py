"""An interrupted run goes on to the very numbers of an uninterrupted one, or says why it cannot."""

import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
import yaml
from filelock import FileLock
from tests.commands import Command
from tests.composing import SMALL

from osteon.errors import OsteonError
from osteon.module import OsteonModule
from osteon.run.checkpoints import load
from osteon.run.resume import continued

WORDS = [*(word for word in SMALL if "max_epochs" not in word), "trainer.max_epochs=3"]


class Interrupt:
    """Raise in the n-th training step, as Ctrl-C does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
        self.left, plain = step, OsteonModule.training_step

        def training_step(module: OsteonModule, batch: Any, batch_idx: int) -> torch.Tensor:
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt
            return plain(module, batch, batch_idx)

        monkeypatch.setattr(OsteonModule, "training_step", training_step)


@pytest.fixture
def interrupted(command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return a run that was stopped in its second epoch."""
    with monkeypatch.context() as patch:
        Interrupt(patch, step=6)
        assert command(*WORDS, f"hydra.run.dir={tmp_path / 'run'}") == 130
    assert load(tmp_path / "run" / "checkpoints" / "last.ckpt")["epoch"] == 0
    return tmp_path / "run"


def outcome(folder: Path) -> tuple[list[pd.DataFrame], Any, str]:
    tables = [pd.read_parquet(folder / "predictions" / f"{split}.parquet") for split in ("val", "test")]
    return tables, json.loads((folder / "result.json").read_text())["scores"], (folder / "metrics.csv").read_text()


@pytest.mark.parametrize("moved", [False, True])
def test_goes_on_to_the_numbers_of_an_uninterrupted_run(
    interrupted: Path, command: Command, tmp_path: Path, moved: bool
) -> None:
    if moved:
        interrupted = interrupted.rename(tmp_path / "moved = run, 2")
    curves = (interrupted / "metrics.csv").read_text()
    (interrupted / "metrics.csv").write_text(curves + "1,7,0.4")  # a line cut off
    (interrupted / "checkpoints" / ".last.ckpt.99.part").write_bytes(b"half")
    assert command(f"resume={interrupted}") == 0
    assert command(*WORDS, f"hydra.run.dir={tmp_path / 'whole'}") == 0
    (tables, scores, rows), (expected, expected_scores, expected_rows) = map(outcome, (interrupted, tmp_path / "whole"))
    for table, other in zip(tables, expected, strict=True):
        pd.testing.assert_frame_equal(table, other, check_exact=True)
    assert scores == expected_scores
    assert rows == expected_rows
    assert list(interrupted.rglob(".*")) == [], "no draft and no lock is left"


def test_a_finished_run_says_so_and_is_left_alone(
    command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    assert command(*WORDS, f"hydra.run.dir={run}") == 0
    before = {file: file.stat().st_mtime_ns for file in run.rglob("*")}
    capsys.readouterr()
    assert command(f"resume={run}") == 0
    assert f"{run} is finished, there is nothing to do" in capsys.readouterr().out
    assert {file: file.stat().st_mtime_ns for file in run.rglob("*")} == before
    assert command(f"resume={run}", "optimizer.lr=0.5") == 2, "a change is told also of a finished run"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["optimizer.lr=0.5"], ["optimizer.lr: the run has 0.0003, found 0.5"]),
        (["backbone=resnet50"], ["backbone.name: the run has 'test_resnet', found 'resnet50"]),
        (["trainer.max_epochs=9"], ["trainer.max_epochs: the run has 3, found 9"]),
        (["seed=1", "data.batch_size=8"], ["seed: the run has 0, found 1", "data.batch_size: the run has 16, found 8"]),
        (["task=mura"], ["tasks.hip_fracture", "tasks.mura"]),
    ],
)
def test_other_settings_are_named(
    interrupted: Path, command: Command, capsys: pytest.CaptureFixture[str], words: list[str], said: list[str]
) -> None:
    assert command(f"resume={interrupted}", *words) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("osteon: resume: a run goes on with the settings it began with")
    assert all(part in shown for part in said), shown


def without_predictions(run: Path) -> None:
    (run / "predictions" / "test.parquet").unlink()


def without_audit(run: Path) -> None:
    """As if killed after the scores were written, while the audit was made."""
    said = json.loads((run / "result.json").read_text())
    del said["audit"]
    (run / "result.json").write_text(json.dumps(said))
    (run / "audit.csv").unlink()


@pytest.mark.parametrize("lose", [without_predictions, without_audit])
def test_what_a_finished_run_has_lost_is_made_again(
    command: Command, tmp_path: Path, lose: Callable[[Path], None]
) -> None:
    run = tmp_path / "run"
    assert command(*WORDS, f"hydra.run.dir={run}") == 0
    before = pd.read_parquet(run / "predictions" / "test.parquet")
    lose(run)
    assert command(f"resume={run}") == 0
    pd.testing.assert_frame_equal(pd.read_parquet(run / "predictions" / "test.parquet"), before, check_exact=True)
    assert "audit" in json.loads((run / "result.json").read_text())
    assert (run / "audit.csv").is_file()


def test_what_changes_no_number_may_change(interrupted: Path, command: Command, tmp_path: Path) -> None:
    assert command(f"resume={interrupted}", "data.workers=1", f"data.cache_dir={tmp_path / 'cache'}") == 0
    said = yaml.safe_load((interrupted / "config.yaml").read_text())
    assert said["data"]["workers"] == 1


def test_a_run_without_a_checkpoint_starts_from_its_first_epoch(interrupted: Path, command: Command) -> None:
    shutil.rmtree(interrupted / "checkpoints")
    assert command(f"resume={interrupted}") == 0
    assert json.loads((interrupted / "result.json").read_text())["training"]["resumed_at_epoch"] is None


def test_other_data_is_refused(interrupted: Path, command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    file = interrupted / "manifest.parquet"
    whole = pd.read_parquet(file)
    changed = whole.assign(fracture=1 - whole["fracture"])
    for frame, said in ((whole[1:], "1 are new"), (changed, f"{len(whole):,} images have another fracture")):
        frame.to_parquet(file, index=False)
        assert command(f"resume={interrupted}") == 2
        assert said in capsys.readouterr().err
    whole.to_parquet(file, index=False)
    split = interrupted / "split.json"
    split.write_text(split.read_text().replace('"pixels": "', '"pixels": "x'))
    assert command(f"resume={interrupted}") == 2
    assert "the files of some images have changed" in capsys.readouterr().err


def test_two_processes_do_not_write_one_run(
    interrupted: Path, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    with FileLock(interrupted / ".lock"):
        script = "import sys; from osteon import train; sys.argv[1:] = sys.argv[1:]; train.main()"
        done = subprocess.run(
            [sys.executable, "-c", script, f"resume={interrupted}"],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 2
    assert "another process is writing this run" in done.stderr


@pytest.mark.parametrize("name", ["last.ckpt", "best.ckpt"])
def test_a_hostile_checkpoint_runs_no_code(
    interrupted: Path, command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    class Hostile:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.system, (f"touch {tmp_path / 'owned'}",)

    if name == "best.ckpt":  # read after training, so the run must not train again
        content = torch.load(interrupted / "checkpoints" / "last.ckpt", weights_only=True)
        torch.save({**content, "epoch": 2}, interrupted / "checkpoints" / "last.ckpt")
    file = interrupted / "checkpoints" / name
    for write in (
        lambda: torch.save({"state_dict": Hostile()}, file),
        lambda: file.write_bytes(pickle.dumps(Hostile())),
    ):
        write()
        assert command(f"resume={interrupted}") == 2
        shown = capsys.readouterr().err
        assert f"{name}: " in shown
        assert "Traceback" not in shown
        assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04half", None, {"weights": 1}])
def test_a_damaged_checkpoint_is_named(
    interrupted: Path, command: Command, capsys: pytest.CaptureFixture[str], content: Any
) -> None:
    file = interrupted / "checkpoints" / "last.ckpt"
    if isinstance(content, dict):
        torch.save(content, file)
    else:
        file.write_bytes(file.read_bytes()[:-100] if content is None else content)
    assert command(f"resume={interrupted}") == 2
    assert f"{file}: " in (shown := capsys.readouterr().err)
    assert "Delete last.ckpt and start the run anew" in shown


def damaged(name: str, content: bytes) -> Callable[[Path], None]:
    def write(run: Path) -> None:
        (run / name).write_bytes(content)

    return write


def checkpoint_without(key: str) -> Callable[[Path], None]:
    def write(run: Path) -> None:
        file = run / "checkpoints" / "last.ckpt"
        content = torch.load(file, weights_only=True)
        left = {name: value for name, value in content.items() if name != key}
        torch.save({**content, "state_dict": {}} if key == "state_dict" else left, file)

    return write


def foreign(run: Path) -> None:
    file = run / "checkpoints" / "last.ckpt"
    torch.save({**torch.load(file, weights_only=True), "run": "another's"}, file)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (damaged("split.json", b"null"), "manifest.parquet or split.json is damaged"),
        (damaged("manifest.parquet", b"junk"), "manifest.parquet or split.json is damaged"),
        (damaged("config.yaml", b"data: [1]"), "config.yaml: damaged (data)"),
        (damaged("config.yaml", bytes(range(256))), "config.yaml: cannot be read"),
        (damaged("overrides.txt", bytes(range(256))), "overrides.txt: cannot be read"),
        (damaged("result.json", b"null"), "result.json: damaged"),
        *((checkpoint_without(key), "only a part of one") for key in ("callbacks", "loops", "optimizer_states")),
        (checkpoint_without("state_dict"), "its weights are not those of this model"),
        (foreign, "is of a run with other settings, images or seed"),
    ],
)
def test_a_damaged_run_ends_in_one_message(
    interrupted: Path,
    command: Command,
    capsys: pytest.CaptureFixture[str],
    damage: Callable[[Path], None],
    said: str,
) -> None:
    damage(interrupted)
    assert command(f"resume={interrupted}") == 2
    assert said in (shown := capsys.readouterr().err)
    assert "Traceback" not in shown


def test_a_run_that_stopped_early_does_not_train_on(command: Command, tmp_path: Path) -> None:
    run = tmp_path / "run"
    words = [*WORDS, "trainer.max_epochs=20", "callbacks.early_stopping=1", "optimizer.lr=1e-9", f"hydra.run.dir={run}"]
    assert command(*words) == 0
    before = outcome(run)
    facts = json.loads((run / "result.json").read_text())["training"]
    assert facts["stopped_early"]
    assert facts["epochs"] < 20
    for name in ("result.json", "model.pt"):  # as if killed between training and its end
        (run / name).unlink()
    assert command(f"resume={run}") == 0
    again = json.loads((run / "result.json").read_text())["training"]
    assert again == {**facts, "resumed_at_epoch": facts["epochs"]}
    for table, other in zip(before[0], outcome(run)[0], strict=True):
        pd.testing.assert_frame_equal(table, other, check_exact=True)


@pytest.mark.parametrize("made", [(), ("config.yaml",), ("overrides.txt",)])
def test_a_folder_without_a_run_is_named(tmp_path: Path, made: tuple[str, ...]) -> None:
    for name in made:
        (tmp_path / name).touch()
    with pytest.raises(OsteonError, match=r"holds no run that began \(.*missing\)\. Start it anew"):
        continued([f"resume={tmp_path}"])
    with pytest.raises(OsteonError, match="there is no folder"):
        continued([f"resume={tmp_path / 'none'}"])


def test_the_command_line_is_put_together_from_the_folder(tmp_path: Path) -> None:
    (tmp_path / "overrides.txt").write_text("--config-dir=/my\ntask=mura\n++data.roots.mura=x\nseed=3\ndata.root=rel\n")
    (tmp_path / "config.yaml").write_text("data: {root: /abs/it's here, roots: {mura: /m}, cache_dir: /c}\n")
    words = continued(["seed=4", f"resume={tmp_path}"])
    assert words == [
        "--config-dir=/my",
        "task=mura",
        "data.root='/abs/it\\'s here'",
        "data.cache_dir='/c'",
        "++data.roots.mura='/m'",
        "seed=4",
        f"resume='{tmp_path}'",
        f"hydra.run.dir='{tmp_path}'",
    ]


def test_a_group_that_is_said_again_drops_none_of_its_settings(tmp_path: Path) -> None:
    (tmp_path / "overrides.txt").write_text("trainer=ddp\ntrainer.devices=4\ntrainer.max_epochs=3\ndata.root=rel\n")
    (tmp_path / "config.yaml").write_text("data: {root: /abs}\n")
    words = continued(["trainer=ddp", "trainer.devices=2", "data.root=rel", f"resume={tmp_path}"])
    assert words[:4] == ["trainer=ddp", "trainer.max_epochs=3", "trainer.devices=2", "data.root=rel"]
    assert continued(["trainer=default", f"resume={tmp_path}"])[:2] == ["data.root='/abs'", "trainer=default"]


@pytest.mark.slow
def test_kill_at_twenty_random_moments(tmp_path: Path) -> None:
    script = Path(__file__).with_name("interrupting.py")
    environment = {**os.environ, "PYTHONPATH": str(script.parents[2])}
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path), "36", "0"],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    kills = [json.loads(line) for line in done.stdout.splitlines()]
    assert sum(kill["killed"] for kill in kills[9:]) >= 20
    assert [kill for kill in kills if kill["difference"]] == []
