"""Intervals of smooth formulas of sums: against the definition, and how often they hold the truth."""

import numpy as np
import pytest
import sklearn.metrics as sk
from scipy import stats

from osteon.scoring.intervals import interval
from osteon.scoring.jackknife import SCALES
from osteon.scoring.metrics import METRICS, estimate
from osteon.scoring.sample import Floats, Sample
from tests.scoring.test_deviation import drawn, numbers
from tests.scoring.test_grades import ALL, grades


def of(name: str, sample: Sample, head: str) -> tuple[float | None, float | None, str]:
    found = interval(METRICS[name], sample, estimate(METRICS[name], sample, head), np.empty(0), head)
    return found.low, found.high, found.method


def leave_one_out(sample: Sample, value: float, evaluate: object) -> float:
    """The standard error by its definition: the score again and again, without one patient."""
    parts = []
    for patient in range(sample.clusters):
        kept = sample.cluster != patient
        parts.append(evaluate(sample.truth[kept], sample.value[kept]))  # type: ignore[operator]
    spread = np.array(parts) - np.mean(parts)
    return float(np.sqrt((sample.clusters - 1) / sample.clusters * (spread**2).sum()))


def test_the_bias_of_independent_units_has_students_interval() -> None:
    sample = drawn(n=60, patients=60)
    wrong = sample.value - sample.truth
    expected = stats.t.interval(0.95, 59, wrong.mean(), stats.sem(wrong))
    assert of("bias", sample, "regression")[:2] == pytest.approx(expected, abs=1e-9)


def test_an_errors_interval_is_the_jackknifes_on_a_log_scale() -> None:
    sample = drawn(n=90, patients=40)
    value = sk.mean_absolute_error(sample.truth, sample.value)
    half = stats.t.ppf(0.975, 39) * leave_one_out(sample, value, sk.mean_absolute_error) / value
    low, high, method = of("mae", sample, "regression")
    assert (low, high) == pytest.approx((value * np.exp(-half), value * np.exp(half)), abs=1e-9)
    assert method == "jackknife, log"


def test_correlations_and_graded_agreement_are_on_fishers_scale() -> None:
    sample = drawn(n=90, patients=40)
    value = stats.pearsonr(sample.truth, sample.value).statistic
    error = leave_one_out(sample, value, lambda y, p: stats.pearsonr(y, p).statistic)
    half = stats.t.ppf(0.975, 39) * error / (1 - value**2)
    expected = np.tanh([np.arctanh(value) - half, np.arctanh(value) + half])
    assert of("pearson", sample, "regression")[:2] == pytest.approx(tuple(expected), abs=1e-9)
    rng = np.random.default_rng(0)
    target = rng.integers(0, 5, 90)
    graded = grades(target, np.clip(target + rng.integers(-1, 2, 90), 0, 4))
    value = sk.cohen_kappa_score(target, graded.call, weights="quadratic")
    error = leave_one_out(graded, value, lambda y, p: sk.cohen_kappa_score(y, p, weights="quadratic", labels=ALL))
    half = stats.t.ppf(0.975, 89) * error / (1 - value**2)
    expected = np.tanh([np.arctanh(value) - half, np.arctanh(value) + half])
    assert of("quadratic_kappa", graded, "ordinal")[:2] == pytest.approx(tuple(expected), abs=1e-9)


def test_limits_join_the_intervals_of_bias_and_deviation() -> None:
    """Zou's square-and-add, written out; nearly Bland and Altman's own interval where units are many and normal."""
    rng = np.random.default_rng(1)
    truth = rng.normal(120, 40, 4000)
    sample = numbers(truth, truth + rng.normal(2, 14, 4000))
    wrong = sample.value - sample.truth
    mean, deviation = wrong.mean(), wrong.std(ddof=1)
    error = deviation * np.sqrt(1 / 4000 + 1.96**2 / (2 * 3999))
    low, high, method = of("loa_high", sample, "regression")
    top = mean + 1.96 * deviation
    assert (low, high) == pytest.approx((top - 1.96 * error, top + 1.96 * error), abs=0.05)
    assert method == "jackknife, mover"
    down = of("loa_low", sample, "regression")
    assert down[0] is not None
    assert high is not None
    # The outer side is the longer one, alike for both limits.
    bottom = mean - 1.96 * deviation
    assert bottom - down[0] > down[1] - bottom  # type: ignore[operator]
    assert bottom - down[0] == pytest.approx(high - top, abs=1e-9)


def test_copies_of_a_patients_unit_add_nothing() -> None:
    one = drawn(n=70, patients=70)
    copies = numbers(*(np.tile(part, 3) for part in (one.truth, one.value)), np.tile(one.cluster, 3))
    for name in ("mae", "rmse", "bias", "pearson", "r2", "within_12"):
        found = of(name, copies, "regression")
        assert found[:2] == pytest.approx(of(name, one, "regression")[:2], abs=2e-3 if name == "within_12" else 1e-9)


def test_no_error_at_all_is_no_certainty() -> None:
    exact = numbers(np.arange(30.0), np.arange(30.0))
    for name in ("mae", "rmse", "bias", "loa_low", "pearson", "r2"):
        assert of(name, exact, "regression") == (None, None, "none")
    assert of("within_12", exact, "regression")[1] == 1.0
    target = np.arange(30) % 5
    low, high, method = of("quadratic_kappa", grades(target, target), "ordinal")
    assert method == "wilson, n = patients"
    assert low is not None
    assert 0.8 < low < high == 1.0  # type: ignore[operator]


@pytest.mark.parametrize("count", [1, 2])
def test_one_or_two_patients_have_no_interval(count: int) -> None:
    truth = np.array([10.0, 20, 30, 40])
    sample = numbers(truth, truth + np.array([1, -2, 3, 5]), np.arange(4) % count)
    assert of("mae", sample, "regression") == (None, None, "none")


def test_one_error_among_many_has_an_interval() -> None:
    """Without its one patient the score is perfect, which no scale could hold."""
    truth = np.arange(40.0)
    sample = numbers(truth, truth + np.eye(40)[7] * 6)
    low, high, _ = of("mae", sample, "regression")
    assert low is not None
    assert 0 < low < 0.15 < high  # type: ignore[operator]


@pytest.mark.parametrize("name", SCALES)
def test_the_slope_is_that_of_the_scale(name: str) -> None:
    to, slope, back = SCALES[name]
    for value in (0.2, 0.7):
        assert slope(value) == pytest.approx((to(value + 1e-6) - to(value - 1e-6)) / 2e-6, rel=1e-6)
        assert back(np.array([to(value)]))[0] == pytest.approx(value)


def test_coverage_in_a_small_sample() -> None:
    """Fifty units of twenty patients: the percentile bootstrap would hold the mean error 91 % of the time."""
    rng, held, truth = np.random.default_rng(0), [], 14 * np.sqrt(2 / np.pi)

    def latent(cluster: np.ndarray) -> Floats:
        return (rng.standard_normal(50)[cluster] + rng.standard_normal(50)) / np.sqrt(2)

    for _ in range(500):
        cluster = np.repeat(np.arange(50), rng.integers(1, 5, 50))[:50]
        low, high, _ = of("mae", numbers(np.zeros(50), 14 * latent(cluster), cluster), "regression")
        held.append(low <= truth <= high)  # type: ignore[operator]
    assert 0.925 <= np.mean(held) <= 0.975
