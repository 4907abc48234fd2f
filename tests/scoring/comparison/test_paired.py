from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.scoring.coco import facts, table

from osteon.scoring import bootstrap
from osteon.scoring.comparison.exchange import _prepared, exchanged
from osteon.scoring.comparison.one_unit import by_formula
from osteon.scoring.comparison.paired import FEWEST, Contrast, answers, drawn, judge
from osteon.scoring.metrics import METRICS, metric, sample_of
from osteon.scoring.sample import Sample
from osteon.scoring.units import units

Draw = Callable[..., Sample]
HEADS = [(head, name) for name, item in METRICS.items() for head in item.heads if head != "multilabel"]


def contrast(a: Sample, b: Sample, name: str, head: str = "binary") -> Contrast:
    return Contrast(metric(name, head), head, (a,), (b,))


def of_boxes(seed: int, n: int) -> Sample:
    """Return images with one true box each, found more or less well."""
    rng, target = np.random.default_rng(seed), np.random.default_rng(0)
    corner, label = target.uniform(0, 200, (n, 2)), target.integers(0, 3, n)
    truth = [[[*place, *(place + 50), float(kind)]] for place, kind in zip(corner, label, strict=True)]
    moved = [
        [[*(b[:4] + rng.normal(0, 5, 4)), float(rng.integers(0, 3)), rng.random()] for b in map(np.array, boxes)]
        for boxes in truth
    ]
    frame = table(moved, truth, group_id=[f"p{place // 2}" for place in range(n)])
    return sample_of(units(frame, facts()), facts(), 0.5)


def sample(head: str, seed: int, n: int = 90) -> Sample:
    if head == "detection":
        return of_boxes(seed, n)
    rng, target = np.random.default_rng(seed), np.random.default_rng(0)
    cluster, truth = np.arange(n) // 2, target.integers(0, 2 if head == "binary" else 4, n)
    if head == "regression":
        return Sample(
            np.zeros(n, np.intp),
            truth + rng.normal(0, 5, n),
            truth * 0,
            cluster,
            1,
            truth * 9.0,
            truth * 9.0 + rng.normal(0, 5, n),
        )
    if head == "binary":
        score = np.clip(rng.normal(0.35 + 0.3 * truth, 0.2), 0, 1)
        return Sample(truth, score, (score > 0.5).astype(np.intp), cluster)
    score = rng.dirichlet(np.ones(4), n) + np.eye(4)[truth]
    score /= score.sum(1, keepdims=True)
    call, value = score.argmax(1), score @ np.arange(4)
    return Sample(truth, score, call, cluster, 4, truth * 1.0, value if head == "ordinal" else np.empty(0), cut=2)


@pytest.mark.parametrize(("head", "name"), HEADS)
def test_of_every_metric_b_minus_a(head: str, name: str) -> None:
    a, b = sample(head, 1), sample(head, 2)
    there, back = contrast(a, b, name, head), contrast(b, a, name, head)
    values = [float(METRICS[name].prepare(one, head)(one.one())[0]) for one in (a, b)]
    assert there.prepare()(a.one())[0] == pytest.approx(values[1] - values[0])
    one, other = drawn([there], 200, 3)[0], drawn([back], 200, 3)[0]
    np.testing.assert_allclose(one, -other)
    swaps = [exchanged([side], 200, 3)[0] for side in (there, back)]
    np.testing.assert_allclose(swaps[0], -swaps[1], atol=1e-12)
    gap = values[1] - values[0]
    found = judge(one, swaps[0], gap, a.clusters, there.differing())
    turned = judge(other, swaps[1], -gap, a.clusters, back.differing())
    assert found.low == pytest.approx(-turned.high) if found.low is not None and turned.high is not None else True
    assert found.p == pytest.approx(turned.p)
    assert found.p is not None
    assert 0 < found.p <= 1


@pytest.mark.parametrize(("head", "name"), HEADS)
def test_the_same_answers_differ_nowhere(head: str, name: str) -> None:
    a = sample(head, 1)
    same = contrast(a, replace(a), name, head)
    assert same.differing() == 0
    swapped = exchanged([same], 100, 0)[0]
    np.testing.assert_allclose(swapped, 0, atol=1e-12)
    found = judge(drawn([same], 100, 0)[0], swapped, 0.0, a.clusters, 0)
    assert (found.p, found.low) == (1.0, None)
    assert "no difference in any draw" in found.notes


@pytest.mark.parametrize(
    ("head", "name"),
    [(h, n) for h, n in HEADS if METRICS[n].success is None and n != "auroc_at_cut" and h != "detection"],
)
def test_answers_are_what_a_metric_sees(head: str, name: str) -> None:
    """Where the answers that a metric looks at are kept and all else is changed, the metric stays."""
    a, b = sample(head, 1), sample(head, 2)
    item = METRICS[name]
    seen = answers(item, a)
    if seen.shape == a.score.shape and np.array_equal(seen, a.score):
        b = replace(b, score=a.score)
    elif seen.shape == a.value.shape and np.array_equal(seen, a.value):
        b = replace(b, value=a.value)
    else:
        b = replace(b, call=a.call)
    assert item.prepare(a, head)(a.one())[0] == pytest.approx(item.prepare(b, head)(b.one())[0])


def test_images_whose_boxes_differ_are_told_from_those_that_do_not() -> None:
    a, b = of_boxes(1, 6), of_boxes(2, 6)
    assert (answers(METRICS["map50"], a) != answers(METRICS["map50"], b)).any(1).all()
    assert contrast(a, b, "map50", "detection").differing() == 3, "patients"
    assert contrast(a, a, "map50", "detection").differing() == 0


def test_patients_that_differ_are_counted_where_the_metric_looks() -> None:
    target, call = np.array([1, 1, 1, 0, 0, 0]), np.array([1, 1, 0, 0, 0, 1])
    a = Sample(target, call * 1.0, call, np.array([0, 0, 1, 2, 2, 3]))
    b = replace(a, call=np.array([0, 0, 0, 0, 1, 0]))
    expected = {"sensitivity": 1, "specificity": 2, "ppv": 3, "accuracy": 3, "kappa": 3}
    assert {name: contrast(a, b, name).differing() for name in expected} == expected


@pytest.mark.parametrize(("head", "name"), HEADS)
def test_exchanging_nobody_or_everybody_gives_the_difference_itself(head: str, name: str) -> None:
    a, b = sample(head, 1), sample(head, 2)
    one = contrast(a, b, name, head)
    swaps = np.stack([np.zeros(a.clusters), np.ones(a.clusters)], axis=1)
    gap = one.prepare()(a.one())[0]
    np.testing.assert_allclose(_prepared(one)(swaps), [gap, -gap], atol=1e-12)


@pytest.mark.parametrize(("head", "name"), HEADS)
def test_an_exchange_is_that_of_samples_put_together_by_hand(head: str, name: str) -> None:
    if head == "detection" or METRICS[name].ranks:
        pytest.skip("of ranks, see the next test; boxes cannot be put together by index")
    a, b = sample(head, 1), sample(head, 2)
    swap = np.random.default_rng(5).integers(0, 2, a.clusters).astype(bool)
    mixed = [
        replace(a, **{
            column: np.where((swap[a.cluster] if column_of(one, column).ndim == 1 else swap[a.cluster][:, None]),
                             column_of(other, column), column_of(one, column))
            for column in ("score", "call", *(("value",) if len(a.value) else ()))
        })
        for one, other in ((a, b), (b, a))
    ]  # fmt: skip
    expected = contrast(mixed[0], mixed[1], name, head).prepare()(a.one())[0]
    found = _prepared(contrast(a, b, name, head))(swap[:, None].astype(np.float64))[0]
    assert found == pytest.approx(expected, nan_ok=True)


def column_of(sample: Sample, name: str) -> np.ndarray:
    return np.asarray(getattr(sample, name))


def test_a_calibration_that_keeps_the_order_changes_no_exchange_of_ranks() -> None:
    a, b = sample("binary", 1), sample("binary", 2)
    pale = replace(b, score=b.score**7 / 50)
    for name in ("auroc", "average_precision"):
        there, here = (exchanged([contrast(a, side, name)], 100, 0) for side in (b, pale))
        np.testing.assert_array_equal(there, here)


def test_of_one_unit_a_patient_the_exchange_is_mcnemars_test() -> None:
    rng = np.random.default_rng(3)
    target, cluster = rng.integers(0, 2, 60), np.arange(60)
    calls = [np.where(rng.random(60) < share, 1 - target, target) for share in (0.1, 0.3)]
    a, b = (Sample(target, call * 1.0, call, cluster) for call in calls)
    one = contrast(a, b, "accuracy")
    gap = float(one.prepare()(a.one())[0])
    found = judge(drawn([one], 100, 0)[0], exchanged([one], 20_000, 0)[0], gap, 60, one.differing())
    assert found.p == pytest.approx(by_formula(one).p, abs=0.01)


@given(st.integers(0, 400), st.integers(2, 200), st.integers(0, 30))
def test_p_is_never_0_and_never_below_what_exchanging_could_give(beyond: int, clusters: int, differing: int) -> None:
    swapped = np.concatenate([np.full(beyond, -1.0), np.zeros(400 - beyond)])
    found = judge(np.linspace(1, 2, 400), swapped, 1.0, clusters, differing)
    assert found.p == pytest.approx(max((beyond + 1) / 401, min(2.0 ** (1 - differing), 1)))
    assert (found.low is None) == (differing < FEWEST)


def test_bounds_by_hand() -> None:
    draws = np.concatenate([np.zeros(4), np.full(5, -1.0), np.linspace(1, 2, 990)])
    low, high = bootstrap.percentile(draws)
    # Hardly expanded for a million patients.
    found = judge(draws, draws, 1.0, 1_000_000, 99)
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-3), pytest.approx(high, abs=1e-3))
    few = judge(draws, draws, 1.0, 10, 99)
    assert few.low is not None
    assert few.low < low


def test_of_a_normal_difference_it_is_the_t_interval() -> None:
    """Draws that are normal with the bootstrap's spread, sd / sqrt(n), must end at t's bounds of n - 1."""
    from scipy.special import ndtri
    from scipy.stats import ttest_1samp

    values = np.random.default_rng(0).normal(0.4, 1, 12)
    spread = values.std(ddof=0) / np.sqrt(12)
    draws = values.mean() + spread * ndtri((np.arange(200_000) + 0.5) / 200_000)
    expected = ttest_1samp(values, 0)
    found = judge(draws, draws, 0.4, 12, 12)
    bounds = expected.confidence_interval()
    assert (found.low, found.high) == (pytest.approx(bounds.low, abs=1e-3), pytest.approx(bounds.high, abs=1e-3))


def test_undefined_draws_are_left_out_and_said() -> None:
    draws = np.concatenate([np.full(50, np.nan), np.linspace(-1, 1, 150)])
    found = judge(draws, draws, 1.0, 30, 30)
    assert "25% of draws undefined" in found.notes
    assert found.low == pytest.approx(judge(draws[50:], draws, 1.0, 30, 30).low)
    assert found.p == judge(draws[50:], draws[50:], 1.0, 30, 30).p, "undefined exchanges are left out too"
    assert judge(np.full(10, np.nan), draws, 1.0, 30, 30).p is None
    assert judge(np.ones(10), np.ones(10), 1.0, 1, 1).p is None


def readers(patients: int, units: int, rng: np.random.Generator) -> tuple[Sample, Sample]:
    """Return two readers whose answers are exchanged at random within each patient."""
    cluster = np.repeat(np.arange(patients), rng.integers(1, units + 1, patients))
    target = (rng.random(len(cluster)) < 0.5).astype(np.intp)
    shared = rng.standard_normal(patients)[cluster]
    scores = [shared + rng.standard_normal(len(cluster)) + 1.5 * target for _ in range(2)]
    swap = rng.random(patients)[cluster] < 0.5
    made = [np.where(swap, scores[1 - k], scores[k]) for k in range(2)]
    return tuple(Sample(target, one, (one > 0.75).astype(np.intp), cluster) for one in made)  # type: ignore[return-value]


@pytest.mark.parametrize("units", [1, 3])
def test_where_nothing_differs_one_in_twenty_is_called_different(units: int) -> None:
    """250 simulations: 5 % of them is 12.5, with a standard error of 3.4; see benchmarks/comparison_null.py."""
    rng, sims = np.random.default_rng(units), 250
    counts = dict.fromkeys(("auroc", "accuracy", "DeLong", "McNemar"), 0)
    for seed in range(sims):
        a, b = readers(100 // units, units, rng)
        made = [contrast(a, b, name) for name in ("auroc", "accuracy")]
        draws, swaps = drawn(made, 200, seed), exchanged(made, 200, seed)
        for one, row, swapped in zip(made, draws, swaps, strict=True):
            gap = float(one.prepare()(a.one())[0])
            found, test = judge(row, swapped, gap, a.clusters, one.differing()), by_formula(one)
            counts[one.metric.name] += found.p is not None and found.p <= 0.05
            counts[str(test.name)] = counts.get(str(test.name), 0) + (test.p is not None and test.p <= 0.05)
    error = np.sqrt(0.05 * 0.95 * sims)
    checked = ("auroc", "accuracy", "DeLong") if units == 1 else ("auroc", "accuracy")
    assert all(abs(counts[name] - 0.05 * sims) < 3 * error for name in checked), counts
    assert counts["McNemar"] <= 0.05 * sims + 2 * error
