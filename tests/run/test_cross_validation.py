"""`data.folds` alone: every fold once, in a process of its own, then one table; finished folds are not trained anew."""

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
import yaml
from tests.composing import SMALL, config

from osteon.errors import OsteonError
from osteon.run import folds
from osteon.scoring.folds import score_runs

FOLDS = ("data.folds=3", *SMALL)


def left(place: Path, fold: int, best: float, whole: bool = True) -> None:
    """Leave what a fold's run does."""
    place.mkdir(parents=True)
    told = config(*FOLDS, f"data.fold={fold}").model_dump(mode="json", exclude={"resume"})
    (place / "config.yaml").write_text(yaml.safe_dump(told))
    if whole:
        (place / "predictions").mkdir()
        for name in ("predictions/val.parquet", "predictions/test.parquet", "thresholds.json", "model.pt"):
            (place / name).touch()
        (place / "result.json").write_text(json.dumps({"training": {"best_monitor": best}, "audit": {}}))


def test_finished_folds_are_skipped_and_a_begun_one_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left(tmp_path / "fold0", 0, 0.5)
    left(tmp_path / "fold1", 1, 0.7, whole=False)
    begun, scored = list[Sequence[str]](), list[Sequence[Path]]()

    def train(command: Sequence[str], place: Path) -> None:
        begun.append(command)
        fold = int(place.name.removeprefix("fold"))
        shutil.rmtree(place, ignore_errors=True)
        left(place, fold, 0.1 * fold)

    monkeypatch.setattr(folds, "_run", train)
    monkeypatch.setattr(folds, "_score", lambda _, __, places: scored.append(places))
    best = folds.cross_validate(config(*FOLDS), tmp_path, ["task=hip_fracture", "hydra.run.dir=elsewhere"])
    assert best == pytest.approx((0.5 + 0.1 + 0.2) / 3)
    assert [command[3:] for command in begun] == [
        ["task=hip_fracture", "data.fold=1", f"resume='{tmp_path / 'fold1'}'"],
        ["task=hip_fracture", "data.fold=2", f"hydra.run.dir='{tmp_path / 'fold2'}'"],
    ]
    assert scored == [[tmp_path / f"fold{fold}" for fold in range(3)]]


def test_folds_of_other_settings_are_not_joined(tmp_path: Path) -> None:
    left(tmp_path / "fold0", 0, 0.5)
    with pytest.raises(OsteonError, match=r"these differ:\s+optimizer.lr: the run has"):
        folds.cross_validate(config(*FOLDS, "optimizer.lr=0.5"), tmp_path, [])


def test_a_failed_fold_stops_with_the_way_on(tmp_path: Path) -> None:
    with pytest.raises(OsteonError, match=rf"fold2: ended with exit status 3.*hydra.run.dir={tmp_path}"):
        folds._run([sys.executable, "-c", "raise SystemExit(3)"], tmp_path / "fold2")


@pytest.mark.slow  # two trainings, each with its own import of torch
def test_the_joined_table_is_that_of_osteon_score(project: Path, tmp_path: Path) -> None:
    words = [*SMALL, "trainer.max_epochs=1", "data.folds=2", f"hydra.run.dir={tmp_path}"]
    done = subprocess.run([sys.executable, "train.py", *words], cwd=project, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 folds joined" in " ".join(pd.read_csv(tmp_path / "scores.csv")["split_name"].unique())
    written = pd.read_csv(tmp_path / "scores.csv")
    again = score_runs([tmp_path / "fold0", tmp_path / "fold1"], replicates=100)
    pd.testing.assert_series_equal(written["value"], again["value"].astype(float), check_names=False)
    before = (tmp_path / "fold0" / "result.json").stat().st_mtime_ns
    again_done = subprocess.run([sys.executable, "train.py", *words], cwd=project, capture_output=True, text=True)
    assert again_done.returncode == 0
    assert (tmp_path / "fold0" / "result.json").stat().st_mtime_ns == before


def test_folds_that_do_not_look_at_test_are_finished_without_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for fold in range(3):
        left(tmp_path / f"fold{fold}", fold, 0.25 * fold)
        (tmp_path / f"fold{fold}" / "predictions" / "test.parquet").unlink()
    assert folds.cross_validate(config(*FOLDS, "test=false"), tmp_path, []) == pytest.approx(0.25)
    assert "best validation scores 0.0000, 0.2500, 0.5000; test=false" in capsys.readouterr().out
