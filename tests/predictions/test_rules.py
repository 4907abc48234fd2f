from typing import Any

import numpy as np
import pytest

from osteon.errors import OsteonError
from osteon.predictions import TaskFacts, check, drop_repeats
from tests.predictions.conftest import rows

BINARY = {"mura": TaskFacts()}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"probability": [0.1, 1.2, -1, 1]},
            r"task mura: probability is not in \[0, 1\] in 2 of 4.*image_id=b.*image_id=c",
        ),
        ({"probability": [0.1, np.nan, 0, 1]}, r"probability is not in \[0, 1\] in 1 of 4 rows. First: .*image_id=b"),
        ({"probability": [0.1, np.inf, 0, 1]}, r"probability is not in \[0, 1\]"),
        ({"probability": ["0.1", "x", "0", "1"]}, "probability is not a number.*image_id=b"),
        ({"target": [0, 0, 2, 1]}, r"target is not empty and not one of 0..1 in 1 of 4.*image_id=c"),
        ({"target": [0, 0, 0.5, 1]}, "target is not empty"),
        ({"target": [0, 0, -1, 1]}, "target is not empty"),
        ({"split": "train"}, "split is not one of val, test"),
        ({"source": "drawn"}, "source is not one of real, phantom"),
        ({"task": ["mura", "mura", "hip", "mura"]}, "task is not one of mura in 1"),
        ({"image_id": list("aacd")}, "image_id repeats within its task and split"),
        ({"image_id": ["a", None, "c", "d"]}, "image_id is empty"),
        ({"group_id": ["p", "x", "p", "q"]}, "one unit in two groups.*unit_id=p/1, group_id=p.*group_id=x"),
        ({"split": ["test", "test", "val", "test"]}, "one group .patient. in two splits"),
    ],
)
def test_a_breach_names_the_first_rows(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(OsteonError, match=message):
        check(rows(**changes), BINARY)


def test_missing_columns_come_with_the_way_out() -> None:
    with pytest.raises(OsteonError, match=r"no column unit_id.*repeat image_id"):
        check(rows().drop(columns="unit_id"), BINARY)
    with pytest.raises(OsteonError, match=r"no column probability.*Did you mean 'probabilty'"):
        check(rows().rename(columns={"probability": "probabilty"}), BINARY)
    with pytest.raises(OsteonError, match="no column body_part"):
        check(rows(), {"mura": TaskFacts(groups=("body_part",))})
    with pytest.raises(OsteonError, match="no row"):
        check(rows().iloc[:0], BINARY)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([0.5, 0.5], "has not 3 entries"),
        ([0.5, 0.6, 0.2], "with sum 1"),
        ([1.5, -0.5, 0], "with sum 1"),
        (None, "entries"),
    ],
)
def test_probabilities_of_classes(value: list[float] | None, message: str) -> None:
    facts = {"mura": TaskFacts(head="multiclass", classes=("a", "b", "c"))}
    good = [[0.2, 0.3, 0.5]] * 3
    with pytest.raises(OsteonError, match=f"{message}.*image_id=d"):
        check(rows(probabilities=[*good, value]), facts)
    with pytest.raises(OsteonError, match=r"0..2 in 1 of 4"):
        check(rows(probabilities=[*good, good[0]], target=[0, 1, 3, np.nan]), facts)


def test_ids_become_text_and_the_callers_table_stays() -> None:
    frame = rows(image_id=[1, 2, 3, 4], target=[0, 0, 1, 1])
    found = check(frame, BINARY)
    assert found["image_id"].tolist() == ["1", "2", "3", "4"]
    assert found["target"].dtype == np.float64
    assert frame["image_id"].tolist() == [1, 2, 3, 4]


def test_two_tasks_may_share_an_image() -> None:
    both = rows(
        task=["mura", "hip", "mura", "hip"], image_id=["a", "a", "c", "c"], unit_id=list("aacc"), group_id=list("aacc")
    )
    assert len(check(both, {"mura": TaskFacts(), "hip": TaskFacts()})) == 4
    assert len(drop_repeats(both)) == 4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pool": "meen"}, "pool: 'meen' is not one of .*Did you mean 'mean'"),
        ({"head": "box"}, "head: 'box'"),
        ({"truth": "some"}, "truth: 'some'"),
        ({"protocol_threshold": 1.5}, "outside"),
        ({"protocol_threshold": float("nan")}, "outside"),
        ({"protocol_threshold": "a"}, "protocol_threshold: 'a' is not a number"),
        ({"protocol_threshold": True}, "is not a number"),
        ({"classes": ("a", "b", "c")}, "do not fit a binary head"),
        ({"classes": "ab"}, "classes: 'ab' is not a list of texts"),
        ({"groups": [["view"]]}, "is not a list of texts"),
        ({"unit": 3}, "unit: 3 is not a text"),
        (
            {"head": "multiclass", "classes": ("a", "b", "c"), "monitor": "recall_9"},
            "monitor: 'recall_9', but the classes are a, b, c; expected recall_0 to recall_2",
        ),
        ({"head": "multiclass", "classes": ("a", "b", "c"), "monitor": "recall_3"}, "monitor: 'recall_3'"),
    ],
)
def test_facts_refuse_what_has_no_meaning(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(OsteonError, match=message):
        TaskFacts(**changes)


def test_facts_survive_json() -> None:
    facts = TaskFacts(
        head="multiclass", unit="joint", pool="vote", truth="max", classes=("0", "1", "2"), groups=("leg",)
    )
    assert TaskFacts.from_json(facts.to_json() | {"later": 1}) == facts


def test_a_group_named_twice_counts_once() -> None:
    assert TaskFacts(groups=("view", "leg", "view")).groups == ("view", "leg")


def test_the_last_class_may_be_watched() -> None:
    assert TaskFacts(head="multiclass", classes=("a", "b", "c"), monitor="recall_2").monitor == "recall_2"


AGE = {"mura": TaskFacts(head="regression", low=0.0, high=240.0, unit_name="months")}
GRADE = {"mura": TaskFacts(head="ordinal", classes=("0", "1", "2"))}


def graded(**changes: Any) -> Any:
    even = {"probabilities": [[0.2, 0.3, 0.5]] * 4, "value": [1.3] * 4, "target": [0.0, 2.0, np.nan, 1.0]}
    return rows(**(even | changes))


def test_numbers_and_grades_that_keep_the_rules_pass() -> None:
    frame = rows(value=[0.0, 240.0, 13.5, 7], target=[0.0, 239.9, np.nan, 3.25]).drop(columns="probability")
    assert check(frame, AGE)["value"].dtype == np.float64
    assert len(check(graded(), GRADE)) == 4
    anything = {"mura": TaskFacts(head="regression")}
    assert len(check(rows(value=[-1e9, 1e9, 0, 0], target=[-5.0, 1e9, np.nan, 0]), anything)) == 4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"value": [1.0, 240.1, 3, 4]}, r"task mura: value is not a number from 0 to 240 in 1 of 4.*image_id=b"),
        ({"value": [1.0, np.nan, 3, 4]}, "value is not a number from 0 to 240 in 1"),
        ({"value": [1.0, np.inf, 3, 4]}, "value is not a number from 0 to 240 in 1"),
        ({"value": ["1", "x", "3", "4"]}, "value is not a number.*image_id=b"),
        ({"value": 1.0, "target": [0, -3.0, 1, 1]}, r"target is not a number from 0 to 240 in 1 of .*image_id=b"),
    ],
)
def test_numbers_outside_the_scale_are_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(OsteonError, match=message):
        check(rows(**changes), AGE)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"value": [1.0, 2.5, 1, 1]}, "value is not a number from 0 to 2 in 1"),
        ({"target": [0.0, 3.0, 1, 1]}, r"not one of 0\.\.2 in 1"),
        ({"probabilities": [[0.2, 0.3, 0.4]] * 4}, r"probabilities are not in \[0, 1\] with sum 1"),
        ({"probabilities": [[0.5, 0.5]] * 4}, "has not 3 entries"),
    ],
)
def test_grades_outside_the_scale_are_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(OsteonError, match=message):
        check(graded(**changes), GRADE)


def test_a_number_needs_its_column() -> None:
    with pytest.raises(OsteonError, match="no column value"):
        check(rows(), AGE)
    with pytest.raises(OsteonError, match="no column value"):
        check(graded().drop(columns="value"), GRADE)


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"head": "regresion"}, "Did you mean 'regression'"),
        ({"head": "regression", "low": 9.0, "high": 3.0}, "9 is not below 3"),
        ({"head": "regression", "low": "0"}, "low: '0' is not a number"),
        ({"head": "ordinal", "classes": ("0", "1"), "cut": 2}, "cut: 2, but expected 1 to 1"),
        ({"head": "ordinal", "classes": ("0", "1"), "cut": 1.0}, r"cut: 1\.0 is not a whole number"),
        ({"cut": 1}, "only an ordinal head"),
        ({"head": "ordinal", "classes": ("0", "1"), "monitor": "auroc_at_cut"}, "needs a cut"),
        ({"head": "ordinal", "classes": ("0", "1"), "monitor": "recall_2"}, "expected recall_0 to recall_1"),
        ({"head": "ordinal", "classes": ("0",)}, "do not fit"),
        ({"of": 3}, "of: 3 is not a text"),
    ],
)
def test_facts_that_mean_nothing_are_refused(told: dict[str, Any], message: str) -> None:
    with pytest.raises(OsteonError, match=message):
        TaskFacts(**told)


def test_each_head_has_a_monitor_of_its_own() -> None:
    heads = ("binary", "multiclass", "ordinal", "regression")
    found = [TaskFacts(head=head).monitor for head in heads]
    assert found == ["auroc", "macro_auroc", "quadratic_kappa", "mae"]
    assert TaskFacts(head="regression").classes == ()


@pytest.mark.parametrize("odd", [["a", "b", "c"], [{"a": 1}, 0, 0], [[0.2], [0.3], [0.5]], [[0.2, 0.8], 0.3, 0.5]])
@pytest.mark.parametrize("place", [0, 2])
def test_probabilities_that_are_no_numbers_are_named(odd: list[Any], place: int) -> None:
    cells: list[Any] = [[0.2, 0.3, 0.5]] * 4
    cells[place] = odd
    facts = {"mura": TaskFacts("multiclass", classes=("a", "b", "c"))}
    with pytest.raises(OsteonError, match=r"probabilities is not a list of 3 numbers in 1 of 4 rows"):
        check(rows(probabilities=cells, target=[0, 1, 2, np.nan]), facts)
