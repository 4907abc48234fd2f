"""A run of each head: what it leaves agrees with the table, and the model that it leaves answers alone."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from tests.run.measured_set import asked, lay, task

from osteon import predictions
from osteon.errors import OsteonError
from osteon.model import Model
from osteon.run.start import Result, run

RUNS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "l1": (task("months", "mae", kind="regression"), ()),
    "bins": (task("months", "mae", "patient", kind="regression", bins=49), ("training.tta=[flip]",)),
    "cumulative": (task("grade", "quadratic_kappa", kind="ordinal") | {"cut": 2}, ("training.imbalance=sampler",)),
    "distance": (task("grade", "mae", kind="ordinal", loss="distance"), ("training.imbalance=pos_weight",)),
    "joint": (task("grade", "quadratic_kappa", kind="ordinal", loss="joint", call="median"), ("training.mixup=0.2",)),
    "softmax": (task("grade", "accuracy", kind="ordinal", loss="softmax"), ("training.imbalance=focal",)),
    "number": (task("grade", "rmse", kind="regression", loss="huber"), ("training.mixup=0.4", "trainer.accumulate=3")),
    "labels": (
        task(["left", "top", "rare"], "macro_auroc", kind="multilabel"),
        ("training.imbalance=pos_weight", "training.cutmix=1.0"),
    ),
}
COLUMNS = {"regression": ["value"], "ordinal": ["probabilities", "value"], "multilabel": ["probability"]}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lay(tmp_path_factory.mktemp("data") / "set")


@pytest.fixture(scope="module")
def labels(root: Path) -> pd.DataFrame:
    return pd.read_csv(root / "labels.csv", dtype={"grade": "float"}).set_index("path")


@pytest.fixture(scope="module", params=RUNS)
def ended(request: pytest.FixtureRequest, root: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Result]:
    told, overrides = RUNS[request.param]
    place = tmp_path_factory.mktemp("run")
    return request.param, run(asked(root, root.parent / "cache", {"t": told}, *overrides), place / "run", [])


def read(folder: Path, split: str) -> predictions.Predictions:
    return predictions.read(folder / "predictions" / f"{split}.parquet", guess=False)


def test_predictions_hold_the_labels_of_the_table_and_the_columns_of_the_head(
    ended: tuple[str, Result], labels: pd.DataFrame
) -> None:
    told = RUNS[ended[0]][0]
    several = isinstance(told["target"], list)
    for split in ("val", "test"):
        table = read(ended[1].folder, split)
        assert list(table.tasks) == ([f"t.{name}" for name in told["target"]] if several else ["t"])
        for name, facts in table.tasks.items():
            rows = table.frame[table.frame["task"] == name]
            truth = labels.loc[rows["image_id"], name.removeprefix("t.") if several else told["target"]]
            np.testing.assert_array_equal(rows["target"], truth)
            assert all(column in rows for column in COLUMNS[told["head"]["kind"]])
            assert facts.of == ("t" if several else "")
            assert facts.call == (told["head"].get("call", "likeliest") if facts.head == "ordinal" else "")
    if told["head"]["kind"] == "regression":
        assert (facts.low, facts.high) == ((0, 240) if told["target"] == "months" else (0, 4))
        assert facts.unit_name == ("months" if told["target"] == "months" else "grades")


def test_the_model_answers_alone_as_it_did_in_the_run(ended: tuple[str, Result], root: Path) -> None:
    """From `model.pt` and the cached pixels only: mean and deviation of the train labels travel with the weights."""
    name, result = ended
    bundle = torch.load(result.folder / "model.pt", weights_only=True)
    model = Model.from_spec(bundle["model"])
    model.load_state_dict(bundle["state_dict"])
    model.eval()
    manifest = pd.read_parquet(result.folder / "manifest.parquet").set_index("image_id")
    table = read(result.folder, "test").frame
    pixels = np.load(next((root.parent / "cache").rglob("*.npy")), mmap_mode="r")
    ids = table["image_id"].unique()
    images = torch.from_numpy(np.array(pixels[manifest.loc[ids, "slot"]]))[:, None]
    with torch.inference_mode():
        told = model.decode(model(images))["t"]
        if name == "bins":
            flipped = model.decode(model(images.flip(-1)))["t"]
            told = {column: (told[column] + flipped[column]) / 2 for column in told}
    for column, values in told.items():
        found = np.stack([np.asarray(one) for one in table[column]]).astype(float)
        expected = values.T.ravel() if name == "labels" else values
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-4)


def test_scores_are_finite_and_the_monitor_is_theirs(ended: tuple[str, Result]) -> None:
    said = json.loads((ended[1].folder / "result.json").read_text())
    assert np.isfinite(said["training"]["best_monitor"])
    assert all(row["value"] is None or np.isfinite(row["value"]) for row in said["scores"])
    monitor = RUNS[ended[0]][0]["monitor"]
    rows = ended[1].scores.query("task == 't' and split == 'val' and group == 'all' and metric == @monitor")
    if ended[0] != "bins":  # its val predictions are means over two views, its monitor is not
        assert rows["value"].item() == pytest.approx(abs(said["training"]["best_monitor"]), rel=1e-6)
    lines = pd.read_csv(ended[1].folder / "metrics.csv")
    assert f"val/t/{monitor}" in lines
    if ended[0] == "labels":
        assert "t.left" in json.loads((ended[1].folder / "thresholds.json").read_text())
        assert said["training"]["imbalance"]["t"]["positive_weights"][0] > 0


def test_all_heads_share_a_backbone(root: Path, tmp_path: Path) -> None:
    """One run of five questions; rows that one question lacks are the others'."""
    tasks = {
        "age": task("months", "mae", kind="regression"),
        "kl": task("grade", "quadratic_kappa", kind="ordinal"),
        "make": task("make", "macro_auroc", kind="multiclass"),
        "edge": task("left", "auroc", kind="binary"),
        "both": task(["left", "top"], "macro_average_precision", kind="multilabel"),
    }
    result = run(asked(root, root.parent / "cache", tasks), tmp_path / "run", [])
    table = read(result.folder, "test")
    assert list(table.tasks) == ["age", "kl", "make", "edge", "both.left", "both.top"]
    assert table.frame.groupby("task").size().nunique() == 1
    assert set(result.scores["task"]) >= {"age", "kl", "make", "edge", "both.left", "both.top"}


BAD: list[tuple[dict[str, Any], tuple[str, ...], str]] = [
    (task(["left", "grade"], "macro_auroc", kind="multilabel"), (), r"'grade' is of kind ordinal.*binary"),
    (task(["left", "lft"], "macro_auroc", kind="multilabel"), (), r"no target 'lft'.*left"),
    (task("left", "auroc", kind="multilabel"), (), r"target 'left' does not fit a multilabel head"),
    (task(["left"], "auroc", kind="binary"), (), r"does not fit a binary head"),
    (task(["left", "left"], "macro_auroc", kind="multilabel"), (), r"different columns"),
    (task("months", "mae", kind="ordinal"), (), r"'ordinal' cannot answer a regression target"),
    (task("months", "mae", kind="regression") | {"pool": "max"}, (), r"pool 'max'"),
    (task("months", "mae", kind="regression") | {"cut": 2}, (), r"cut 2 lies between grades"),
    (task("grade", "auroc_at_cut", kind="ordinal"), (), r"tasks\.t: .*'auroc_at_cut' needs a cut"),
    (task("grade", "mae", kind="ordinal") | {"cut": 5}, (), r"tasks\.t: task cut: 5.*1 to 4"),
    (task("months", "mae", kind="regression"), ("training.imbalance=sampler",), r"regression.*tell classes apart"),
    (task("grade", "mae", kind="ordinal"), ("training.imbalance=pos_weight",), r"loss=cumulative"),
    (task("grade", "mae", kind="ordinal", loss="distance"), ("training.imbalance=focal",), r"loss=distance"),
    (task("grade", "mae", kind="ordinal", loss="joint"), ("training.imbalance=focal",), r"loss=joint"),
    (task(["left", "top"], "macro_auroc", kind="multilabel"), ("training.imbalance=sampler",), r"several labels a row"),
]


@pytest.mark.parametrize(("told", "overrides", "says"), BAD)
def test_what_does_not_fit_is_refused_in_words(
    told: dict[str, Any], overrides: tuple[str, ...], says: str, root: Path, tmp_path: Path
) -> None:
    with pytest.raises(OsteonError, match=says):
        run(asked(root, root.parent / "cache", {"t": told}, *overrides), tmp_path / "run", [])


def test_a_label_may_not_have_the_name_of_another_task(root: Path, tmp_path: Path) -> None:
    tasks = {
        "t": task(["left", "top"], "macro_auroc", kind="multilabel"),
        "t.left": task("left", "auroc", kind="binary"),
    }
    with pytest.raises(OsteonError, match=r"tasks\.t: its label 't\.left' has the name of another task"):
        run(asked(root, root.parent / "cache", tasks), tmp_path / "run", [])
