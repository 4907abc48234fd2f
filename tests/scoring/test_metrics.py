import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics as sk
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import binned_statistic

from osteon.errors import OsteonError
from osteon.predictions import TaskFacts
from osteon.scoring.metrics import METRICS, direction, estimate, metric, metrics_of, monitor, sample_of
from osteon.scoring.sample import Floats, Sample

Reference = Callable[[Sample, Floats], float]

# scikit-learn's value with each unit weighted.
BINARY: dict[str, Reference] = {
    "auroc": lambda s, w: sk.roc_auc_score(s.target, s.score, sample_weight=w),
    "average_precision": lambda s, w: sk.average_precision_score(s.target, s.score, sample_weight=w),
    "brier": lambda s, w: sk.brier_score_loss(s.target, s.score, sample_weight=w),
    "kappa": lambda s, w: sk.cohen_kappa_score(s.target, s.call, sample_weight=w),
    "sensitivity": lambda s, w: sk.recall_score(s.target, s.call, sample_weight=w),
    "specificity": lambda s, w: sk.recall_score(s.target, s.call, pos_label=0, sample_weight=w),
    "ppv": lambda s, w: sk.precision_score(s.target, s.call, sample_weight=w),
    "npv": lambda s, w: sk.precision_score(s.target, s.call, pos_label=0, sample_weight=w),
    "accuracy": lambda s, w: sk.accuracy_score(s.target, s.call, sample_weight=w),
    "balanced_accuracy": lambda s, w: sk.balanced_accuracy_score(s.target, s.call, sample_weight=w),
    "f1": lambda s, w: sk.f1_score(s.target, s.call, sample_weight=w),
}
MULTICLASS: dict[str, Reference] = {
    "macro_auroc": lambda s, w: sk.roc_auc_score(s.target, s.score, multi_class="ovr", sample_weight=w),
    "multiclass_brier": lambda s, w: float(
        np.average(((s.score - np.eye(s.classes)[s.target]) ** 2).sum(1), weights=w)
    ),
    "log_loss": lambda s, w: sk.log_loss(s.target, s.score, sample_weight=w),
    "kappa": BINARY["kappa"],
    "accuracy": BINARY["accuracy"],
    "balanced_accuracy": BINARY["balanced_accuracy"],
    "recall_2": lambda s, w: sk.recall_score(s.target, s.call, labels=[2], average="macro", sample_weight=w),
}


def agree(name: str, head: str, reference: Reference, sample: Sample, weights: Floats) -> None:
    values = metric(name, head).prepare(sample, head)(weights)
    expected = [reference(sample, column[sample.cluster]) for column in weights.T]
    np.testing.assert_allclose(values, expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("seed", range(3))
def test_binary_metrics_equal_scikit_learn(name: str, seed: int, draw: Callable[..., Sample]) -> None:
    sample = draw(n=300, patients=120, seed=seed, levels=(10, 50, 10**9)[seed])
    weights = np.column_stack([np.ones(120), np.random.default_rng(seed).integers(0, 4, (120, 5))])
    agree(name, "binary", BINARY[name], sample, weights)


@pytest.mark.parametrize("name", MULTICLASS)
@pytest.mark.parametrize("classes", [3, 5])
def test_multiclass_metrics_equal_scikit_learn(name: str, classes: int, draw: Callable[..., Sample]) -> None:
    sample = draw(n=300, patients=120, seed=classes, classes=classes)
    weights = np.column_stack([np.ones(120), np.random.default_rng(0).integers(1, 4, (120, 5))])
    agree(name, "multiclass", MULTICLASS[name], sample, weights)


unit = st.tuples(st.integers(0, 1), st.integers(0, 8))


@settings(deadline=None, max_examples=80)
@given(st.lists(unit, min_size=2, max_size=60), st.integers(0, 8))
def test_ties_and_small_samples_equal_scikit_learn(units: list[tuple[int, int]], cut: int) -> None:
    target, level = np.array(units).T
    assume(0 < target.sum() < len(target))
    score = level / 8
    sample = Sample(target, score, (score > cut / 8).astype(np.intp), np.arange(len(target)))
    for name, reference in BINARY.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value, expected = estimate(METRICS[name], sample, "binary"), reference(sample, np.ones(len(target)))
        if value is None:
            assert (name, expected) in {("ppv", 0.0), ("npv", 0.0)}
        else:
            assert value == pytest.approx(0.0 if np.isnan(expected) else expected, abs=1e-6)


def test_kappa_by_hand() -> None:
    # Cohen's table 20, 5 / 10, 15: po = 0.7, pe = 0.5, kappa = 0.4.
    target = np.repeat([1, 1, 0, 0], [20, 5, 10, 15])
    call = np.repeat([1, 0, 1, 0], [20, 5, 10, 15])
    sample = Sample(target, call * 1.0, call, np.arange(50))
    assert estimate(METRICS["kappa"], sample, "binary") == pytest.approx(0.4)
    assert estimate(METRICS["kappa"], sample, "multiclass") == pytest.approx(0.4)


@pytest.mark.parametrize("head", ["binary", "multiclass"])
@pytest.mark.parametrize("kind", [0, 1])
def test_kappa_of_one_class_is_zero_with_a_warning(head: str, kind: int) -> None:
    one = np.full(5, kind)
    with pytest.warns(UserWarning, match="all of one class"):
        assert estimate(METRICS["kappa"], Sample(one, one * 1.0, one, np.arange(5)), head) == 0.0


@pytest.mark.parametrize(
    ("target", "call", "missing"),
    [
        ([0, 0, 0], [0, 1, 0], {"auroc", "average_precision", "sensitivity", "balanced_accuracy"}),
        ([1, 1, 1], [0, 1, 1], {"auroc", "specificity", "balanced_accuracy"}),
        ([0, 1, 1], [0, 0, 0], {"ppv"}),
        ([0, 1, 1], [1, 1, 1], {"npv"}),
        ([0, 0, 0], [0, 0, 0], {"auroc", "average_precision", "sensitivity", "balanced_accuracy", "ppv", "f1"}),
    ],
)
@pytest.mark.filterwarnings("ignore:kappa")
def test_what_is_undefined_is_missing(target: list[int], call: list[int], missing: set[str]) -> None:
    sample = Sample(np.array(target), np.array(call) * 0.9, np.array(call), np.arange(3))
    values = {item.name: estimate(item, sample, "binary") for item in metrics_of(TaskFacts())}
    assert {name for name, value in values.items() if value is None} == missing
    assert all(value is None or np.isfinite(value) for value in values.values())


def test_an_absent_class_is_left_out_of_the_means(draw: Callable[..., Sample]) -> None:
    sample = draw(n=90, classes=3)
    target = np.where(sample.target == 2, 0, sample.target)
    part = Sample(target, sample.score, sample.call, sample.cluster, 3)
    areas = [sk.roc_auc_score(target == k, sample.score[:, k]) for k in (0, 1)]
    assert estimate(METRICS["macro_auroc"], part, "multiclass") == pytest.approx(np.mean(areas))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = sk.balanced_accuracy_score(target, sample.call)
    assert estimate(METRICS["balanced_accuracy"], part, "multiclass") == pytest.approx(expected)
    assert estimate(metric("recall_2", "multiclass"), part, "multiclass") is None


def test_ece_is_the_gap_in_fifteen_equal_bins(draw: Callable[..., Sample]) -> None:
    sample = draw(n=500, levels=997)
    bins = {"bins": 15, "range": (0, 1)}
    gap = binned_statistic(sample.score, sample.score - sample.target, "sum", **bins).statistic
    assert estimate(METRICS["ece"], sample, "binary") == pytest.approx(np.abs(gap).sum() / 500, abs=1e-12)
    sure = Sample(np.array([0, 1]), np.array([0.0, 1.0]), np.array([0, 1]), np.arange(2))
    assert estimate(METRICS["ece"], sure, "binary") == 0.0


def test_calls_are_strictly_above_the_threshold() -> None:
    table = pd.DataFrame({"target": [1.0, 1.0, np.nan], "probability": [0.5, 0.500001, 0.9], "group_id": list("abc")})
    assert sample_of(table, TaskFacts()).call.tolist() == [0, 1]
    assert sample_of(table, TaskFacts(), 0.49).call.tolist() == [1, 1]


@pytest.mark.parametrize("name", [item.name for item in METRICS.values() if "binary" in item.heads])
@pytest.mark.parametrize("target", [[1.0, 0.0, 1.0], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0], [np.nan] * 3])
def test_the_monitored_metric_is_always_finite(name: str, target: list[float]) -> None:
    frame = pd.DataFrame({"image_id": list("abc"), "unit_id": list("abc"), "group_id": list("abc"), "target": target})
    value = monitor(frame.assign(probability=[0.4, 0.9, 0.6]), TaskFacts(monitor=name))
    assert isinstance(value, float)
    assert METRICS[name].range[0] <= value <= METRICS[name].range[1]
    if np.isnan(target).all():
        assert value == METRICS[name].fallback


def test_the_monitored_metric_pools_images_into_units() -> None:
    frame = pd.DataFrame({"image_id": list("abcd"), "unit_id": list("xxyz"), "group_id": "p", "target": [1.0, 1, 0, 0]})
    frame["probability"] = [0.9, 0.3, 0.5, 0.1]
    assert monitor(frame, TaskFacts(monitor="auroc")) == 1.0
    assert monitor(frame, TaskFacts(monitor="sensitivity", pool="vote")) == 0.0


@pytest.mark.parametrize(
    ("name", "way"), [("auroc", "max"), ("kappa", "max"), ("brier", "min"), ("log_loss", "min"), ("recall_1", "max")]
)
def test_directions(name: str, way: str) -> None:
    assert direction(name) == way


def test_unknown_metrics_are_refused() -> None:
    with pytest.raises(OsteonError, match="Did you mean 'kappa'"):
        direction("kapa")
    with pytest.raises(OsteonError, match="not one of the binary head"):
        metric("macro_auroc", "binary")
    with pytest.raises(OsteonError, match="not one of the multiclass head"):
        metric("sensitivity", "multiclass")
