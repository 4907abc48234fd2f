"""The table of differences beside the score tables of both sides, and beside libraries."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics as sk
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests
from tests.scoring.comparison.conftest import Judge, Make, altered, noisy
from tests.scoring.drawn import AGE, FINDINGS, GRADE, ages, findings, graded

from osteon.predictions import read, write
from osteon.scoring.comparison import Comparison, compare, side
from osteon.scoring.comparison.claims import claims
from osteon.scoring.comparison.holm import adjusted, holm
from osteon.scoring.folds import score_runs
from osteon.scoring.thresholds import Threshold, freeze

Pair = tuple[Path, Path]
KEY = ["task", "group", "operating_point", "metric"]


def keyed(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(operating_point=table["operating_point"].fillna("")).set_index(KEY)


@pytest.mark.filterwarnings("ignore:kappa")
def test_values_are_those_of_the_score_tables(pair: Pair, judged: Judge) -> None:
    found = keyed(judged(*pair).table)
    for name, folder in zip("ab", pair, strict=True):
        scored = score_runs([folder], replicates=100)
        scored = keyed(scored[scored["split"] == "test"])
        assert set(scored.index) == set(found.index)
        for column, own in ((name, "value"), ("n", "n"), ("n_positive", "n_positive"), ("n_clusters", "n_clusters")):
            left, right = (part[col].astype(float).sort_index() for part, col in ((found, column), (scored, own)))
            np.testing.assert_allclose(left, right, atol=1e-12)
        threshold = scored.xs("frozen", level="operating_point")["threshold"].iloc[0]
        assert found.xs("frozen", level="operating_point")[f"{name}_threshold"].iloc[0] == pytest.approx(threshold)
    differences = (found["b"] - found["a"] - found["difference"]).dropna()
    assert len(differences) > 20
    assert (differences.abs() < 1e-12).all()


@pytest.mark.filterwarnings("ignore:kappa")
def test_the_other_way_round_is_the_negative(pair: Pair, judged: Judge) -> None:
    there, back = judged(*pair).table, judged(*pair[::-1]).table
    turns = {"difference": ("difference", -1), "lo": ("hi", -1), "hi": ("lo", -1), "a": ("b", 1)}
    turns |= {name: (name, 1) for name in ("p", "p_holm", "test_p", "n_differing")}
    for column, (turned, sign) in turns.items():
        left, right = there[column].astype(float), sign * back[turned].astype(float)
        np.testing.assert_allclose(left, right, atol=1e-12, err_msg=column)


@pytest.mark.filterwarnings("ignore:kappa")
def test_the_order_of_rows_changes_nothing(pair: Pair, judged: Judge) -> None:
    before = judged(*pair).table
    for seed, folder in enumerate(pair):
        altered(folder, lambda frame, seed=seed: frame.sample(frac=1, random_state=seed))  # type: ignore[misc]
    pd.testing.assert_frame_equal(judged(*pair).table, before)


@pytest.mark.filterwarnings("ignore:kappa")
def test_a_run_beside_itself(pair: Pair, judged: Judge) -> None:
    table = judged(pair[0], pair[0]).table
    known = table[table["difference"].notna() & (table["metric"] != "ece")]
    assert (known["difference"] == 0).all()
    assert (known["p"] == 1).all()
    assert known["lo"].isna().all()
    assert not any("is better" in text for text in claims(judged(pair[0], pair[0])))


def test_undefined_and_biased_metrics_say_why(pair: Pair, judged: Judge) -> None:
    for folder in pair:
        altered(folder, lambda frame: frame.assign(target=frame["target"] * 0))
    table = judged(*pair).table
    lost = table[table["metric"].isin(["auroc", "sensitivity"])]
    assert lost[["difference", "lo", "p", "test_p"]].isna().all(axis=None)
    assert lost["note"].str.contains("no positive").all()
    ece = table[table["metric"] == "ece"]
    assert ece["difference"].notna().all()
    assert ece[["lo", "hi", "p"]].isna().all(axis=None)
    assert ece["note"].str.contains("biased upwards").all()


@pytest.mark.filterwarnings("ignore:kappa")
def test_nothing_labelled(pair: Pair, judged: Judge) -> None:
    for folder in pair:
        altered(folder, lambda frame: frame.assign(target=np.nan))
    found = judged(*pair)
    assert found.table["difference"].isna().all()
    assert found.table["note"].str.contains("no labelled unit").all()
    assert claims(found)[0].startswith("Nothing can be said of AUROC: no labelled unit")


def test_refusals_stand_in_the_notes(pair: Pair, judged: Judge) -> None:
    table = judged(*pair).table
    rows = table[(table["group"] == "all") & table["metric"].isin(["auroc", "accuracy"])]
    assert rows["test"].isna().all()
    assert rows["note"].str.contains(r"refused: 19 of 20 patients have several units").all()
    for folder in pair:
        altered(folder, lambda frame: frame.assign(group_id=frame["unit_id"]))
    table = judged(*pair).table
    rows = table[(table["group"] == "all") & table["metric"].isin(["auroc", "accuracy"])]
    assert rows["test"].tolist() == ["DeLong", "McNemar", "McNemar"]
    assert rows["test_p"].notna().all()


def by_hand(p: list[float]) -> list[float]:
    found, order = [0.0] * len(p), sorted(range(len(p)), key=p.__getitem__)
    highest = 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, p[place] * (len(p) - rank)))
        found[place] = highest
    return found


@pytest.mark.parametrize("p", [[0.01, 0.04, 0.03, 0.005], [0.5], [0.9, 0.9], [0.02, 0.02, 0.03]])
def test_holm_by_hand(p: list[float]) -> None:
    np.testing.assert_allclose(holm(np.array(p)), by_hand(p))


@settings(max_examples=10, deadline=None)  # each call of statsmodels' collects garbage
@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_holm_is_that_of_statsmodels(p: list[float]) -> None:
    np.testing.assert_array_equal(holm(np.array(p)), multipletests(p, method="holm")[1])


def test_families_are_groups_of_a_task_or_tasks() -> None:
    rows = [("t", "all", 0.01), ("u", "all", 0.04), ("t", "x=1", 0.01), ("t", "x=2", 0.03), ("t", "x=3", None),
            ("u", "x=1", 0.03)]  # fmt: skip
    table = pd.DataFrame(rows, columns=["task", "group", "p"]).astype({"p": "Float64"})
    table = table.assign(metric="auroc", operating_point=None, test_p=table["p"])
    found = adjusted(table)
    np.testing.assert_allclose(found["p_holm"].astype(float), [0.02, 0.04, 0.02, 0.03, np.nan, 0.03])
    np.testing.assert_allclose(found["test_p_holm"].astype(float), found["p_holm"].astype(float))
    other = adjusted(table.assign(metric=["a", "b", "a", "b", "a", "a"]))
    np.testing.assert_allclose(other["p_holm"].astype(float), table["p"].astype(float))


def seeds(run: Make, folder: Path, first: int, size: float) -> Path:
    folder.mkdir()
    for seed in range(3):
        shutil.move(altered(run(0, folds=1), noisy(first + seed, size), seed=seed), folder / str(seed))
    return folder


def test_seeds_count_by_their_mean(run: Make, tmp_path: Path, judged: Judge) -> None:
    a, b = seeds(run, tmp_path / "a", 0, 0.1), seeds(run, tmp_path / "b", 10, 0.3)
    found = judged(a, b, metrics=["auroc", "kappa"])
    row = found.table[(found.table["metric"] == "auroc") & (found.table["group"] == "all")].iloc[0]
    for name, folder in (("a", a), ("b", b)):
        own = []
        for one in sorted(folder.iterdir()):
            test = read(one / "predictions" / "test.parquet").frame
            studies = test.groupby("unit_id").agg({"target": "first", "probability": "mean"}).dropna()
            own.append(sk.roc_auc_score(studies["target"], studies["probability"]))
        assert row[name] == pytest.approx(np.mean(own))
        assert row[f"{name}_sd"] == pytest.approx(np.std(own, ddof=1))
    assert (row["a_trainings"], row["b_trainings"]) == (3, 3)
    said = claims(found)
    assert any("mean of these 3 (A) and 3 (B) trained models" in text and "over seeds: sd" in text for text in said)
    one = judged(str(tmp_path / "a" / "*"), b, metrics=["auroc", "kappa"])
    pd.testing.assert_frame_equal(one.table, found.table)
    assert "For these give several seeds" in claims(judged(a / "0", b / "0"))[-1]


def test_folds_are_joined(run: Make, tmp_path: Path, judged: Judge) -> None:
    for name, seed in (("a", 0), ("b", 1)):
        (tmp_path / name).mkdir()
        for fold in range(3):
            made = run(fold)
            shutil.move(altered(made, noisy(seed), seed=seed) if seed else made, tmp_path / name / str(fold))
    found = judged(tmp_path / "a", tmp_path / "b")
    scored = score_runs(sorted((tmp_path / "a").iterdir()), replicates=100)
    left, right = (keyed(part[part["group"] == "all"]) for part in (found.table, scored))
    np.testing.assert_allclose(left["a"].astype(float).sort_index(), right["value"].astype(float).sort_index())
    assert (left["n"] == 117).all()
    assert any("ranks the scores of several folds" in note for note in found.notes)


def heads(folder: Path, seed: int) -> Path:
    """Leave a run of an age, a grade and four findings; the answers depend on `seed`, units and labels do not."""
    tasks = {"age": AGE, "grade": GRADE, **FINDINGS}
    for split in ("val", "test"):
        frame = pd.concat(
            [ages(80, split=split), graded(80, split=split), findings(80, split=split)], ignore_index=True
        )
        rng = np.random.default_rng(seed)
        frame["value"] = np.clip(frame["value"] + rng.normal(0, 1 + 10 * seed * (frame["task"] == "age")), 0, 240)
        frame.loc[frame["task"] == "grade", "value"] = frame["value"].clip(0, 4)
        frame["probability"] = np.clip(frame["probability"] + rng.normal(0, 0.1 * seed, len(frame)), 0, 1)
        grades = frame["task"] == "grade"
        turned = [
            (score + rng.dirichlet(np.ones(5)) * seed) / (1 + seed) for score in frame.loc[grades, "probabilities"]
        ]
        frame.loc[grades, "probabilities"] = pd.Series(turned, index=frame.index[grades])
        write(folder / "predictions" / f"{split}.parquet", frame, tasks, {"name": folder.name, "seed": seed}, {})
    freeze(folder / "thresholds.json", {name: Threshold("youden", 0.4, "val", 60, 20) for name in list(FINDINGS)[:3]})
    (folder / "result.json").write_text(json.dumps({"source": "real"}))
    return folder


@pytest.fixture
def every(tmp_path: Path) -> Comparison:
    a, b = heads(tmp_path / "a", 0), heads(tmp_path / "b", 1)
    return compare(side("A", a), side("B", b), replicates=200)


@pytest.mark.filterwarnings("ignore:kappa", "ignore:quadratic_kappa")
def test_every_head_is_compared(every: Comparison, tmp_path: Path) -> None:
    found = keyed(every.table)
    for name in "ab":
        scored = score_runs([tmp_path / name], replicates=100)
        scored = keyed(scored[scored["split"] == "test"])
        assert set(scored.index) == set(found.index)
        left, right = (part.sort_index().astype(float) for part in (found[name], scored["value"]))
        np.testing.assert_allclose(left, right, atol=1e-9)
    assert every.chosen["age"] == ["mae"]
    assert every.chosen["shoulder"] == ["macro_auroc"]
    assert (
        "left out, of one outcome only: shoulder.implant" in found.loc[("shoulder", "all", "", "macro_auroc"), "note"]
    )


@pytest.mark.parametrize(("head", "task", "metric"), [("regression", "age", "mae"), ("ordinal", "grade", "mae")])
def test_claims_name_the_better_side_whatever_the_direction(
    every: Comparison, head: str, task: str, metric: str
) -> None:
    row = every.table[
        (every.table["task"] == task) & (every.table["group"] == "all") & (every.table["metric"] == metric)
    ]
    assert row["difference"].iloc[0] > 0
    said = [text for text in claims(every) if text.lower().startswith(f"{task}, b's mae")]
    if head == "regression":
        assert row["p_holm"].iloc[0] < 0.05
        assert len(said) == 1
        assert "months higher than A's [" in said[0]
        assert said[0].split(": ")[-1].startswith("A is better")


def test_holm_over_tasks_and_over_groups(every: Comparison) -> None:
    auroc = every.table[every.table["metric"] == "auroc"]
    overall = auroc[auroc["group"] == "all"]
    assert len(overall) == 4
    known = overall["p"].dropna().astype(float).tolist()
    np.testing.assert_allclose(overall["p_holm"].dropna().astype(float), by_hand(known))
    age = every.table[every.table["metric"] == "mae"]
    groups = age[(age["task"] == "age") & (age["group"] != "all") & age["p"].notna()]
    assert len(groups) > 3
    np.testing.assert_allclose(groups["p_holm"].astype(float), by_hand(groups["p"].astype(float).tolist()))
