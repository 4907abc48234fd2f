import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics as sk

from osteon.errors import OsteonError
from osteon.predictions import write
from osteon.scoring.folds import score_each, score_folds, score_runs
from osteon.scoring.runs import load
from osteon.scoring.show import to_markdown
from osteon.scoring.table import score
from osteon.scoring.thresholds import Threshold, freeze
from tests.scoring.drawn import AGE, FINDINGS, GRADE, ages, findings, graded

Make = Callable[..., Path]


def one(table: pd.DataFrame, metric: str, point: str | None) -> pd.Series:
    rows = table[(table["metric"] == metric) & (table["group"] == "all") & (table["split"] == "test")]
    rows = rows[rows["operating_point"].isna() if point is None else rows["operating_point"] == point]
    assert len(rows) == 1
    return rows.iloc[0]


def test_folds_are_joined_each_with_its_own_threshold(run: Make) -> None:
    folders = [run(fold) for fold in (2, 0, 1)]
    table = score_runs(folders, replicates=100)
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
    table = score_runs(folders, replicates=100)
    assert table["run"].unique().tolist() == [folder.name for folder in folders]
    assert set(table["split"]) == {"val", "test"}
    assert table.loc[table["operating_point"] == "frozen", "threshold"].notna().all()


def test_sets_of_two_seeds_are_joined_apart(run: Make) -> None:
    folders = [run(fold, folds=2, seed=seed) for seed in (0, 1) for fold in (0, 1)]
    table = score_runs([*folders, folders[0]], replicates=100)
    assert table["run"].nunique() == 2
    assert (table.loc[table["group"] == "all", "n"] == 78).all()


def test_one_fold_may_be_scored_alone(run: Make) -> None:
    folder = run(1)
    assert set(score_runs([folder], replicates=100)["run"]) == {folder.name}


def test_what_cannot_be_scored_is_named_and_the_others_are_scored(run: Make) -> None:
    good, bad = run(0, folds=1), run(0, folds=1, seed=1)
    told = load(bad)
    frame = told.predictions.frame
    rows = frame["unit_id"] == frame["unit_id"][frame.duplicated("unit_id")].iloc[0]
    frame.loc[rows, "target"] = np.arange(rows.sum()) % 2
    table, faults = score_each([load(good), told], replicates=100)
    assert table["run"].unique().tolist() == [good.name]
    assert len(faults) == 1
    assert str(faults[0]).startswith(f"{bad}: unit ")
    with pytest.raises(OsteonError, match="its images have different targets"):
        score_each([told], replicates=100)


def test_folds_of_other_settings_name_them(run: Make) -> None:
    folders = [run(fold, folds=2, settings=f"s{fold}") for fold in (0, 1)]
    for folder, rate in zip(folders, (0.1, 0.2), strict=True):
        (folder / "config.yaml").write_text(f"optimizer: {{lr: {rate}}}\ndata: {{fold: 0}}\n")
    with pytest.raises(OsteonError, match=r"differ in their settings .*: optimizer.lr is 0.1 and 0.2\), so|0.2, so"):
        score_runs(folders, replicates=100)


def test_what_does_not_fit_is_refused(run: Make) -> None:
    with pytest.raises(OsteonError, match=r"/\w+: folds 2 of 3 are missing beside 0, 1"):
        score_runs([run(0), run(1)])
    with pytest.raises(OsteonError, match="one fold is given twice"):
        score_runs([run(fold, seed=9) for fold in (0, 1, 2, 2)])
    with pytest.raises(OsteonError, match=r"units are in the test tables of several folds.*val only"):
        score_runs([run(fold, folds=2, first=0, seed=8) for fold in (0, 1)])


def test_frozen_thresholds_are_read_not_fitted_again(run: Make) -> None:
    folder = run(0, folds=1)
    freeze(folder / "thresholds.json", {"mura": Threshold("youden", 0.123, "val", 30, 15)})
    table = score_runs([folder], replicates=100)
    assert set(table.loc[table["operating_point"] == "frozen", "threshold"]) == {0.123}


@pytest.mark.parametrize(("key", "words"), [("cohort", "images or splits"), ("settings", "settings")])
@pytest.mark.parametrize("other", ["other", None])
def test_folds_of_other_data_or_settings_are_not_joined(run: Make, key: str, words: str, other: str | None) -> None:
    folders = [run(0, folds=2), run(1, folds=2, **{key: other})]
    with pytest.raises(OsteonError, match=rf"run0 \| .*run1: they differ in their {words} \(`{key}`.*data\.fold"):
        score_runs(folders, replicates=100)
    with pytest.raises(OsteonError, match="they differ"):
        score_folds([load(folder) for folder in folders], replicates=100)


def test_whole_cross_validations_of_two_settings_stay_apart(run: Make) -> None:
    folders = [run(fold, folds=2, settings=settings) for fold in (0, 1) for settings in ("low lr", "high lr")]
    table = score_runs(folders, replicates=100)
    assert table["run"].unique().tolist() == ["run0 ... run2", "run1 ... run3"]
    assert not table["note"].str.contains("not compared").any()


def test_folds_that_name_no_cohort_are_joined_with_a_note(run: Make) -> None:
    table = score_runs([run(fold, folds=2, cohort=None, settings=None) for fold in (0, 1)], replicates=100)
    assert table["note"].str.contains("not compared: the folds' images or splits, settings").all()
    assert "not compared" in to_markdown(table)


def test_runs_of_one_name_in_two_places_stay_apart(run: Make, tmp_path: Path) -> None:
    folders = [run(0, folds=1), run(0, folds=1, seed=1)]
    same = [shutil.copytree(folder, tmp_path / place / "a") for folder, place in zip(folders, "xy", strict=True)]
    table = score_runs([*same, same[0] / ".." / "a"], replicates=100)
    assert table["run"].unique().tolist() == [str(path) for path in same]
    assert (table.groupby(["run", "split"])["n"].max() <= 40).all()


def heads(folder: Path, fold: int, folds: int) -> Path:
    """Leave a run of an age, a grade and four findings, of which val has one outcome of the last."""
    tasks = {"age": AGE, "grade": GRADE, **FINDINGS}
    described = {"name": folder.name, "fold": fold, "folds": folds, "seed": 0, "backbone": "r", "cohort": "c"}
    for split in ("val", "test"):
        more = {"seed": fold, "split": split, "first": 1000 * fold}
        frame = pd.concat([ages(60, **more), graded(60, **more), findings(60, **more)], ignore_index=True)
        write(folder / "predictions" / f"{split}.parquet", frame, tasks, described | {"settings": "s"}, {})
    found = {name: Threshold("youden", 0.4 + 0.1 * fold, "val", 60, 20) for name in list(FINDINGS)[:3]}
    freeze(folder / "thresholds.json", found)
    (folder / "result.json").write_text(json.dumps({"source": "real"}))
    return folder


def test_folds_of_every_head_are_joined(tmp_path: Path) -> None:
    folders = [heads(tmp_path / f"run{fold}", fold, 2) for fold in (0, 1)]
    table = score_runs(folders, replicates=100)
    frames = [load(folder).predictions.frame.query("split == 'test'") for folder in folders]
    both = pd.concat(frames, ignore_index=True)

    def value(task: str, metric: str) -> float:
        rows = table[(table["task"] == task) & (table["group"] == "all") & (table["metric"] == metric)]
        return float(rows["value"].iloc[0])

    def studies(task: str, column: str) -> pd.DataFrame:
        return both[both["task"] == task].groupby("unit_id").agg({"target": "first", column: "mean"}).dropna()

    age, grade = studies("age", "value"), studies("grade", "value")
    assert value("age", "mae") == pytest.approx(sk.mean_absolute_error(age["target"], age["value"]), abs=1e-6)
    assert value("grade", "mae") == pytest.approx(sk.mean_absolute_error(grade["target"], grade["value"]), abs=1e-6)
    areas = [sk.roc_auc_score(*studies(name, "probability").to_numpy().T) for name in list(FINDINGS)[:3]]
    assert value("shoulder", "macro_auroc") == pytest.approx(np.mean(areas), abs=1e-6)
    called = table[(table["task"] == "shoulder.fracture") & (table["operating_point"] == "frozen")]
    assert called["note"].str.contains("each fold's own threshold").all()
    ranked = set(table.loc[table["note"].str.contains("ranked together"), "metric"])
    assert ranked == {"auroc", "average_precision", "auroc_at_cut", "macro_auroc", "macro_average_precision"}
    assert "frozen threshold, each fold's own" in to_markdown(table)


def test_a_finding_may_lack_a_threshold_a_task_may_not(tmp_path: Path) -> None:
    folder = heads(tmp_path / "run", 0, 1)
    assert "shoulder.implant" not in load(folder).thresholds
    score_runs([folder], replicates=100)
    freeze(folder / "thresholds.json", {})
    table = score_runs([folder], replicates=100)
    assert set(table["operating_point"].dropna()) == {"protocol"}


@pytest.mark.parametrize("replicates", [-5, 0, 1, 99])
def test_too_few_replicates(run: Make, replicates: int) -> None:
    folder = run(0, folds=1)
    with pytest.raises(OsteonError, match=f"--replicates: found {replicates}, expected 100 or more"):
        score_runs([folder], replicates=replicates)
    with pytest.raises(OsteonError, match=f"--replicates: found {replicates}"):
        score(load(folder).predictions, None, replicates=replicates)
