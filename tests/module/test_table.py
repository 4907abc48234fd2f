import numpy as np
import pandas as pd
import pytest

from osteon.errors import OsteonError
from osteon.manifest import complete
from osteon.module import PredictionTable, check_units, unit_ids
from osteon.predictions import TaskFacts


def frame() -> pd.DataFrame:
    return complete(
        pd.DataFrame(
            {
                "image_id": list("abcd"),
                "dataset": "d",
                "path": list("abcd"),
                "split": "test",
                "patient_id": ["p1", "p1", "p2", None],
                "study_id": ["s1", "s1", "s1", "s/9"],
                "laterality": ["L", "R", "L", "R"],
                "group_id": ["p1", "p1", "p2", "d"],
                "body_part": ["hip", "hip", "leg", None],
            }
        )
    )


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("image", ["a", "b", "c", "d"]),
        ("study", ["p1/s1", "p1/s1", "p2/s1", "d/s%2F9"]),
        ("joint", ["p1/s1/L", "p1/s1/R", "p2/s1/L", "d/s%2F9/R"]),
    ],
)
def test_units(unit: str, expected: list[str]) -> None:
    assert unit_ids(frame(), unit).tolist() == expected


@pytest.mark.parametrize(
    ("unit", "column"), [("study", "study_id"), ("joint", "laterality"), ("patient", "patient_id")]
)
def test_a_unit_without_its_column_is_refused(unit: str, column: str) -> None:
    blank = frame().assign(**{column: [None, "p", "p", "p"]})
    with pytest.raises(OsteonError, match=rf"tasks\.hip\.unit: found '{unit}', but 1 of 4 images have no {column}"):
        check_units(complete(blank), unit, "tasks.hip.unit")
    check_units(complete(blank), "image", "tasks.hip.unit")


def table() -> PredictionTable:
    facts = {
        "hip": TaskFacts(unit="study", groups=("body_part",)),
        "kl": TaskFacts(head="multiclass", classes=("0", "1")),
    }
    members = {"hip": np.array([True, True, True, False]), "kl": np.array([False, False, True, True])}
    targets = {"hip": np.array([1, 0, np.nan, np.nan]), "kl": np.array([np.nan, np.nan, 1, 0])}
    return PredictionTable(frame(), targets, members, facts, "phantom")


def test_rows_of_other_tasks_are_left_out_and_repeats_dropped() -> None:
    rows = np.array([2, 0, 3, 1, 0])
    decoded = {
        "hip": {"probability": np.array([0.2, 0.0, 0.3, 0.1, 0.9])},
        "kl": {"probabilities": np.array([[0.8, 0.2], [0, 1], [0.7, 0.3], [0, 1], [0, 1]])},
    }
    built = table().build(rows, decoded)
    hip = built[built["task"] == "hip"]
    assert hip["image_id"].tolist() == ["a", "b", "c"]
    assert hip["probability"].tolist() == [0.0, 0.1, 0.2]
    assert hip["target"].tolist()[:2] == [1, 0]
    assert np.isnan(hip["target"].iloc[2])
    assert hip["body_part"].tolist() == ["hip", "hip", "leg"]
    kl = built[built["task"] == "kl"]
    assert kl["image_id"].tolist() == ["c", "d"]
    assert [list(value) for value in kl["probabilities"]] == [[0.8, 0.2], [0.7, 0.3]]
    assert set(built["source"]) == {"phantom"}


def test_each_label_of_several_is_a_task_of_its_own() -> None:
    facts = {"t.a": TaskFacts(of="t"), "t.b": TaskFacts(of="t")}
    targets = {"t": np.array([[1, np.nan], [0, 1], [np.nan, 0], [1, 1]])}
    told = PredictionTable(frame(), targets, {"t": np.array([True, True, True, False])}, facts, "real")
    decoded = {"t": {"probability": np.array([[0.3, 0.4], [0.1, 0.2], [0.5, 0.6], [0.7, 0.8], [0.9, 1.0]])}}
    built = told.build(np.array([1, 0, 2, 3, 0]), decoded)
    assert built["task"].tolist() == ["t.a"] * 3 + ["t.b"] * 3
    assert built["image_id"].tolist() == list("abc") * 2
    np.testing.assert_array_equal(built["target"], [1, 0, np.nan, np.nan, 1, 0])
    assert built["probability"].tolist() == [0.1, 0.3, 0.5, 0.2, 0.4, 0.6]


def test_numbers_keep_their_digits() -> None:
    months = np.array([123.4, 0.1, np.nan, 7.0])
    members = {"age": np.ones(4, dtype=bool)}
    told = PredictionTable(frame(), {"age": months}, members, {"age": TaskFacts(head="regression")}, "real")
    built = told.build(np.arange(4), {"age": {"value": months + 1}})
    np.testing.assert_array_equal(built["target"], months)
    np.testing.assert_array_equal(built["value"], months + 1)
