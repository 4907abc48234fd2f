from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit, stdtrit
from scipy.stats import rankdata
from statsmodels.stats.inter_rater import cohens_kappa
from statsmodels.stats.proportion import proportion_confint

from osteon.scoring import agreement, bootstrap, delong
from osteon.scoring.counts import cells, kappa, multiclass_kappa
from osteon.scoring.intervals import Interval, interval, small
from osteon.scoring.metrics import METRICS, estimate, metric
from osteon.scoring.proportions import clustered, wilson
from osteon.scoring.sample import Floats, Sample

Draw = Callable[..., Sample]


def of(name: str, sample: Sample, head: str = "binary") -> Interval:
    item = metric(name, head)
    drawn = bootstrap.replicate([item.prepare(sample, head)], sample.clusters, 300, 0)
    return interval(item, sample, estimate(item, sample, head), drawn[0])


def told(target: list[int], call: list[int], cluster: list[int] | None = None) -> Sample:
    """A sample whose scores are its calls."""
    size = len(target)
    return Sample(np.array(target), np.array(call) * 1.0, np.array(call), np.array(cluster or range(size)))


# Proportions


def test_wilson_of_the_textbook() -> None:
    assert wilson(49, 50) == pytest.approx((0.895, 0.996), abs=5e-4)
    assert wilson(0, 20)[0] == 0.0
    assert wilson(20, 20)[1] == 1.0


@pytest.mark.parametrize("name", ["sensitivity", "specificity", "ppv", "npv", "accuracy"])
def test_one_unit_a_patient_gives_wilson(name: str, draw: Draw) -> None:
    sample = draw(n=80)
    tn, fp, fn, tp = cells(sample).sum(0)
    counts = {"sensitivity": (tp, tp + fn), "specificity": (tn, tn + fp), "ppv": (tp, tp + fp), "npv": (tn, tn + fn)}
    right, n = counts.get(name, (tp + tn, 80))
    found = of(name, sample)
    assert found.method == "wilson"
    assert (found.low, found.high) == pytest.approx(proportion_confint(right, n, method="wilson"), abs=1e-12)


def test_the_recall_of_a_class_is_a_proportion(draw: Draw) -> None:
    sample = draw(n=90, classes=3)
    own = sample.target == 2
    expected = proportion_confint((sample.call[own] == 2).sum(), own.sum(), method="wilson")
    found = of("recall_2", sample, "multiclass")
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-12)


def test_copies_of_a_patients_unit_add_nothing() -> None:
    right = np.random.default_rng(0).random(60) < 0.8
    low, high, method = clustered(np.repeat(right, 3), np.repeat(np.arange(60), 3))
    # Up to the factor patients / (patients - 1), the effective number of units is that of the patients.
    assert (low, high) == pytest.approx(wilson(right.mean() * 59, 59), abs=1e-9)
    assert method == "wilson, clustered"


@pytest.mark.parametrize("share", [0, 1])
def test_no_miss_or_no_hit_counts_patients(share: int) -> None:
    low, high, method = clustered(np.full(20, bool(share)), np.repeat(np.arange(8), [4, 4, 2, 2, 2, 2, 2, 2]))
    assert (low, high) == wilson(8 * share, 8)
    assert method == "wilson, n = patients"
    assert high - low > 0.2


# AUROC


def brute_variance(score: Floats, positive: Floats) -> float:
    """DeLong by its definition: the pairwise kernel, its row and column means, their sample variances."""
    kernel = np.array([[(x > y) + (x == y) / 2 for y in score[~positive]] for x in score[positive]])
    m, n = kernel.shape
    return float(np.var(kernel.mean(1), ddof=1) / m + np.var(kernel.mean(0), ddof=1) / n)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=4, max_size=40))
def test_delong_equals_its_definition(units: list[tuple[bool, int]]) -> None:
    positive, score = np.array([p for p, _ in units]), np.array([float(s) for _, s in units])
    assume(1 < positive.sum() < len(units) - 1)
    np.testing.assert_array_equal(delong.midranks(score), rankdata(score))
    assert delong.variance(score, positive) == pytest.approx(brute_variance(score, positive), abs=1e-12)


def test_delongs_interval_of_independent_patients(draw: Draw) -> None:
    sample = draw(n=120)
    value = estimate(METRICS["auroc"], sample, "binary") or 0.0
    half = stdtrit(119, 0.975) * np.sqrt(brute_variance(sample.score, sample.target == 1)) / (value * (1 - value))
    found = of("auroc", sample)
    assert found.method == "delong"
    assert (found.low, found.high) == pytest.approx(expit([logit(value) - half, logit(value) + half]), abs=1e-12)


def test_clustered_delong_is_the_jackknife_over_patients(draw: Draw) -> None:
    sample = draw(n=400, patients=150, levels=1000)
    weights = 1 - np.eye(150)
    without = METRICS["auroc"].prepare(sample, "binary")(weights)
    jackknife = 149 / 150 * ((without - without.mean()) ** 2).sum()
    found = delong.clustered_variance(sample.score, sample.target == 1, sample.cluster)
    assert found == pytest.approx(jackknife, rel=0.03)
    assert of("auroc", sample).method == "delong, clustered"


def test_clustered_delong_ignores_copies(draw: Draw) -> None:
    sample = draw(n=90)
    positive = sample.target == 1
    once = delong.clustered_variance(sample.score, positive, sample.cluster)
    again = delong.clustered_variance(np.tile(sample.score, 3), np.tile(positive, 3), np.tile(sample.cluster, 3))
    assert again == pytest.approx(once, rel=1e-12)
    assert once == pytest.approx(delong.variance(sample.score, positive), rel=0.03)


@pytest.mark.parametrize("value", [0, 1])
def test_a_perfect_ranking_is_bounded_by_disjoint_pairs(value: int) -> None:
    target = [1] * 6 + [0] * 40
    sample = told(target, [value if t else 1 - value for t in target], [0, 0, 1, 2, 3, 4, *range(5, 45)])
    found = of("auroc", sample)
    assert (found.low, found.high) == wilson(5 * value, 5)
    assert "disjoint pairs" in found.method


# Kappa


def test_kappas_standard_error_is_statsmodels(draw: Draw) -> None:
    sample = draw(n=150)
    table = cells(sample).sum(0).reshape(2, 2)
    reference = cohens_kappa(table)
    spread = cells(sample) @ agreement.influence(table.ravel(), 2)
    assert np.sqrt((spread**2).sum()) == pytest.approx(reference.std_kappa, rel=1e-9)
    half = stdtrit(149, 0.975) * reference.std_kappa * np.sqrt(150 / 149) / (1 - reference.kappa**2)
    expected = np.tanh([np.arctanh(reference.kappa) - half, np.arctanh(reference.kappa) + half])
    assert agreement.interval(sample)[:2] == pytest.approx(tuple(expected), abs=1e-9)


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_influence_is_the_derivative(classes: int) -> None:
    counts = np.random.default_rng(classes).integers(3, 30, classes**2).astype(float)

    def value(table: Floats) -> float:
        return float(multiclass_kappa(table.reshape(classes, classes, 1))[0])

    steps = 1e-4 * np.eye(classes**2)
    numeric = [(value(counts + step) - value(counts - step)) / 2e-4 for step in steps]
    np.testing.assert_allclose(agreement.influence(counts, classes), numeric, atol=1e-8)
    if classes == 2:
        tn, fp, fn, tp = counts[:, None]
        assert kappa(tp, fp, fn, tn)[0] == pytest.approx(value(counts), abs=1e-12)


def test_copies_leave_kappas_interval(draw: Draw) -> None:
    one = draw(n=70)
    copies = Sample(*(np.tile(part, 3) for part in (one.target, one.score, one.call, one.cluster)))
    assert agreement.interval(copies)[:2] == pytest.approx(agreement.interval(one)[:2], abs=1e-12)


def test_kappa_one_is_no_certainty() -> None:
    sample = told([0, 1] * 10, [0, 1] * 10)
    found = of("kappa", sample)
    # Agreement of 20 of 20 is at least 0.839 by Wilson, and half of it is chance.
    assert found.low == pytest.approx(2 * (wilson(20, 20)[0] - 0.5), abs=1e-12)
    assert (found.high, found.method) == (1.0, "wilson, n = patients")


@pytest.mark.filterwarnings("ignore:kappa")
@pytest.mark.parametrize(
    "sample",
    [told([0] * 5, [0] * 5), told([0, 1, 0, 1], [0, 0, 0, 0]), told([0, 1, 0, 1], [0, 1, 1, 1], [0] * 4)],
    ids=["one class", "one call", "one patient"],
)
def test_kappa_without_spread_has_no_interval(sample: Sample) -> None:
    found = of("kappa", sample)
    assert (found.low, found.high, found.method, found.note) == (None, None, "none", "no spread to resample")


def test_kappas_coverage_in_a_small_sample() -> None:
    """60 studies of 25 patients, kappa 0.8: the percentile bootstrap covers about 90 %."""
    rng, held, sims = np.random.default_rng(0), 0, 600
    for _ in range(sims):
        cluster = np.repeat(np.arange(25), rng.integers(1, 5, 25))
        target = (rng.random(25)[cluster] < 0.5).astype(int)
        call = np.where(rng.random(len(cluster)) < 0.9, target, 1 - target)
        low, high, _ = agreement.interval(Sample(target, call * 1.0, call, cluster))
        held += low is not None and high is not None and low <= 0.8 <= high
    assert 0.92 < held / sims < 0.985


# The others


def test_ece_has_no_interval(draw: Draw) -> None:
    assert of("ece", draw(n=60)) == Interval(note="biased upwards in small samples")


@pytest.mark.parametrize("name", ["brier", "average_precision", "f1", "balanced_accuracy"])
def test_the_bootstrap_holds_the_value(name: str, draw: Draw) -> None:
    sample = draw(n=150, patients=70)
    found = of(name, sample)
    assert found.method == "bootstrap"
    assert found.low is not None
    assert found.high is not None
    assert found.low < (estimate(METRICS[name], sample, "binary") or 0.0) < found.high


def test_no_spread_no_interval() -> None:
    assert of("f1", told([0, 1] * 10, [0, 1] * 10)).note == "no spread to resample"


def test_undefined_replicates_are_told() -> None:
    found = of("f1", told([0, 0, 0, 1], [0, 0, 0, 1]))
    assert found.low is None
    found = of("average_precision", told([0, 0, 1, 0], [1, 0, 1, 0]))
    assert "of replicates undefined" in found.note


def test_small_samples_are_called_small(draw: Draw) -> None:
    accuracy, area, error = METRICS["accuracy"], METRICS["auroc"], METRICS["quadratic_kappa"]
    assert small(accuracy, draw(n=18), "wilson")
    assert not small(accuracy, draw(n=60), "wilson")
    assert small(area, draw(n=60), "bootstrap")
    assert not small(area, draw(n=400), "bootstrap")
    assert small(area, draw(n=60), "delong, clustered")
    assert small(accuracy, told([1] * 5 + [0] * 300, [0] * 305), "wilson")
    assert not small(accuracy, draw(n=18), "none")
    # The quadratic kappa leans on all units, not on those of the rarest grade.
    assert not small(error, told([1] * 5 + [0] * 300, [0] * 305), "jackknife, fisher z")
