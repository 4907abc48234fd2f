"""The findings of a multilabel task together."""

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics as sk

from osteon.predictions import Predictions
from osteon.scoring import bootstrap, delong
from osteon.scoring.macro import owners, sample_of_labels
from osteon.scoring.metrics import METRICS, direction
from osteon.scoring.show import to_markdown
from osteon.scoring.table import score
from osteon.scoring.thresholds import Threshold
from osteon.scoring.units import units
from tests.scoring.drawn import FINDINGS, findings

REFERENCES = {"macro_auroc": sk.roc_auc_score, "macro_average_precision": sk.average_precision_score}


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return findings()


@pytest.fixture(scope="module")
def table(frame: pd.DataFrame) -> pd.DataFrame:
    frozen = {name: Threshold("youden", 0.45, "val", 40, 20) for name in list(FINDINGS)[:3]}
    return score(Predictions(frame, FINDINGS), frozen, replicates=100)


def long(frame: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    tables = [units(frame[frame["task"] == name], FINDINGS[name]).assign(finding=name) for name in names]
    joined = pd.concat(tables, ignore_index=True)
    return joined[joined["target"].notna()]


def test_the_mean_is_of_the_findings_with_both_outcomes(frame: pd.DataFrame, table: pd.DataFrame) -> None:
    macro = table[table["task"] == "shoulder"]
    for group in ("all", "sex=F"):
        part = frame if group == "all" else frame[frame["sex"] == "F"]
        for name, reference in REFERENCES.items():
            values = []
            for finding in list(FINDINGS)[:3]:
                studies = (
                    part[part["task"] == finding].groupby("unit_id").agg({"target": "first", "probability": "mean"})
                )
                values.append(reference(studies.dropna()["target"], studies.dropna()["probability"]))
            row = macro[(macro["metric"] == name) & (macro["group"] == group)].iloc[0]
            assert row["value"] == pytest.approx(np.mean(values), abs=1e-6)
            assert "left out, of one outcome only: implant" in row["note"]
            assert row["lo"] < row["value"] < row["hi"]
    overall = macro[macro["group"] == "all"]
    assert (overall["n"] == frame["unit_id"].nunique()).all()
    assert (overall["n_clusters"] == frame["group_id"].nunique()).all()
    assert overall["n_positive"].isna().all()


def test_patients_are_drawn_once_for_all_findings(frame: pd.DataFrame) -> None:
    """The naive loop: each patient's studies of every finding as often as the patient was drawn."""
    names = list(FINDINGS)[:3]
    rows = long(frame, names)
    sample = sample_of_labels(rows)
    drawn = np.concatenate(list(bootstrap.draws(sample.clusters, 20, 4, len(rows))), axis=1)
    patients = pd.unique(rows["group_id"])
    for name, reference in REFERENCES.items():
        found = METRICS[name].prepare(sample, "multilabel")(drawn)
        for value, column in zip(found, drawn.T, strict=True):
            times = dict(zip(patients, column.astype(int), strict=True))
            again = rows.loc[rows.index.repeat(rows["group_id"].map(times))]
            parts = [reference(part["target"], part["probability"]) for _, part in again.groupby("finding")]
            assert value == pytest.approx(np.mean(parts), abs=1e-9)


def test_a_finding_copied_adds_nothing_to_the_interval(frame: pd.DataFrame) -> None:
    """Two names of one finding share every error: the mean is as uncertain as one of them."""
    one = long(frame, ["shoulder.fracture"])
    both = pd.concat([one, one.assign(finding="again")], ignore_index=True)
    bounds = []
    for rows in (one, both):
        sample = sample_of_labels(rows)
        curves = [
            (sample.score[at], sample.target[at] == 1, sample.cluster[at])
            for at in (sample.label == label for label in np.unique(sample.label))
        ]
        bounds.append(delong.interval_of_mean(curves)[:2])
    first = sample_of_labels(one)
    assert bounds[0] == pytest.approx(delong.interval(first.score, first.target == 1, first.cluster)[:2], abs=1e-12)
    assert bounds[1] == pytest.approx(bounds[0], abs=1e-12)


def test_findings_stay_binary_tasks(table: pd.DataFrame) -> None:
    assert owners(FINDINGS) == {"shoulder": list(FINDINGS)}
    fracture = table[table["task"] == "shoulder.fracture"]
    assert set(fracture["operating_point"].dropna()) == {"protocol", "frozen"}
    implant = table[(table["task"] == "shoulder.implant") & (table["group"] == "all")]
    assert set(implant["operating_point"].dropna()) == {"protocol"}
    assert implant.set_index("metric")["value"].isna()["auroc"]


def test_nothing_to_take_the_mean_of(frame: pd.DataFrame) -> None:
    for target in (np.nan, 0.0):
        table = score(Predictions(frame.assign(target=target), FINDINGS), {}, replicates=100)
        macro = table[table["task"] == "shoulder"]
        assert macro["value"].isna().all()
        assert macro["note"].str.contains("left out, of one outcome only: fracture, luxation").all()
        assert "n/a" in to_markdown(table)


def test_the_sheet_has_a_macro_line_and_a_line_a_finding(table: pd.DataFrame) -> None:
    text = to_markdown(table)
    lines = [line.split("|")[1].strip().rstrip("*") for line in text.splitlines() if line.startswith("| ")]
    expected = ["finding", "---", "macro", "fracture", "luxation", "calcification", "implant"]
    assert lines == [*expected, "macro, sex=F", "macro, sex=M"] * 2
    assert "shoulder · test · per study · protocol threshold 0.5" in text
    assert "frozen threshold 0.45" in text
    assert text.count("left out, of one outcome only: implant") == 2
    assert direction("macro_average_precision") == "max"
