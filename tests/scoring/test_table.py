import json
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pandas as pd
import pandas.testing as pdt
import pytest
import sklearn.metrics as sk

from osteon.errors import OsteonError
from osteon.predictions import Predictions, TaskFacts
from osteon.scoring.table import COLUMNS, score, to_records
from osteon.scoring.thresholds import Threshold

Frame = Callable[..., pd.DataFrame]
FACTS = {"mura": TaskFacts(unit="study", groups=("body_part",))}
FROZEN = {"mura": Threshold("youden", 0.42, "val", 40, 20)}


def value(table: pd.DataFrame, metric: str, point: str | None = None, group: str = "all", split: str = "test") -> float:
    rows = table[(table["metric"] == metric) & (table["group"] == group) & (table["split"] == split)]
    rows = rows[rows["operating_point"].isna() if point is None else rows["operating_point"] == point]
    assert len(rows) == 1
    return float(rows["value"].iloc[0])


@pytest.fixture
def predictions(frame: Frame) -> Predictions:
    both = pd.concat([frame(60), frame(40, split="val", seed=1)], ignore_index=True)
    return Predictions(both, FACTS, {}, {"test": "public-valid"})


def test_the_table_equals_scikit_learn_on_study_means(predictions: Predictions) -> None:
    table = score(predictions, FROZEN, replicates=100)
    test = predictions.frame[predictions.frame["split"] == "test"]
    studies = test.groupby("unit_id").agg({"target": "first", "probability": "mean", "body_part": "first"})
    for group, part in (("all", studies), ("body_part=hand", studies[studies["body_part"] == "hand"])):
        target, mean = part["target"], part["probability"]
        assert value(table, "auroc", group=group) == pytest.approx(sk.roc_auc_score(target, mean), abs=1e-6)
        for point, cut in (("protocol", 0.5), ("frozen", 0.42)):
            expected = sk.cohen_kappa_score(target, mean > cut)
            assert value(table, "kappa", point, group) == pytest.approx(expected, abs=1e-6)
            expected = sk.recall_score(target, mean > cut, pos_label=0)
            assert value(table, "specificity", point, group) == pytest.approx(expected, abs=1e-6)


def test_the_table_is_tidy(predictions: Predictions) -> None:
    table = score(predictions, FROZEN, replicates=100)
    assert list(table.columns) == list(COLUMNS)
    assert not table.duplicated(["task", "split", "group", "operating_point", "metric"]).any()
    assert set(table["group"]) == {"all", "body_part=elbow", "body_part=hand", "body_part=wrist"}
    assert set(table["operating_point"].dropna()) == {"protocol", "frozen"}
    assert set(zip(table["split"], table["split_name"], strict=True)) == {("test", "public-valid"), ("val", "val")}
    overall = table[(table["group"] == "all") & (table["split"] == "test")]
    assert (overall["n"] == 60).all()
    assert (overall["n_clusters"] == 30).all()
    bounded = table[table["lo"].notna()]
    assert ((bounded["lo"] <= bounded["value"]) & (bounded["value"] <= bounded["hi"])).all()
    assert (table.loc[table["lo"].isna(), "method"] == "none").all()


def test_the_threshold_is_optimistic_where_it_was_fitted(predictions: Predictions) -> None:
    table = score(predictions, FROZEN, replicates=100)
    told = table["note"].str.contains("optimistic")
    assert (told == ((table["split"] == "val") & (table["operating_point"] == "frozen"))).all()


def test_without_a_frozen_threshold_the_protocols_remains(predictions: Predictions) -> None:
    assert set(score(predictions, None, replicates=100)["operating_point"].dropna()) == {"protocol"}


def test_unlabelled_units_are_not_scored(predictions: Predictions) -> None:
    frame = predictions.frame
    hidden = frame["unit_id"].isin(frame["unit_id"].unique()[:10])
    without = score(Predictions(frame[~hidden], FACTS), FROZEN, replicates=100)
    nan = frame.assign(target=frame["target"].mask(hidden))
    pdt.assert_frame_equal(score(Predictions(nan, FACTS), FROZEN, replicates=100), without)


def test_a_split_without_targets_is_predicted_never_scored(frame: Frame) -> None:
    table = score(Predictions(frame(8).assign(target=np.nan), FACTS), FROZEN, replicates=100)
    assert table["value"].isna().all()
    assert (table["n"] == 0).all()
    assert table["note"].str.contains("no labelled unit").all()


@pytest.mark.filterwarnings("ignore:kappa")
def test_a_group_without_positives_says_so(frame: Frame) -> None:
    images = frame(60)
    images.loc[images["body_part"] == "hand", "target"] = 0.0
    table = score(Predictions(images, FACTS), None, replicates=100)
    hand = table[table["group"] == "body_part=hand"].set_index("metric")
    assert hand["value"].isna()[["auroc", "sensitivity", "balanced_accuracy"]].all()
    assert hand["note"].str.contains("no positive").all()
    assert hand.loc["specificity", "lo"] < hand.loc["specificity", "value"]


def test_seeds_and_groups_do_not_move_each_other(predictions: Predictions) -> None:
    first = score(predictions, FROZEN, replicates=100, seed=4)
    pdt.assert_frame_equal(score(predictions, FROZEN, replicates=100, seed=4), first)
    other = score(predictions, FROZEN, replicates=100, seed=5)
    assert (first["lo"] != other["lo"]).any()
    alone = score(Predictions(predictions.frame, {"mura": TaskFacts(unit="study")}), FROZEN, replicates=100, seed=4)
    alone = alone.assign(split_name=alone["split"].map({"test": "public-valid", "val": "val"}))
    pdt.assert_frame_equal(first[first["group"] == "all"].reset_index(drop=True), alone.astype(first.dtypes))


def test_multiclass(frame: Frame) -> None:
    images = frame(90).drop(columns="probability")
    rng = np.random.default_rng(0)
    target = images["unit_id"].str.extract(r"study(\d+)")[0].astype(int) % 3
    noise = rng.dirichlet(np.ones(3), len(images)) + 0.4 * np.eye(3)[target]
    images = images.assign(target=target * 1.0, probabilities=list(noise / noise.sum(1, keepdims=True)))
    facts = TaskFacts(head="multiclass", unit="study", classes=("none", "mild", "severe"))
    table = score(Predictions(images, {"mura": facts}), {}, replicates=100)
    mean = pd.DataFrame(np.stack(images["probabilities"].to_list())).groupby(images["unit_id"]).mean()
    truth = target.groupby(images["unit_id"]).first()
    assert value(table, "kappa") == pytest.approx(sk.cohen_kappa_score(truth, mean.to_numpy().argmax(1)), abs=1e-6)
    assert value(table, "macro_auroc") == pytest.approx(sk.roc_auc_score(truth, mean, multi_class="ovr"), abs=1e-6)
    assert value(table, "log_loss") == pytest.approx(sk.log_loss(truth, mean), abs=1e-6)
    assert table["n_positive"].isna().all()
    assert {"recall_0", "recall_1", "recall_2"} <= set(table["metric"])


def test_conflicting_images_are_an_error(frame: Frame) -> None:
    images = frame(20)
    images.loc[images["unit_id"].duplicated(), "target"] = 1 - images["target"]
    with pytest.raises(OsteonError, match="its images have different targets"):
        score(Predictions(images, FACTS), None)


def test_records_are_json(predictions: Predictions) -> None:
    table = score(predictions, FROZEN, replicates=100)
    records = json.loads(json.dumps(to_records(table), allow_nan=False))
    assert len(records) == len(table)
    assert records[0]["operating_point"] is None
    assert records[0]["value"] == table["value"].iloc[0]


def test_scoring_never_imports_torch() -> None:
    code = "import sys, osteon.scoring.folds, osteon.scoring.show, osteon.scoring.table; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "sklearn", "statsmodels", "pyarrow.parquet", "rich"} & set(found)
