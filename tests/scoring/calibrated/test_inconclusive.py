"""A band holds the units nearest to the threshold, no more than were asked for, and what is left is counted rightly."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osteon.errors import OsteonError
from osteon.predictions import TaskFacts
from osteon.scoring.calibrated.inconclusive import band_rows, check_share, curve, fit_band

BINARY = TaskFacts()
CLASSES = TaskFacts(head="multiclass", classes=("a", "b", "c"))


def table(scores: list[float], target: list[float] | None = None) -> pd.DataFrame:
    kind = [float(k % 2) for k in range(len(scores))] if target is None else target
    return pd.DataFrame({"probability": scores, "target": kind, "group_id": [str(k) for k in range(len(scores))]})


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=40), st.floats(0.05, 0.95), st.floats(0, 0.99))
def test_no_more_than_asked_are_inside_and_they_are_the_nearest(scores: list[float], cut: float, asked: float) -> None:
    val = table(scores)
    band = fit_band(val, BINARY, cut, asked)
    assert band.low <= cut <= band.high
    inside = [score for score in scores if band.low < score <= band.high]
    assert len(inside) <= asked * len(scores) + 1e-6
    assert band.found == pytest.approx(len(inside) / len(scores))


def test_by_hand() -> None:
    val = table([0.1, 0.2, 0.45, 0.55, 0.8, 0.9])
    band = fit_band(val, BINARY, 0.5, 0.34)
    assert 0.2 < band.low < 0.45
    assert 0.55 < band.high < 0.8
    test = table([0.1, 0.5, 0.9, 0.95, 0.48, 0.7], [0, 1, 1, 0, 0, 1])
    rows = {row["metric"]: row for row in band_rows(test, BINARY, 0.5, band)}
    assert rows["coverage"]["value"] == pytest.approx(3 / 6 if band.high >= 0.7 else 4 / 6)
    left = [0, 2, 3] if band.high >= 0.7 else [0, 2, 3, 5]
    calls = {0: 1, 2: 1, 3: 0, 5: 1}
    assert rows["accuracy"]["value"] == pytest.approx(np.mean([calls[k] for k in left]))


def test_of_classes_the_least_sure_are_left_out() -> None:
    scores = np.array([[0.4, 0.3, 0.3], [0.9, 0.05, 0.05], [0.5, 0.3, 0.2], [0.8, 0.1, 0.1]])
    val = pd.DataFrame(scores, columns=["p0", "p1", "p2"]).assign(target=[1.0, 0.0, 0.0, 0.0], group_id=list("abcd"))
    band = fit_band(val, CLASSES, 0.5, 0.5)
    assert 0.5 < band.high < 0.8
    rows = {row["metric"]: row for row in band_rows(val, CLASSES, 0.5, band)}
    assert (rows["coverage"]["value"], rows["accuracy"]["value"]) == (0.5, 1.0)


def test_a_curve_begins_with_every_unit_and_loses_some() -> None:
    rng = np.random.default_rng(0)
    target = rng.integers(0, 2, 300).astype(float)
    scores = np.clip(rng.normal(0.35 + 0.3 * target, 0.2), 0.001, 0.999)
    made = table(scores.tolist(), target.tolist())
    found = curve(made[:150], made[150:], BINARY, 0.5)
    covered = found[found["metric"] == "coverage"]["value"].to_numpy()
    assert covered[0] == 1
    assert (np.diff(covered) <= 0).all()
    right = found[found["metric"] == "accuracy"]["value"].to_numpy()
    assert right[-1] > right[0]


@pytest.mark.parametrize("value", [-0.1, 1.0, 7.0, float("nan")])
def test_a_share_that_leaves_nothing_is_refused(value: float) -> None:
    with pytest.raises(OsteonError, match="--inconclusive: found"):
        check_share(value)


def test_everything_of_one_score_stays_answered() -> None:
    band = fit_band(table([0.5] * 6), BINARY, 0.5, 0.5)
    assert (band.low, band.high, band.found) == (0.5, 0.5, 0.0)
