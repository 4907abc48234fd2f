"""A run calibrated from its files: what is fitted where, what is refused, and what the command leaves and prints."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import brier_score_loss, confusion_matrix
from tests.scoring.drawn import GRADE, graded
from typer.testing import CliRunner

from osteon.cli import app
from osteon.errors import OsteonError
from osteon.predictions import Predictions, TaskFacts, write
from osteon.scoring.calibrated import Calibrated, calibrate_run
from osteon.scoring.calibrated.show import band_words
from osteon.scoring.calibrated.table import NOT_BINARY, calibrate
from osteon.scoring.calibrated.temperature import apply, fit
from osteon.scoring.runs import load
from osteon.scoring.thresholds import RULES
from osteon.scoring.thresholds import fit as fit_threshold
from osteon.scoring.units import units

Make = Callable[..., Path]
Frame = Callable[..., pd.DataFrame]
FACTS = TaskFacts(unit="study", groups=("body_part",))


def called(folder: Path, **more: object) -> Calibrated:
    found = load(folder)
    return calibrate_run(found.predictions, found.thresholds, {}, replicates=100, **more)  # type: ignore[arg-type]


def test_what_is_measured_on_test_was_fitted_on_val(run: Make) -> None:
    folder = run(0, folds=1)
    one = called(folder, prevalences=(0.05,)).tasks["mura"]
    frame = load(folder).predictions.frame
    val, test = (units(frame[frame["split"] == split], FACTS) for split in ("val", "test"))
    assert one.temperature.value == fit(val, FACTS).value
    test = test[test["target"].notna()]
    after = apply(test, FACTS, one.temperature)
    row = one.scores.set_index("metric").loc["brier"]
    assert row["before"] == pytest.approx(brier_score_loss(test["target"], test["probability"]))
    assert row["after"] == pytest.approx(brier_score_loss(test["target"], after["probability"]))
    assert row["difference_lo"] <= row["difference"] <= row["difference_hi"]
    for rule in RULES[1:]:
        cut = fit_threshold(val, TaskFacts(unit="study", rule=rule)).value
        part = one.points[one.points["rule"] == rule].set_index(["metric", "prevalence"])["value"]
        tn, fp, fn, tp = confusion_matrix(test["target"], test["probability"] > cut).ravel()
        se, sp = tp / (tp + fn), tn / (tn + fp)
        assert part["sensitivity"].iloc[0] == pytest.approx(se)
        assert part["specificity"].iloc[0] == pytest.approx(sp)
        assert part["ppv", test["target"].mean()] == pytest.approx(tp / (tp + fp))
        assert part["ppv", 0.05] == pytest.approx(se * 0.05 / (se * 0.05 + (1 - sp) * 0.95))


def test_other_test_labels_change_nothing_that_is_fitted(run: Make) -> None:
    found = load(run(0, folds=1))
    plain = calibrate_run(found.predictions, found.thresholds, {}, replicates=100).tasks["mura"]
    frame = found.predictions.frame.copy()
    test = frame["split"] == "test"
    frame.loc[test, "target"] = 1 - frame.loc[test, "target"]
    turned = Predictions(frame, found.predictions.tasks)
    other = calibrate_run(turned, found.thresholds, {}, replicates=100).tasks["mura"]
    assert other.temperature == plain.temperature
    assert other.band == plain.band
    assert other.points["threshold"].tolist() == plain.points["threshold"].tolist()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--prevalence", "0"], "--prevalence: found 0"),
        (["--prevalence", "1.5"], "--prevalence: found 1.5"),
        (["--inconclusive", "1"], "--inconclusive: found 1"),
        (["--task", "murra"], "Did you mean 'mura'"),
    ],
)
def test_bad_words_are_refused(run: Make, words: list[str], said: str) -> None:
    found = CliRunner().invoke(app, ["calibrate", str(run(0, folds=1)), "--replicates", "100", *words])
    assert isinstance(found.exception, OsteonError)
    assert said in str(found.exception)


def test_the_command_leaves_what_it_prints(run: Make) -> None:
    folder = run(0, folds=1)
    found = CliRunner().invoke(app, ["calibrate", str(folder), "--replicates", "100", "--prevalence", "0.05"])
    assert found.exit_code == 0, found.exception
    assert "PPV at 0.05" in found.output
    left = json.loads((folder / "calibration.json").read_text())
    assert left["tasks"]["mura"]["temperature"]["split"] == "val"
    assert json.loads((folder / "temperatures.json").read_text())["mura"] == left["tasks"]["mura"]["temperature"]
    assert {file.name for file in (folder / "figures").iterdir()} >= {
        "mura_reliability.png",
        "mura_coverage_accuracy.svg",
    }


def test_a_band_that_holds_no_unit_says_so(run: Make) -> None:
    folder = run(0, folds=1)
    assert band_words(called(folder, share=0.0).tasks["mura"]) == (
        "mura: no unit of val is left inconclusive (0% asked for)."
    )
    assert "are inconclusive" in band_words(called(folder, share=0.3).tasks["mura"])


def test_a_prevalence_without_two_answers_is_said_to_do_nothing() -> None:
    parts = {split: units(graded(60, split=split), GRADE) for split in ("val", "test")}
    assert calibrate("grade", GRADE, **parts, prevalences=(0.1,), replicates=100).notes[-1] == NOT_BINARY
    assert NOT_BINARY not in calibrate("grade", GRADE, **parts, replicates=100).notes


def test_a_frozen_temperature_is_used_as_it_is(run: Make) -> None:
    folder = run(0, folds=1)
    (folder / "temperatures.json").write_text('{"mura": {"value": 3.0, "split": "val", "n": 29, "note": ""}}')
    CliRunner().invoke(app, ["calibrate", str(folder), "--replicates", "100"], catch_exceptions=False)
    assert json.loads((folder / "calibration.json").read_text())["tasks"]["mura"]["temperature"]["value"] == 3.0


def test_a_run_without_val_is_told_so(run: Make) -> None:
    folder = run(0, folds=1)
    (folder / "predictions" / "val.parquet").unlink()
    with pytest.raises(OsteonError, match=r"no predictions of val: predictions/val\.parquet is missing"):
        called(folder)


@pytest.mark.parametrize(("split", "said"), [("val", "val has .*of one outcome"), ("test", "")])
def test_one_outcome_only(tmp_path: Path, frame: Frame, run: Make, split: str, said: str) -> None:
    folder = run(0, folds=1)
    part = frame(30, split=split, first=5).assign(target=0.0)
    about = {"name": "x", "fold": 0, "folds": 1, "seed": 0, "backbone": "resnet18", "cohort": "c0", "settings": "s0"}
    about |= load(folder).predictions.run
    write(folder / "predictions" / f"{split}.parquet", part, {"mura": FACTS}, about, {})
    if said:
        with pytest.raises(OsteonError, match=said):
            called(folder)
        return
    one = called(folder, prevalences=(0.1,)).tasks["mura"]
    assert one.notes == ("test has no positive: what leans on it has no value",)
    assert one.points.query("metric == 'sensitivity'")["value"].isna().all()
    assert one.points.query("metric == 'ppv' and prevalence == 0.1")["value"].isna().all()
    made = Calibrated({"mura": one}, {})
    made.write(tmp_path / "c.json")  # NaN would be refused


def test_heads_without_probabilities_are_left_out_or_refused(run: Make) -> None:
    found = load(run(0, folds=1))
    frame = pd.concat([found.predictions.frame, found.predictions.frame.assign(task="age", value=1.0)])
    both = Predictions(frame, found.predictions.tasks | {"age": TaskFacts(head="regression", unit="study")})
    made = calibrate_run(both, found.thresholds, {}, replicates=100)
    assert set(made.tasks) == {"mura"}
    assert "a regression head gives no probability" in made.left_out["age"]
    with pytest.raises(OsteonError, match="task age: a regression head gives no probability"):
        calibrate_run(both, found.thresholds, {}, replicates=100, task="age")


@pytest.mark.parametrize("head", ["multiclass", "ordinal"])
def test_classes(head: str) -> None:
    rng = np.random.default_rng(0)
    target = rng.integers(0, 3, 240).astype(float)
    chance = rng.dirichlet(np.ones(3), 240) + np.eye(3)[target.astype(int)]
    frame = pd.DataFrame({"task": "t", "split": np.repeat(["val", "test"], 120), "target": target, "value": 1.0})
    frame["probabilities"] = list(chance / chance.sum(1, keepdims=True))
    frame["image_id"] = frame["unit_id"] = frame["group_id"] = [str(k) for k in range(240)]
    made = calibrate_run(
        Predictions(frame, {"t": TaskFacts(head=head, classes=("a", "b", "c"))}), {}, {}, replicates=100
    )
    one = made.tasks["t"]
    assert one.scores["metric"].tolist() == ["multiclass_brier", "log_loss", "ece"]
    assert one.scores.set_index("metric").loc["multiclass_brier", "difference_lo"] is not None
    assert one.points.empty
    sure = np.array([max(row) for row in frame["probabilities"][120:]])
    right = np.array([np.argmax(row) for row in frame["probabilities"][120:]]) == target[120:]
    bins = np.minimum((sure * 15).astype(int), 14)
    ece = sum((bins == k).mean() * abs(sure[bins == k].mean() - right[bins == k].mean()) for k in set(bins))
    assert one.scores.set_index("metric").loc["ece", "before"] == pytest.approx(ece)
    assert one.before["n"].sum() == 120
