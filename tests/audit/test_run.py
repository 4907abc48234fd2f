"""Audits of every head, of small and odd runs, and what the command leaves: no NaN, no traceback."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from osteon.audit import audit_run
from osteon.audit.truths import truth_of
from osteon.cli import app
from osteon.errors import OsteonError
from osteon.predictions import Predictions, TaskFacts
from osteon.scoring.metrics import METRICS, estimate, sample_of
from osteon.scoring.runs import load
from osteon.scoring.units import units
from tests.audit.made_run import FACTS, TASK, leave, manifest_of, reader
from tests.audit.test_shortcuts import audited, people


def test_groups_are_those_of_the_units(tmp_path: Path) -> None:
    table = people()
    folder = leave(tmp_path / "run", manifest_of(table), reader(table["fracture"].to_numpy(), 0))
    rows = audited(folder).table.query("kind == 'group' and metric == 'auroc'").set_index("name")
    assert set(rows.index) == {
        "all",
        "sex=F",
        "sex=M",
        "age_years=18 to 45",
        "age_years=45 to 65",
        "age_years=65 and over",
    }
    test = load(folder).predictions.frame.query("split == 'test'").assign(sex=table["sex"])
    women = set(table.loc[table["sex"] == "F", "patient_id"])
    part = units(test[test["group_id"].isin(women)], FACTS)
    assert rows.loc["sex=F", "value"] == pytest.approx(estimate(METRICS["auroc"], sample_of(part, FACTS), "binary"))
    assert rows.loc["all", "n"] == rows.loc["sex=F", "n"] + rows.loc["sex=M", "n"]


def test_a_group_that_does_worse_is_said_so(tmp_path: Path) -> None:
    table = people(count=900)
    good, bad = reader(table["fracture"].to_numpy(), 0, 0.2), np.random.default_rng(0).uniform(size=900)
    found = audited(leave(tmp_path / "run", manifest_of(table), np.where(table["sex"] == "F", good, bad)))
    assert any("AUROC is worse where sex is M" in text for text in found.warnings)
    assert not any("where sex is F" in text for text in found.warnings)


@pytest.mark.parametrize("seed", range(4))
def test_equal_groups_raise_no_alarm(tmp_path: Path, seed: int) -> None:
    table = people(seed)
    found = audited(leave(tmp_path / "run", manifest_of(table), reader(table["fracture"].to_numpy(), seed)))
    assert not any("worse" in text for text in found.warnings)


def test_numbers(tmp_path: Path) -> None:
    table, rng = people(), np.random.default_rng(0)
    table["age"] = 100 + 40 * (table["sex"] == "F") + rng.normal(0, 10, len(table))
    facts = TaskFacts(head="regression", unit="image", low=0.0, high=240.0, unit_name="months")
    said = table["age"].to_numpy() + rng.normal(0, 5, len(table))
    found = audited(leave(tmp_path / "run", manifest_of(table), said, facts=facts, target="age"))
    row = found.table.query("kind == 'baseline'").iloc[0]
    test = manifest_of(table)
    middle = test.loc[test["split"] == "train", "age"].median()
    assert row["chance"] == pytest.approx((test.loc[test["split"] == "test", "age"] - middle).abs().mean())
    assert row["model"] < row["value"] < row["chance"]
    assert row["verdict"] == "shortcut", "sex alone gives most of it"
    assert "months" in found.warnings[0]


@pytest.mark.parametrize("head", ["multiclass", "ordinal"])
def test_classes(tmp_path: Path, head: str) -> None:
    rng, table = np.random.default_rng(0), people()
    table["grade"] = rng.integers(0, 3, len(table))
    facts = TaskFacts(head=head, unit="image", classes=("a", "b", "c"))
    manifest = manifest_of(table)
    folder = leave(
        tmp_path / "run", manifest, table["grade"].to_numpy(float), facts=TaskFacts(head="regression"), target="grade"
    )
    found = load(folder)
    hot = 0.8 * np.eye(3)[table["grade"]] + 0.2 / 3
    chance = pd.Series(list(hot), index=manifest["image_id"])
    frame = found.predictions.frame.assign(probabilities=chance.loc[found.predictions.frame["image_id"]].to_list())
    made = audit_run(folder, Predictions(frame, {TASK: facts}), {}, replicates=200)
    row = made.table.query("kind == 'baseline'").iloc[0]
    assert row["verdict"] == ""
    assert row["model"] == pytest.approx(1.0)
    assert abs(row["value"] - row["chance"]) < 0.2


def odd(name: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    table = people(count=300)
    manifest = manifest_of(table)
    if name == "one outcome in test":
        manifest.loc[manifest["split"] == "test", "fracture"] = 0
    if name == "one outcome in train":
        manifest.loc[manifest["split"] == "train", "fracture"] = 1
    if name == "no label in train":
        manifest["fracture"] = manifest["fracture"].astype(float).where(manifest["split"] != "train")
    if name == "no metadata":
        manifest = manifest.drop(columns=["sex", "age_years"])
    if name == "all the same":
        manifest[["sex", "age_years"]] = ["F", 40.0]
    if name == "half unknown":
        manifest["sex"] = manifest["sex"].where(np.arange(300) % 2 == 0)
        manifest["age_years"] = manifest["age_years"].where(np.arange(300) % 3 == 0)
    if name == "two units in test":
        manifest = pd.concat([manifest[manifest["split"] != "test"], manifest[manifest["split"] == "test"].head(2)])
    return manifest.reset_index(drop=True), {}


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("one outcome in test", "of one outcome"),
        ("one outcome in train", "train has one outcome only"),
        ("no label in train", "0 labelled train images"),
        ("no metadata", ""),
        ("all the same", ""),
        ("half unknown", ""),
        ("two units in test", ""),
    ],
)
def test_odd_runs_are_told_of_and_never_end_in_a_traceback(tmp_path: Path, name: str, said: str) -> None:
    manifest, _ = odd(name)
    score = np.clip(0.3 + 0.4 * manifest["fracture"].fillna(0).to_numpy() + np.linspace(-0.2, 0.2, len(manifest)), 0, 1)
    folder = leave(tmp_path / "run", manifest, score)
    found = CliRunner().invoke(app, ["audit", str(folder), "--replicates", "100"], catch_exceptions=False)
    assert found.exit_code == 0
    assert said in " ".join(found.output.split())
    kept = json.loads((folder / "result.json").read_text())["audit"]
    assert kept["rows"]
    table = pd.read_csv(folder / "audit.csv")
    assert len(table) == len(kept["rows"])
    assert "nan" not in found.output


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    folder = leave(tmp_path / "run", manifest_of(people()), reader(people()["fracture"].to_numpy(), 0))
    runner = CliRunner()
    for words, said in ((["--task", "hip_fractur"], "Did you mean"), ([], r"manifest.parquet: no such file")):
        if not words:
            (folder / "manifest.parquet").unlink()
        fault = runner.invoke(app, ["audit", str(folder), *words]).exception
        assert isinstance(fault, OsteonError)
        assert said in str(fault)
    fault = runner.invoke(app, ["audit", str(tmp_path / "none")]).exception
    assert isinstance(fault, OsteonError)


def test_truths_of_findings_and_of_whole_images() -> None:
    manifest = pd.DataFrame(
        {
            "image_id": list("abcd"),
            "dataset": ["x", "x", "y", "x"],
            "boxes": [[[0, 0, 1, 1, 0]], [], [[0, 0, 1, 1, 0]], None],
            "other": [[[0, 0, 1, 1, 1]], [[0, 0, 1, 1, 0], [0, 0, 2, 2, 1]], None, []],
            "fracture": [1.0, 0.0, 1.0, np.nan],
            "hip": [1.0, 1.0, 1.0, 0.0],
        }
    )
    boxes = TaskFacts(head="detection", classes=("fracture", "metal"))
    known = {
        "t": boxes,
        "t.image": TaskFacts(unit="image"),
        "m.fracture": TaskFacts(of="m"),
        "w.image": TaskFacts(unit="image"),
    }
    tasks: dict[str, Any] = {
        "t": {"dataset": {"name": "x"}, "target": "other", "whole": {"classes": ["fracture"]}},
        "m": {"dataset": {"name": "x"}, "target": ["fracture"], "where": {"hip": 1.0}},
        "w": {"dataset": {"name": "x"}, "target": "boxes", "whole": {"classes": [], "target": "fracture"}},
    }
    np.testing.assert_array_equal(truth_of("t.image", known, manifest, tasks), [0, 1, np.nan, 0])
    np.testing.assert_array_equal(truth_of("m.fracture", known, manifest, tasks), [1, 0, np.nan, np.nan])
    np.testing.assert_array_equal(truth_of("w.image", known | {"w": boxes}, manifest, tasks), [1, 0, np.nan, np.nan])
    with pytest.raises(OsteonError, match=r"task z: config\.yaml has t, m, w"):
        truth_of("z", {"z": FACTS}, manifest, tasks)
