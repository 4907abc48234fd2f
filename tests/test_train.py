"""The command line: faults end in one message and status 2, before torch is imported."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

# Hydra first imports the application, then composes; a module named torch that cannot be imported proves the order.
BLOCK = (
    "import sys; sys.modules['torch'] = None; sys.modules['pandas'] = None; import osteon.train; osteon.train.main()"
)


def call(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", BLOCK, *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, env=os.environ.copy())


CASES = [
    ("trainer.max_epochs=ten", "trainer.max_epochs: found 'ten', expected a whole number"),
    ("trainer=null", "trainer: found null, expected a file of conf/trainer"),
    ("task=hip_fractur", "Did you mean 'hip_fracture'"),
    ("backbone=resnet19", "Did you mean 'resnet18'"),
    ("trainer.max_epoch=3", "Did you mean 'max_epochs'"),
    ("++trainer.max_epoch=3", "Did you mean 'max_epochs'"),
    ("+lrr=0.1", "lrr: no such key"),
    ("data.roots.mura=3", "data.roots.mura: found 3, expected text"),
    ("backbone=timm", "backbone.name"),
    ("seed", "seed: is no setting; expected key=value"),
]


@pytest.mark.parametrize(("word", "message"), CASES)
def test_fault_ends_in_its_message(tmp_path: Path, word: str, message: str) -> None:
    done = call(tmp_path, word)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("osteon: ")
    assert done.stdout == ""


def test_typo_inside_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "my" / "trainer").mkdir(parents=True)
    (tmp_path / "my" / "trainer" / "mine.yaml").write_text("defaults: [default]\nmax_epoch: 3\n")
    done = call(tmp_path, "--config-dir", "my", "trainer=mine")
    assert done.returncode == 2
    assert "trainer.max_epoch: no such key. Did you mean 'max_epochs'?" in done.stderr


def test_options_may_follow_overrides(tmp_path: Path) -> None:
    (tmp_path / "my" / "trainer").mkdir(parents=True)
    (tmp_path / "my" / "trainer" / "mine.yaml").write_text("defaults: [default]\nmax_epochs: 3\n")
    done = call(tmp_path, "task=mura", "--config-dir", "my", "trainer=mine", "--cfg", "job")
    assert done.returncode == 0, done.stderr
    assert "max_epochs: 3" in done.stdout


def test_run_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = call(tmp_path, "hydra.run.dir=file/run")
    assert done.returncode == 2
    assert "Name another folder: hydra.run.dir=<path>" in done.stderr


def test_a_failed_start_leaves_no_folder(tmp_path: Path) -> None:
    call(tmp_path, "trainer.max_epochs=ten")
    assert list((tmp_path / "runs").iterdir()) == []


@pytest.mark.parametrize("word", ["--help", "--cfg=job"])
def test_help_and_config_need_no_torch(tmp_path: Path, word: str) -> None:
    done = call(tmp_path, *word.split("="))
    assert done.returncode == 0, done.stderr
    assert "hip_fracture" in done.stdout
