import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics as sk

from osteon.errors import OsteonError
from osteon.predictions import TaskFacts, write
from osteon.scoring.folds import load, score_runs
from osteon.scoring.thresholds import Threshold, fit, freeze
from osteon.scoring.units import units

Frame = Callable[..., pd.DataFrame]
Make = Callable[..., Path]
FACTS = {"mura": TaskFacts(unit="study", groups=("body_part",))}


@pytest.fixture
def run(tmp_path: Path, frame: Frame) -> Make:
    def make(fold: int, folds: int = 3, first: int | None = None, **about: Any) -> Path:
        folder = tmp_path / f"run{len(list(tmp_path.iterdir()))}"
        start = 1000 * fold if first is None else first
        described = {"name": folder.name, "fold": fold, "folds": folds, "seed": 0, "backbone": "resnet18"} | about
        for split, studies in (("val", 30), ("test", 40)):
            part = frame(studies, split=split, seed=fold, first=start)
            # A study that nobody labelled: predicted, never scored.
            part.loc[part["study_id"] == "study3", "target"] = np.nan
            write(folder / "predictions" / f"{split}.parquet", part, FACTS, described, {"test": "held out"})
            if split == "val":
                freeze(folder / "thresholds.json", {"mura": fit(units(part, FACTS["mura"]), FACTS["mura"])})
        (folder / "result.json").write_text(json.dumps({"source": "real"}))
        return folder

    return make


def one(table: pd.DataFrame, metric: str, point: str | None) -> pd.Series:
    rows = table[(table["metric"] == metric) & (table["group"] == "all") & (table["split"] == "test")]
    rows = rows[rows["operating_point"].isna() if point is None else rows["operating_point"] == point]
    assert len(rows) == 1
    return rows.iloc[0]


def test_folds_are_joined_each_with_its_own_threshold(run: Make) -> None:
    folders = [run(fold) for fold in (2, 0, 1)]
    table = score_runs(folders, replicates=50)
    target, mean, call = [], [], []
    for folder in folders:
        loaded = load(folder)
        test = loaded.predictions.frame.query("split == 'test'")
        studies = test.groupby("unit_id").agg({"target": "first", "probability": "mean"}).dropna()
        target += studies["target"].tolist()
        mean += studies["probability"].tolist()
        call += (studies["probability"] > loaded.thresholds["mura"].value).tolist()
    assert one(table, "auroc", None)["value"] == pytest.approx(sk.roc_auc_score(target, mean), abs=1e-6)
    frozen = one(table, "kappa", "frozen")
    assert frozen["value"] == pytest.approx(sk.cohen_kappa_score(target, call), abs=1e-6)
    assert frozen["note"] == "each fold's own threshold"
    assert pd.isna(frozen["threshold"])
    expected = sk.cohen_kappa_score(target, np.array(mean) > 0.5)
    assert one(table, "kappa", "protocol")["value"] == pytest.approx(expected, abs=1e-6)
    assert frozen["n"] == 117
    assert frozen["split_name"] == "held out, 3 folds joined"
    assert set(table["run"]) == {f"{folders[0].name} ... {folders[-1].name}"}
    assert set(table["split"]) == {"test"}


def test_runs_that_are_no_folds_stay_apart(run: Make) -> None:
    folders = [run(0, folds=1), run(0, folds=1, seed=1)]
    table = score_runs(folders, replicates=20)
    assert table["run"].unique().tolist() == [folder.name for folder in folders]
    assert set(table["split"]) == {"val", "test"}
    assert table.loc[table["operating_point"] == "frozen", "threshold"].notna().all()


def test_sets_of_two_seeds_are_joined_apart(run: Make) -> None:
    folders = [run(fold, folds=2, seed=seed) for seed in (0, 1) for fold in (0, 1)]
    table = score_runs([*folders, folders[0]], replicates=20)
    assert table["run"].nunique() == 2
    assert (table.loc[table["group"] == "all", "n"] == 78).all()


def test_one_fold_may_be_scored_alone(run: Make) -> None:
    folder = run(1)
    assert set(score_runs([folder], replicates=20)["run"]) == {folder.name}


def test_what_does_not_fit_is_refused(run: Make) -> None:
    with pytest.raises(OsteonError, match=r"folds 2 of 3 are missing beside 0, 1"):
        score_runs([run(0), run(1)])
    with pytest.raises(OsteonError, match="one fold is given twice"):
        score_runs([run(fold, seed=9) for fold in (0, 1, 2, 2)])
    with pytest.raises(OsteonError, match=r"units are in the test tables of several folds.*val only"):
        score_runs([run(fold, folds=2, first=0, seed=8) for fold in (0, 1)])


@pytest.mark.parametrize("name", ["result.json", "thresholds.json", "predictions/test.parquet"])
def test_an_unfinished_run_is_named(run: Make, name: str) -> None:
    folder = run(0)
    (folder / name).unlink()
    with pytest.raises(OsteonError, match=f"{folder.name}: not the folder of a finished run, it lacks {name}"):
        score_runs([folder])


@pytest.mark.parametrize("content", ["{", "[1, 2]"])
def test_a_broken_result_is_named(run: Make, content: str) -> None:
    folder = run(0)
    (folder / "result.json").write_text(content)
    with pytest.raises(OsteonError, match=r"result\.json"):
        load(folder)


def test_foreign_folders(tmp_path: Path) -> None:
    with pytest.raises(OsteonError, match="no such run folder"):
        score_runs([tmp_path / "none"])
    with pytest.raises(OsteonError, match=r"it lacks predictions/test\.parquet, thresholds\.json, result\.json"):
        score_runs([tmp_path])
    with pytest.raises(OsteonError, match="no run folder to score"):
        score_runs([])


def test_frozen_thresholds_are_read_not_fitted_again(run: Make) -> None:
    folder = run(0, folds=1)
    freeze(folder / "thresholds.json", {"mura": Threshold("youden", 0.123, "val", 30, 15)})
    table = score_runs([folder], replicates=20)
    assert set(table.loc[table["operating_point"] == "frozen", "threshold"]) == {0.123}
