"""Every task trains on its phantom and leaves a whole run folder, from which the scores can be had again."""

import json
import math

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import accuracy_score, cohen_kappa_score, mean_absolute_error, roc_auc_score
from tests.composing import config, small
from tests.scoring.coco import reference

from osteon import predictions
from osteon.compose import conf_dir
from osteon.model import Model
from osteon.predictions import TaskFacts
from osteon.run.start import Result, run
from osteon.scoring.folds import score_runs
from osteon.scoring.thresholds import THRESHOLDED

TASKS = sorted(path.stem for path in (conf_dir() / "task").glob("*.yaml"))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    return {}


@pytest.fixture(params=TASKS)
def result(request: pytest.FixtureRequest, runs: dict[str, Result], tmp_path_factory: pytest.TempPathFactory) -> Result:
    """Return the one small run of a task."""
    task = str(request.param)
    if task not in runs:
        runs[task] = run(config(*small(task)), tmp_path_factory.mktemp("run") / task, [f"task={task}"])
    return runs[task]


FILES = (
    "config.yaml",
    "overrides.txt",
    "manifest.parquet",
    "split.json",
    "rejected.csv",
    "checkpoints/best.ckpt",
    "checkpoints/last.ckpt",
    "metrics.csv",
    "predictions/val.parquet",
    "predictions/test.parquet",
    "thresholds.json",
    "result.json",
    "model.pt",
)


def test_leaves_every_file_and_nothing_half_written(result: Result) -> None:
    assert [name for name in FILES if not (result.folder / name).is_file()] == []
    assert list(result.folder.rglob("*.part")) == []


def test_result_says_where_its_numbers_come_from(result: Result) -> None:
    said = json.loads((result.folder / "result.json").read_text())
    assert said["source"] == "phantom"
    assert said["weights"] == "none"
    assert said["seed"] == 0
    assert said["training"]["epochs"] == 2
    assert said["packages"]["torch"]
    assert all(row["value"] is None or math.isfinite(row["value"]) for row in said["scores"])
    assert {row["source"] for row in said["scores"]} == {"phantom"}


def test_predictions_are_one_row_an_image_of_their_split(result: Result) -> None:
    manifest = pd.read_parquet(result.folder / "manifest.parquet").set_index("image_id")
    for split in ("val", "test"):
        table = predictions.read(result.folder / "predictions" / f"{split}.parquet").frame
        for _, rows in table.groupby("task"):
            assert rows["image_id"].is_unique
            assert set(rows["image_id"]) == set(manifest.index[manifest["split"] == split])
            if "probability" in rows and rows["probability"].notna().any():
                assert rows["probability"].between(0, 1).all()
        assert set(table["source"]) == {"phantom"}


def test_no_group_is_in_two_splits(result: Result) -> None:
    manifest = pd.read_parquet(result.folder / "manifest.parquet")
    assert (manifest.groupby("group_id")["split"].nunique() == 1).all()
    facts = json.loads((result.folder / "split.json").read_text())
    assert sum(part["images"] for part in facts["splits"].values()) == len(manifest)


def test_scores_come_again_from_the_files(result: Result) -> None:
    again = score_runs([result.folder], replicates=100).drop(columns="run")
    pd.testing.assert_frame_equal(again[result.scores.columns].reset_index(drop=True), result.scores, check_dtype=False)


def test_scores_agree_with_scikit_learn(result: Result) -> None:
    table = predictions.read(result.folder / "predictions" / "test.parquet")
    rows = result.scores[(result.scores["split"] == "test") & (result.scores["group"] == "all")]
    for task, facts in table.tasks.items():
        said = rows[rows["task"] == task].set_index(["operating_point", "metric"])["value"]
        frame = table.frame[(table.frame["task"] == task) & table.frame["target"].notna()]
        AGREES[facts.head](frame, said, facts)


def agree_of_two(frame: pd.DataFrame, said: pd.Series, facts: TaskFacts) -> None:
    unit = frame.groupby("unit_id").agg(p=("probability", facts.pool), y=("target", "max"))
    auroc = said.xs("auroc", level="metric").item()
    if unit["y"].nunique() == 2:
        assert auroc == pytest.approx(roc_auc_score(unit["y"], unit["p"]), abs=1e-6)
    else:
        assert pd.isna(auroc), "undefined is missing, not a number"
    kappa = cohen_kappa_score(unit["y"], unit["p"] > 0.5)
    assert said["protocol", "kappa"] == pytest.approx(0.0 if np.isnan(kappa) else kappa, abs=1e-6)


def agree_of_classes(frame: pd.DataFrame, said: pd.Series, facts: TaskFacts) -> None:
    shares = pd.DataFrame(np.stack(frame["probabilities"].to_list()), index=frame["unit_id"]).groupby(level=0).mean()
    truth = frame.groupby("unit_id")["target"].max()
    call = shares.to_numpy().argmax(axis=1)
    assert said.xs("accuracy", level="metric").item() == pytest.approx(accuracy_score(truth, call), abs=1e-6)
    if "value" in frame:
        kappa = cohen_kappa_score(truth, call, weights="quadratic", labels=range(len(facts.classes)))
        found = said.xs("quadratic_kappa", level="metric").item()
        assert found == pytest.approx(0.0 if np.isnan(kappa) else kappa, abs=1e-6)


def agree_of_numbers(frame: pd.DataFrame, said: pd.Series, facts: TaskFacts) -> None:
    unit = frame.groupby("unit_id").agg(p=("value", "mean"), y=("target", "max"))
    assert said.xs("mae", level="metric").item() == pytest.approx(mean_absolute_error(unit["y"], unit["p"]), rel=1e-6)


def agree_of_boxes(frame: pd.DataFrame, said: pd.Series, facts: TaskFacts) -> None:
    levels = reference(list(frame["boxes"]), list(frame["truth"]), len(facts.classes))
    for metric, expected in (("map50", levels[0]), ("map50_95", levels)):
        found = said.xs(metric, level="metric").item()
        assert found == pytest.approx(np.nanmean(expected), abs=1e-6)


AGREES = {
    "detection": agree_of_boxes,
    "binary": agree_of_two,
    "multiclass": agree_of_classes,
    "ordinal": agree_of_classes,
    "regression": agree_of_numbers,
}


def test_model_rebuilds_from_plain_containers_and_predicts_the_same(result: Result) -> None:
    content = torch.load(result.folder / "model.pt", weights_only=True)
    model = Model.from_spec(content["model"])
    model.load_state_dict(content["state_dict"])
    assert content["preprocessing"]["image_size"] == [64, 64]
    told = predictions.read(result.folder / "predictions" / "val.parquet").tasks
    assert {name for name, facts in told.items() if facts.head in THRESHOLDED and name in TASKS} <= set(
        content["thresholds"]
    )
    assert set(content["thresholds"]) <= {name for name, facts in told.items() if facts.head in THRESHOLDED}
    beside = torch.zeros(2, sum(one.width for one in model.covariates)) if model.covariates else None
    with torch.inference_mode():
        output = model.eval()(torch.zeros(2, 1, 64, 64, dtype=torch.uint8), beside)
    assert all(torch.isfinite(value).all() for value in output.values())


def test_checkpoints_hold_plain_containers(result: Result) -> None:
    for name in ("best", "last"):
        assert torch.load(result.folder / "checkpoints" / f"{name}.ckpt", weights_only=True)["state_dict"]
    last = torch.load(result.folder / "checkpoints" / "last.ckpt", weights_only=True)
    assert last["epoch"] == 1


def test_phantom_says_phantom(result: Result, capsys: pytest.CaptureFixture[str]) -> None:
    from osteon.run.show import show_result

    show_result(result.scores, result.facts, result.folder)
    assert "PHANTOM" in capsys.readouterr().out
