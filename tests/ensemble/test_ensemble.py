"""An ensemble is a run as any other, and its numbers are those of its members put together by hand."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics as sk
from rich.console import Console
from typer.testing import CliRunner

from osteon.cli import app
from osteon.ensemble.show import show_ensemble
from osteon.predictions import read, write
from osteon.scoring.comparison import compare, side
from osteon.scoring.folds import score_runs
from osteon.scoring.runs import load
from osteon.scoring.thresholds import fit, frozen
from osteon.scoring.units import units
from tests.ensemble.conftest import FINDINGS, TASKS, Blend, Make

EVERY = ("fracture", "type", "grade", "age", *FINDINGS)
pytestmark = pytest.mark.filterwarnings("ignore:kappa", "ignore:quadratic_kappa")


def answers_of(folder: Path, split: str = "test") -> pd.DataFrame:
    return read(folder / "predictions" / f"{split}.parquet").frame.set_index(["task", "image_id"])


@pytest.mark.parametrize("split", ["val", "test"])
def test_the_mean_is_that_of_the_members(make: Make, blend: Blend, split: str) -> None:
    folders = [make(seed, EVERY) for seed in range(3)]
    made = blend(folders, tasks=())
    members, found = [answers_of(folder, split) for folder in folders], answers_of(made.folder, split)
    for name, column in (("fracture", "probability"), ("age", "value"), ("shoulder.fracture", "probability")):
        expected = np.mean([one.loc[name][column] for one in members], axis=0)
        np.testing.assert_allclose(found.loc[name][column], expected, rtol=1e-14)
    for name in ("type", "grade"):
        expected = np.mean([np.stack(one.loc[name]["probabilities"].to_list()) for one in members], axis=0)
        np.testing.assert_allclose(np.stack(found.loc[name]["probabilities"].to_list()), expected, rtol=1e-14)
    for column in ("target", "unit_id", "group_id", "sex"):
        pd.testing.assert_series_equal(found[column], members[0][column].loc[found.index])


@pytest.mark.parametrize("rule", ["vote", "median"])
def test_votes_and_medians(make: Make, blend: Blend, rule: str) -> None:
    names = ("fracture", "type", "grade")
    folders = [make(seed, names) for seed in range(3)]
    members, found = [answers_of(folder) for folder in folders], answers_of(blend(folders, rule=rule).folder)
    given = np.stack([one.loc["fracture"]["probability"] for one in members])
    expected = (given > 0.5).mean(0) if rule == "vote" else np.median(given, axis=0)
    np.testing.assert_allclose(found.loc["fracture"]["probability"], expected)
    for name in ("type", "grade"):
        each = np.stack([np.stack(one.loc[name]["probabilities"].to_list()) for one in members])
        if rule == "vote":
            shares = np.eye(each.shape[2])[each.argmax(2)].mean(0)
        else:
            shares = np.median(each, axis=0) / np.median(each, axis=0).sum(1, keepdims=True)
        np.testing.assert_allclose(np.stack(found.loc[name]["probabilities"].to_list()), shares)
    called = (
        each.argmax(2).mean(0) if rule == "vote" else np.median([one.loc["grade"]["value"] for one in members], axis=0)
    )
    np.testing.assert_allclose(found.loc["grade"]["value"], called)


@pytest.mark.parametrize("rule", ["mean", "weighted", "vote", "median"])
def test_it_is_a_run_as_any_other(make: Make, blend: Blend, rule: str) -> None:
    names = ("fracture", "grade", *FINDINGS) if rule == "weighted" else ("fracture",)
    folders = [make(seed, names) for seed in range(3)]
    made = blend(folders, rule=rule)
    run = load(made.folder)
    assert set(run.predictions.tasks) == set(names)
    scored = score_runs([made.folder], replicates=100)
    kept = [name for name in made.scores if name != "split_name"]
    pd.testing.assert_frame_equal(scored[kept], made.scores[kept])
    told = json.loads((made.folder / "result.json").read_text())
    assert len(told["scores"]) == len(made.scores)
    assert told["ensemble"]["rule"] == rule
    assert [one["name"] for one in told["ensemble"]["members"]] == ["run0", "run1", "run2"]
    found = compare(side("A", folders[0]), side("B", made.folder), replicates=100)
    assert set(found.table["task"]) - {"shoulder"} == set(names)
    assert found.table["difference"].notna().any()
    auroc = scored[(scored["metric"] == "auroc") & (scored["group"] == "all") & (scored["split"] == "test")]
    row = auroc[auroc["task"] == "fracture"].iloc[0]
    rows = read(made.folder / "predictions" / "test.parquet").frame
    studies = rows[rows["task"] == "fracture"].groupby("unit_id").agg({"target": "first", "probability": "mean"})
    assert row["value"] == pytest.approx(sk.roc_auc_score(*studies.dropna().to_numpy().T))
    assert row["lo"] < row["value"] < row["hi"]


def test_thresholds_are_fitted_on_the_ensembles_val(make: Make, blend: Blend) -> None:
    made = blend([make(seed) for seed in range(3)])
    val = read(made.folder / "predictions" / "val.parquet").frame
    assert frozen(made.folder / "thresholds.json") == {
        "fracture": fit(units(val, TASKS["fracture"]), TASKS["fracture"])
    }


def test_the_order_of_images_in_a_member_changes_nothing(make: Make, blend: Blend) -> None:
    folders = [make(seed) for seed in range(2)]
    before = blend(folders).scores
    for split in ("val", "test"):
        told = read(folders[1] / "predictions" / f"{split}.parquet")
        turned = told.frame.sample(frac=1, random_state=1)
        write(folders[1] / "predictions" / f"{split}.parquet", turned, told.tasks, told.run, told.split_names)
    pd.testing.assert_frame_equal(blend(folders, "again").scores, before)


def test_nothing_of_test_reaches_weights_members_or_threshold(make: Make, blend: Blend) -> None:
    """The targets of test turned round change the scores of test, and nothing else."""
    folders = [make(seed) for seed in range(4)]
    asked = [{"rule": "weighted"}, {"search": True}, {"search": True, "metric": "kappa"}]
    before = [blend(folders, f"before{place}", **one) for place, one in enumerate(asked)]
    for folder in folders:
        file = folder / "predictions" / "test.parquet"
        told = read(file)
        write(file, told.frame.assign(target=1 - told.frame["target"]), told.tasks, told.run, told.split_names)
    after = [blend(folders, f"after{place}", **one) for place, one in enumerate(asked)]
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one.weights["fracture"], other.weights["fracture"])
        texts = [(made.folder / "thresholds.json").read_text() for made in (one, other)]
        assert texts[0] == texts[1]
        pd.testing.assert_frame_equal(*(made.scores[made.scores["split"] == "val"] for made in (one, other)))
        assert not one.scores.equals(other.scores)


def test_what_was_chosen_on_val_is_said_of_its_scores(make: Make, blend: Blend) -> None:
    folders = [make(seed) for seed in range(2)]
    for asked, said in (({"search": True}, "members chosen here"), ({"rule": "weighted"}, "weights fitted here")):
        made = blend(folders, said, **asked)
        names = score_runs([made.folder], replicates=100).groupby("split")["split_name"].first()
        assert names.to_dict() == {"val": said, "test": "held out"}


def test_an_ensemble_of_ensembles(make: Make, blend: Blend) -> None:
    folders = [make(seed) for seed in range(3)]
    inner = blend(folders[:2], "inner").folder
    members = [answers_of(folder)["probability"] for folder in folders]
    found = answers_of(blend([inner, folders[2]], "outer").folder)["probability"]
    np.testing.assert_allclose(found, members[0] / 4 + members[1] / 4 + members[2] / 2)


@pytest.mark.parametrize("width", [80, 120])
def test_the_command(make: Make, tmp_path: Path, width: int) -> None:
    folders = [str(make(seed)) for seed in range(3)]
    words = ["ensemble", *folders, "--out", str(tmp_path / "out"), "--search", "--replicates", "100"]
    done = CliRunner(env={"COLUMNS": str(width)}).invoke(app, words)
    assert done.exit_code == 0, done.output
    assert "7 subsets of 3 members, by AUROC on val" in done.output
    assert "chosen on val" in done.output
    assert "optimism, not a result" in done.output
    assert (tmp_path / "out" / "result.json").is_file()


def test_phantoms_are_stamped(make: Make, blend: Blend) -> None:
    from tests.scoring.comparison.conftest import altered

    made = blend([altered(make(seed), lambda frame: frame.assign(source="phantom")) for seed in range(2)])
    console = Console(width=100, record=True, quiet=False, file=open("/dev/null", "w"))  # noqa: SIM115
    show_ensemble(made, console)
    assert "PHANTOM · fracture · test" in console.export_text()
    assert json.loads((made.folder / "result.json").read_text())["source"] == "phantom"


def test_what_a_member_knows_of_the_images_is_kept(make: Make, blend: Blend) -> None:
    folders = [make(seed) for seed in range(2)]
    (folders[1] / "manifest.parquet").write_bytes(b"the images")
    assert (blend(folders).folder / "manifest.parquet").read_bytes() == b"the images"
