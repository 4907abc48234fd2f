import time
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osteon.errors import OsteonError
from osteon.predictions import TaskFacts
from osteon.scoring.units import scores, units

# Two patients; unit A of three images, B of one, C unlabelled.
TABLE = pd.DataFrame(
    {
        "unit_id": ["A", "B", "A", "C", "A"],
        "group_id": ["p", "p", "p", "q", "p"],
        "source": "real",
        "image_id": list("abcde"),
        "target": [1.0, 0.0, np.nan, np.nan, 1.0],
        "probability": [0.2, 0.5, 0.6, 1.0, 0.7],
        "part": ["leg", None, "hip", "leg", None],
        "metal": [1.0, 0.0, 1.0, np.nan, np.nan],
    }
)


@pytest.mark.parametrize(
    ("pool", "expected"),
    [
        ("mean", [0.5, 0.5, 1.0]),
        ("max", [0.7, 0.5, 1.0]),
        ("noisy_or", [1 - 0.8 * 0.4 * 0.3, 0.5, 1.0]),
        ("vote", [2 / 3, 0.0, 1.0]),
    ],
)
def test_pooling_by_hand(pool: str, expected: list[float]) -> None:
    table = units(TABLE, TaskFacts(pool=pool, groups=("part", "metal")))
    assert table["unit_id"].tolist() == ["A", "B", "C"]
    assert table["group_id"].tolist() == ["p", "p", "q"]
    assert table["n_images"].tolist() == [3, 1, 1]
    np.testing.assert_allclose(table["probability"], expected, rtol=1e-15)
    np.testing.assert_array_equal(table["target"], [1.0, 0.0, np.nan])
    assert table["part"].tolist() == ["hip+leg", "unknown", "leg"]
    assert table["metal"].tolist() == ["1", "0", "unknown"]


@pytest.mark.parametrize(("truth", "expected"), [("any", 1.0), ("max", 1.0)])
def test_truth_of_a_unit_whose_images_differ(truth: str, expected: float) -> None:
    frame = TABLE.assign(target=[1.0, 0.0, 0.0, np.nan, 1.0])
    assert units(frame, TaskFacts(truth=truth))["target"].iloc[0] == expected
    with pytest.raises(OsteonError, match=r"unit A: its images have different targets \(a=1, c=0, e=1\)"):
        units(frame, TaskFacts(truth="same"))


def test_ordinal_truth_takes_the_highest() -> None:
    frame = TABLE.assign(target=[1.0, 0.0, 3.0, np.nan, 2.0], probabilities=[[0.1, 0.2, 0.3, 0.4]] * 5)
    facts = TaskFacts(head="multiclass", truth="max", classes=("0", "1", "2", "3"))
    assert units(frame, facts)["target"].tolist()[:2] == [3.0, 0.0]


@pytest.mark.parametrize(("pool", "expected"), [("mean", [0.4, 0.3, 0.3]), ("vote", [2 / 3, 0, 1 / 3])])
def test_classes_are_pooled_one_by_one(pool: str, expected: list[float]) -> None:
    probabilities = [[0.6, 0.3, 0.1], [0.1, 0.8, 0.1], [0.5, 0.4, 0.1], [0.2, 0.2, 0.6], [0.1, 0.2, 0.7]]
    facts = TaskFacts(head="multiclass", classes=("x", "y", "z"), pool=pool)
    table = units(TABLE.assign(probabilities=probabilities), facts)
    np.testing.assert_allclose(scores(table, facts)[0], expected)
    assert scores(table, facts).shape == (3, 3)


@pytest.mark.parametrize("pool", ["max", "noisy_or"])
def test_classes_have_no_maximum(pool: str) -> None:
    facts = TaskFacts(head="multiclass", classes=("x", "y"), pool=pool)
    with pytest.raises(OsteonError, match="choose mean or vote"):
        units(TABLE.assign(probabilities=[[0.5, 0.5]] * 5), facts)


VALUES = [10.0, 50.0, 20.0, 7.0, 60.0]


def test_numbers_are_pooled_by_their_mean() -> None:
    facts = TaskFacts(head="regression")
    table = units(TABLE.assign(value=VALUES, target=[31.5, 48.0, np.nan, np.nan, 31.5]), facts)
    np.testing.assert_allclose(scores(table, facts), [30.0, 50.0, 7.0])
    np.testing.assert_array_equal(table["target"], [31.5, 48.0, np.nan])
    assert "target_band" not in table
    with pytest.raises(OsteonError, match="'vote' has no meaning for a regression head; choose mean"):
        units(TABLE.assign(value=VALUES), TaskFacts(head="regression", pool="vote"))


@pytest.mark.parametrize(("pool", "expected"), [("mean", 1.1), ("vote", 1.0)])
def test_grades_pool_probabilities_and_the_expected_grade(pool: str, expected: float) -> None:
    probabilities = [[0.6, 0.3, 0.1], [0.1, 0.8, 0.1], [0.3, 0.2, 0.5], [0.2, 0.2, 0.6], [0.1, 0.5, 0.4]]
    value = [0.5, 1.0, 1.3, 1.4, 1.5]
    facts = TaskFacts(head="ordinal", classes=("0", "1", "2"), pool=pool)
    table = units(TABLE.assign(probabilities=probabilities, value=value), facts)
    assert table["value"].iloc[0] == pytest.approx(expected)
    np.testing.assert_allclose(scores(table, facts)[0], [1 / 3] * 3)


def test_a_regressions_units_know_the_band_of_their_target() -> None:
    facts = TaskFacts(head="regression", low=0.0, high=80.0)
    table = units(TABLE.assign(value=VALUES, target=[31.5, 48.0, np.nan, np.nan, 31.5]), facts)
    assert table["target_band"].tolist()[:2] == ["20 to 40", "40 to 60"]
    assert table["target_band"].isna().tolist() == [False, False, True]


def test_a_vote_counts_strictly_above_the_protocols_threshold() -> None:
    table = units(TABLE, TaskFacts(pool="vote", protocol_threshold=0.6))
    assert table["probability"].tolist() == [1 / 3, 0.0, 1.0]


def test_equal_images_pool_to_their_own_value() -> None:
    frame = pd.DataFrame(
        {"unit_id": ["A"] * 3, "group_id": "p", "image_id": list("abc"), "target": 1.0, "probability": 0.1}
    )
    assert units(frame, TaskFacts())["probability"].iloc[0] == 0.1
    for pool in ("mean", "max", "noisy_or"):
        assert units(frame.iloc[:1], TaskFacts(pool=pool))["probability"].iloc[0] == 0.1


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(0, 6), st.floats(0, 1), st.sampled_from([0.0, 1.0, np.nan])), min_size=1, max_size=40
    )
)
def test_units_equal_a_group_by(images: list[tuple[int, float, float]]) -> None:
    frame = pd.DataFrame(images, columns=["unit_id", "probability", "target"])
    frame = frame.assign(unit_id=frame["unit_id"].astype(str), image_id=range(len(frame)), group_id="p")
    by = frame.groupby("unit_id")
    references: dict[str, Any] = {
        "mean": by["probability"].mean(),
        "max": by["probability"].max(),
        "noisy_or": by["probability"].agg(lambda part: 1 - np.prod(1 - part)),
    }
    for pool, reference in references.items():
        table = units(frame, TaskFacts(pool=pool, truth="any")).set_index("unit_id").sort_index()
        np.testing.assert_allclose(table["probability"], reference.sort_index(), atol=1e-12)
        np.testing.assert_array_equal(table["target"], by["target"].max().sort_index())


@pytest.mark.slow
def test_a_million_images_in_a_second() -> None:
    rng = np.random.default_rng(0)
    unit = np.repeat(np.arange(400_000), 3)[:1_000_000]
    frame = pd.DataFrame({"unit_id": unit.astype(str), "group_id": (unit // 2).astype(str), "target": unit % 2 * 1.0})
    frame["probability"], frame["part"] = rng.random(len(frame)), np.array(["hand", "hip"])[unit % 2]
    start = time.perf_counter()
    assert len(units(frame, TaskFacts(groups=("part",)))) == 333_334
    assert time.perf_counter() - start < 1.5
