"""Boxes in the score table, in joined folds, as a monitor, and on the terminal."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from osteon.errors import OsteonError
from osteon.predictions import Predictions, TaskFacts, check, read, write
from osteon.scoring import bootstrap
from osteon.scoring.folds import score_runs
from osteon.scoring.metrics import direction, metric, monitor, sample_of
from osteon.scoring.show import show, to_markdown
from osteon.scoring.table import score
from osteon.scoring.thresholds import fit, freeze
from osteon.scoring.units import units
from tests.scoring.coco import NAMES, drawn, facts, table

WRIST = facts(3, groups=("projection",))


def films(n: int = 60, seed: int = 0, split: str = "test", classes: int = 3, unlabelled: int = 3) -> pd.DataFrame:
    """Two films a patient, ap and lateral; nobody looked at the first few."""
    boxes, truth = drawn(n, classes, seed=seed)
    place = np.arange(n)
    found = table(
        boxes, [None] * unlabelled + truth[unlabelled:], split=split, projection=np.array(["ap", "lat"])[place % 2]
    )
    names = {"group_id": [f"{split}{seed}/p{k // 2}" for k in place]}
    return found.assign(**names, **{key: [f"{split}{seed}/{k}" for k in place] for key in ("image_id", "unit_id")})


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    frame = pd.concat([films(split="val", seed=1), films(n=200)], ignore_index=True)
    predictions = Predictions(check(frame, {"wrist": WRIST}), {"wrist": WRIST}, {}, {"test": "held out"})
    val = predictions.frame[predictions.frame["split"] == "val"]
    found = score(predictions, {"wrist": fit(units(val, WRIST), WRIST)}, replicates=200)
    return found[found["split"] == "test"]


def only(rows: pd.DataFrame, metric: str, group: str = "all", point: str | None = None) -> Any:
    found = rows[(rows["metric"] == metric) & (rows["group"] == group)]
    found = found if point is None else found[found["operating_point"] == point]
    assert len(found) == 1
    return found.iloc[0]


def test_rows_say_images_boxes_and_patients(rows: pd.DataFrame) -> None:
    frame = films(200)
    labels = [int(box[4]) for cell in frame["truth"] if cell is not None for box in cell]
    for name in ("map50", "map50_95", "froc", "froc_0.125", "froc_8"):
        row = only(rows, name)
        assert (row["n"], row["n_positive"], row["n_clusters"]) == (197, len(labels), 99)
        assert 0 < row["lo"] < row["value"] < row["hi"] < 1
        assert row["method"] == "bootstrap, logit"
    for label, name in enumerate(NAMES):
        assert only(rows, f"ap50_{name}")["n_positive"] == labels.count(label)
    for point in ("protocol", "frozen"):
        assert only(rows, "lesion_sensitivity", point=point)["method"] == "wilson, clustered"
        assert only(rows, "fp_per_image", point=point)["method"] == "jackknife, log"
    assert only(rows, "lesion_sensitivity", point="protocol")["threshold"] == 0.5
    assert set(rows["group"]) == {"all", "projection=ap", "projection=lat"}
    assert only(rows, "map50", "projection=ap")["n"] == 98
    assert not (rows["value"].isna() & (rows["n_positive"] > 0)).any()


def test_the_hit_rule_stands_in_the_note(rows: pd.DataFrame) -> None:
    for name in ("froc", "froc_1"):
        assert "hit: overlap (IoU) of 0.5 or more" in only(rows, name)["note"]
    assert "hit: overlap (IoU) of 0.5 or more" in only(rows, "fp_per_image", point="frozen")["note"]
    assert "hit" not in only(rows, "map50")["note"]
    told = facts(3, hit="centre")
    found = score(Predictions(check(films(), {"wrist": told}), {"wrist": told}), None, replicates=100)
    assert "hit: centre inside the true box" in only(found, "froc")["note"]
    assert only(found, "froc")["value"] != only(rows, "froc")["value"]


def test_classes_without_a_true_box_are_named() -> None:
    told = facts(3)
    found = score(Predictions(check(films(classes=2), {"wrist": told}), {"wrist": told}), None, replicates=100)
    assert "left out, without a true box: boneanomaly" in only(found, "map50")["note"]
    assert only(found, "map50")["value"] == pytest.approx(
        np.mean([only(found, f"ap50_{name}")["value"] for name in NAMES[:2]])
    )
    row = only(found, "ap50_boneanomaly")
    assert (pd.isna(row["value"]), row["n_positive"], row["note"]) == (True, 0, "no true box")
    assert only(found, "map50_frequent")["note"].startswith("30 true boxes or more: fracture, text")


def test_few_boxes_of_a_class_are_marked() -> None:
    told = facts(3)
    found = score(Predictions(check(films(200), {"wrist": told}), {"wrist": told}), None, replicates=100)
    assert "small sample" not in only(found, "map50")["note"]
    few = films(200)
    rare = [cell if place < 15 else [box for box in cell if box[4] != 2] for place, cell in enumerate(few["truth"][3:])]
    few["truth"] = [None, None, None, *rare]
    few["target"] = [np.nan if cell is None else len(cell) for cell in few["truth"]]
    found = score(Predictions(check(few, {"wrist": told}), {"wrist": told}), None, replicates=100)
    assert "small sample" in only(found, "map50")["note"]
    assert "small sample" in only(found, "ap50_boneanomaly")["note"]
    assert "small sample" not in only(found, "froc")["note"]
    assert 0 < only(found, "ap50_boneanomaly")["n_positive"] < 30
    assert only(found, "map50_frequent")["note"] == "30 true boxes or more: fracture, text"


@pytest.mark.parametrize("what", ["nothing predicted", "no true box", "nobody looked", "perfect"])
@pytest.mark.filterwarnings("error")
def test_what_cannot_be_scored_is_empty_and_never_nan(what: str) -> None:
    frame = films()
    if what == "nothing predicted":
        frame["boxes"] = [[] for _ in frame.index]
    elif what == "no true box":
        frame["truth"], frame["target"] = [[] for _ in frame.index], 0.0
    elif what == "nobody looked":
        frame["truth"], frame["target"] = None, np.nan
    else:
        frame["boxes"] = [[[*box, 0.9] for box in cell or []] for cell in frame["truth"]]
    frame = check(frame, {"wrist": WRIST})
    found = score(Predictions(frame, {"wrist": WRIST}), None, replicates=100)
    text = to_markdown(found)
    assert "nan" not in text.lower()
    known = found[found["value"].notna()]
    expected = {"nothing predicted": 0.0, "perfect": 1.0}
    if what in expected:
        assert set(known.loc[known["metric"] != "fp_per_image", "value"]) == {expected[what]}
    else:
        assert set(known["metric"]) <= {"fp_per_image"}
        assert found["note"].str.contains("no true box|no labelled unit").all()
    for name in ("map50", "map50_95", "froc", "froc_2", "lesion_sensitivity", "ap50_text"):
        assert monitor(frame, facts(3, monitor=name)) == expected.get(what, 0.0)
        assert direction(name) == "max"


@pytest.mark.parametrize("name", ["fp_per_image", "map50_frequent"])
def test_what_is_no_choice_of_an_epoch(name: str) -> None:
    with pytest.raises(OsteonError, match=f"monitor '{name}' is not one of"):
        direction(name)


def test_the_monitor_takes_the_tables_of_training() -> None:
    frame = films()
    assert 0 < monitor(frame, WRIST) < 1
    assert monitor(frame, WRIST) == monitor(check(frame, {"wrist": WRIST}), WRIST)


def test_replicates_are_scores_of_drawn_patients() -> None:
    frame = check(films(unlabelled=0), {"wrist": WRIST})
    sample = sample_of(units(frame, WRIST), WRIST)
    weights = next(bootstrap.draws(sample.clusters, 1, 3))
    chosen = np.repeat(np.arange(len(frame)), weights[sample.cluster, 0].astype(int))
    again = frame.iloc[chosen].reset_index(drop=True)
    again["image_id"] = [f"image{k}" for k in again.index]
    other = sample_of(units(again, WRIST), WRIST)
    for name in ("map50", "map50_95", "froc", "ap50_text", "fp_per_image"):
        made = [metric(name, "detection").prepare(one, "detection") for one in (sample, other)]
        assert made[0](weights)[0] == pytest.approx(made[1](other.one())[0]), name


def test_the_interval_on_logits_is_corrected_for_bias() -> None:
    rng = np.random.default_rng(0)
    shares = 1 / (1 + np.exp(-rng.normal(0.3, 0.5, 4000)))
    low, high = bootstrap.on_logits(np.append(shares, np.nan), 0.5, 100, 10**6)
    # The replicates lie 0.3 too high, so the interval lies 0.3 lower than the value.
    assert np.log(low / (1 - low)) == pytest.approx(-0.3 - 1.96 * 0.5, abs=0.04)
    assert np.log(high / (1 - high)) == pytest.approx(-0.3 + 1.96 * 0.5, abs=0.04)
    low, high = bootstrap.on_logits(np.array([0.9, 0.91, 0.92]), 0.5, 100, 50)
    assert low < high == 0.5
    assert np.isfinite(bootstrap.on_logits(np.array([0.0, 1.0, 0.5]), 0.5, 7, 50)).all()


def run(folder: Path, fold: int, told: TaskFacts) -> Path:
    parts = [films(40, seed=fold, split="test", classes=2), films(30, seed=10 + fold, split="val", classes=2)]
    about = {"name": folder.name, "fold": fold, "folds": 2, "seed": 0, "backbone": "r", "cohort": "c", "settings": "s"}
    for part in parts:
        write(folder / "predictions" / f"{part['split'].iat[0]}.parquet", part, {"wrist": told}, about, {})
    cut = fit(units(check(parts[1], {"wrist": told}), told), told)
    freeze(folder / "thresholds.json", {"wrist": cut})
    (folder / "result.json").write_text(json.dumps({"source": "real"}))
    return folder


def test_folds_are_joined(tmp_path: Path) -> None:
    told = facts(2)
    folders = [run(tmp_path / f"fold{fold}", fold, told) for fold in (0, 1)]
    found = score_runs(folders, replicates=100)
    whole = pd.concat([films(40, seed=fold, classes=2) for fold in (0, 1)], ignore_index=True)
    alone = score(Predictions(check(whole, {"wrist": told}), {"wrist": told}), None, replicates=100)
    for name in ("map50", "froc", "ap50_text"):
        assert only(found, name)["value"] == only(alone, name)["value"]
        assert "scores of 2 models ranked together" in only(found, name)["note"]
    row = only(found, "lesion_sensitivity", point="frozen")
    assert pd.isna(row["threshold"])
    assert "each fold's own threshold" in row["note"]
    assert "ranked" not in row["note"]
    singles = [score_runs([folder], replicates=100) for folder in folders]
    parts = [only(one[one["split"] == "test"], "lesion_sensitivity", point="frozen") for one in singles]
    weights = [part["n_positive"] for part in parts]
    assert row["value"] == pytest.approx(np.average([part["value"] for part in parts], weights=weights))


def test_a_run_without_its_threshold_is_refused(tmp_path: Path) -> None:
    folder = run(tmp_path / "fold0", 0, facts(2))
    freeze(folder / "thresholds.json", {})
    with pytest.raises(OsteonError, match="no threshold of task 'wrist'"):
        score_runs([folder], replicates=100)


def test_exams_of_one_outcome_in_val_cost_only_their_own_threshold(tmp_path: Path) -> None:
    tasks = {"wrist": facts(2), "wrist.study": TaskFacts(unit="study", pool="max", truth="any")}
    folder = run(tmp_path / "fold0", 0, facts(2))
    for split, several in (("val", False), ("test", True)):
        file = folder / "predictions" / f"{split}.parquet"
        boxes = read(file)
        exams = boxes.frame.drop(columns=["boxes", "truth"]).assign(task="wrist.study", probability=0.4)
        exams["target"] = np.arange(len(exams)) % 2 if several else 1.0
        both = pd.concat([boxes.frame, exams], ignore_index=True)
        write(file, both, tasks, boxes.run, {})
    found = score_runs([folder], replicates=100)
    exams = found[(found["task"] == "wrist.study") & (found["split"] == "test")]
    assert "frozen" not in set(exams["operating_point"])
    assert only(exams, "auroc")["value"] == 0.5


@pytest.mark.parametrize("width", [60, 80, 100, 120])
def test_the_terminals_tables(rows: pd.DataFrame, width: int) -> None:
    text = StringIO()
    show(rows, Console(file=text, width=width))
    lines = text.getvalue().splitlines()
    assert max(map(len, lines)) <= min(width, 100)
    for name in NAMES:
        row = only(rows, f"ap50_{name}")
        (line,) = [line for line in lines if line.startswith(name)]
        assert line.split()[1] == str(row["n_positive"])
        assert line.split()[2] == f"{row['value']:.3f}"
    (line,) = [line for line in lines if line.startswith("0.125")]
    assert line.split()[1] == f"{only(rows, 'froc_0.125')['value']:.3f}"
    header = next(line for line in lines if "lesion sens." in line).split("  ")
    assert ("FP/image" in [part.strip() for part in header]) == (width > 60)
    assert "hit: overlap (IoU) of 0.5 or more" in " ".join(text.getvalue().split())
    assert "…" not in text.getvalue()


def test_one_class_has_no_mean_of_classes() -> None:
    told = facts(1)
    found = score(Predictions(check(films(classes=1), {"wrist": told}), {"wrist": told}), None, replicates=100)
    assert "map50_frequent" not in set(found["metric"])
    assert only(found, "map50")["value"] == only(found, "ap50_fracture")["value"]
    assert "mean of" not in to_markdown(found)
