"""Predictive values equal Bayes' theorem and a table counted by hand; their intervals hold the truth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from statsmodels.stats.proportion import proportion_confint

from osteon.errors import OsteonError
from osteon.scoring.calibrated.prevalence import check_prevalence, interval_of, predictive_values

inner = st.floats(0.01, 0.99)


def test_kim_and_mackinnon_where_one_wrist_in_twenty_is_broken() -> None:
    # Sensitivity 45/50, specificity 44/50: of 1000 patients 50 are broken, 45 found, 114 called falsely.
    ppv, npv = predictive_values(0.9, 0.88, 0.05)
    assert ppv == pytest.approx(45 / (45 + 114))
    assert npv == pytest.approx(836 / (836 + 5))
    assert predictive_values(0.9, 0.88, 0.5) == pytest.approx((45 / 51, 44 / 49))


@given(inner, inner, inner)
def test_they_lie_between_0_and_1_and_rise_with_the_prevalence(se: float, sp: float, at: float) -> None:
    low, high = predictive_values(se, sp, at), predictive_values(se, sp, (1 + at) / 2)
    np.testing.assert_array_less(low[0], high[0] + 1e-9)  # type: ignore[operator]
    np.testing.assert_array_less(high[1], low[1] + 1e-9)  # type: ignore[operator]
    assert all(0 <= value <= 1 for value in (*low, *high) if value is not None)


def test_nobody_called_has_no_value() -> None:
    assert predictive_values(0.0, 1.0, 0.3) == (None, pytest.approx(0.7))
    assert predictive_values(1.0, 0.0, 0.3) == (pytest.approx(0.3), None)


def test_the_interval_joins_those_of_wilson() -> None:
    found = interval_of(np.arange(50) < 45, np.arange(50), np.arange(50) < 44, np.arange(50), 0.05)
    odds = np.log(0.05 / 0.95)
    (se_low, se_high), (sp_low, sp_high) = (proportion_confint(k, 50, method="wilson") for k in (45, 44))
    middle = np.log(0.9 / 0.12) + odds
    low = middle - np.hypot(np.log(0.9 / se_low), np.log((1 - sp_low) / 0.12))
    high = middle + np.hypot(np.log(se_high / 0.9), np.log(0.12 / (1 - sp_high)))
    assert found[0] == pytest.approx((expit(low), expit(high)))
    middle = np.log(0.88 / 0.1) - odds
    low = middle - np.hypot(np.log(0.88 / sp_low), np.log((1 - se_low) / 0.1))
    high = middle + np.hypot(np.log(sp_high / 0.88), np.log(0.1 / (1 - se_high)))
    assert found[1] == pytest.approx((expit(low), expit(high)))


def test_a_test_without_a_mistake_has_bounds_too() -> None:
    (low, high), (npv_low, npv_high) = interval_of(np.ones(9, bool), np.arange(9), np.ones(9, bool), np.arange(9), 0.1)
    assert high == npv_high == 1
    assert 0 < low < 0.5
    assert 0.9 < npv_low < 1
    (low, high), _ = interval_of(np.zeros(9, bool), np.arange(9), np.ones(9, bool), np.arange(9), 0.1)
    assert (low, high) == (0, 1)


@pytest.mark.parametrize(("se", "sp", "n"), [(0.9, 0.88, 50), (0.98, 0.95, 40), (0.7, 0.99, 120), (0.8, 0.8, 200)])
def test_coverage_is_near_95_percent(se: float, sp: float, n: int) -> None:
    rng = np.random.default_rng(0)
    truth, held, rounds = predictive_values(se, sp, 0.05), np.zeros(2), 1500
    for _ in range(rounds):
        bounds = interval_of(rng.random(n) < se, np.arange(n), rng.random(n) < sp, np.arange(n), 0.05)
        held += [low <= value <= high for value, (low, high) in zip(truth, bounds, strict=True)]  # type: ignore[operator]
    assert (held / rounds > 0.93).all(), held / rounds


def test_films_of_one_patient_count_less() -> None:
    rng = np.random.default_rng(0)
    hit, right, patient = (
        np.repeat(rng.random(20) < 0.8, 3),
        np.repeat(rng.random(20) < 0.8, 3),
        np.repeat(np.arange(20), 3),
    )
    alone = interval_of(hit, np.arange(60), right, np.arange(60), 0.1)[0]
    together = interval_of(hit, patient, right, patient, 0.1)[0]
    assert together[1] - together[0] > 1.3 * (alone[1] - alone[0])


@pytest.mark.parametrize("value", [0.0, 1.0, -0.1, 5.0, float("nan")])
def test_a_prevalence_outside_0_to_1_is_refused(value: float) -> None:
    with pytest.raises(OsteonError, match=r"--prevalence: found .*above 0 and below 1"):
        check_prevalence(value)
