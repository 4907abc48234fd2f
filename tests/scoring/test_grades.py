"""Scores of ordered and of several classes, held against scikit-learn and tables worked by hand."""

import warnings
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import sklearn.metrics as sk
from hypothesis import given, settings
from hypothesis import strategies as st

from osteon.errors import OsteonError
from osteon.predictions import Predictions, TaskFacts
from osteon.predictions.facts import CALLS
from osteon.scoring.calibrated.reliability import confidence
from osteon.scoring.grades import called
from osteon.scoring.metrics import METRICS, direction, estimate, metric, metrics_of, monitor, sample_of
from osteon.scoring.sample import Floats, Sample
from osteon.scoring.show import to_markdown
from osteon.scoring.table import score
from osteon.scoring.units import scores, units
from tests.scoring.drawn import GRADE, GRADES, graded

Reference = Callable[[Sample, Floats], float]
ALL = list(range(5))
REFERENCES: dict[str, Reference] = {
    "quadratic_kappa": lambda s, w: sk.cohen_kappa_score(
        s.target, s.call, weights="quadratic", labels=ALL, sample_weight=w
    ),
    "accuracy": lambda s, w: sk.accuracy_score(s.target, s.call, sample_weight=w),
    "balanced_accuracy": lambda s, w: sk.balanced_accuracy_score(s.target, s.call, sample_weight=w),
    "off_by_one": lambda s, w: float(np.average(abs(s.call - s.target) < 2, weights=w)),
    "mae": lambda s, w: sk.mean_absolute_error(s.target, s.score @ ALL, sample_weight=w),
    "mse": lambda s, w: sk.mean_squared_error(s.target, s.score @ ALL, sample_weight=w),
    "class_mae": lambda s, w: sk.mean_absolute_error(s.target, s.call, sample_weight=w),
    "class_mse": lambda s, w: sk.mean_squared_error(s.target, s.call, sample_weight=w),
    "auroc_at_cut": lambda s, w: sk.roc_auc_score(s.target >= 2, s.score[:, 2:].sum(1), sample_weight=w),
    "recall_3": lambda s, w: sk.recall_score(s.target, s.call, labels=[3], average="macro", sample_weight=w),
}


def grades(target: np.ndarray, call: np.ndarray, classes: int = 5, cut: int = 2) -> Sample:
    score = np.eye(classes)[call]
    return Sample(target, score, call, np.arange(len(target)), classes, target * 1.0, call * 1.0, cut=cut)


def drawn(seed: int, n: int = 300, patients: int = 120) -> Sample:
    rng = np.random.default_rng(seed)
    target = rng.integers(0, 5, n)
    cluster = np.concatenate([np.arange(patients), rng.integers(0, patients, n - patients)])
    # Rounded, so that there are ties; the second draw has no grade 4, in truth or call.
    score = np.round(rng.dirichlet(np.ones(5), n) + 0.5 * np.eye(5)[target], 1) + 0.01
    if seed == 1:
        target, score[:, 4] = np.minimum(target, 3), 0
    score /= score.sum(1, keepdims=True)
    return Sample(target, score, score.argmax(1), cluster, 5, target * 1.0, score @ np.arange(5), cut=2)


@pytest.mark.parametrize("name", REFERENCES)
@pytest.mark.parametrize("seed", range(3))
def test_scores_equal_scikit_learn_under_any_weights(name: str, seed: int) -> None:
    sample = drawn(seed)
    weights = np.column_stack([np.ones(120), np.random.default_rng(seed).integers(0, 4, (120, 5))])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = [REFERENCES[name](sample, column[sample.cluster]) for column in weights.T]
    found = metric(name, "ordinal").prepare(sample, "ordinal")(weights)
    np.testing.assert_allclose(found, expected, atol=1e-6, rtol=0)


def test_quadratic_kappa_by_hand() -> None:
    # Table 2 1 0 / 0 1 1 / 0 0 1 of six: observed 1 + 1 = 2; rows 3 2 1, columns 2 2 2:
    # expected (0+1+4)*3*2/6 + (1+0+1)*2*2/6 + (4+1+0)*1*2/6 = 5 + 4/3 + 5/3 = 8; kappa = 1 - 2/8.
    sample = grades(np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 1, 1, 2, 2]), 3)
    assert estimate(METRICS["quadratic_kappa"], sample, "ordinal") == pytest.approx(0.75, abs=1e-12)
    # A grade that nobody has or calls changes nothing, as the distance between the others stays.
    wider = grades(np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 1, 1, 2, 2]), 5)
    assert estimate(METRICS["quadratic_kappa"], wider, "ordinal") == pytest.approx(0.75, abs=1e-12)


def test_an_absent_grade_keeps_its_place() -> None:
    """Grades 0 and 4 only: relabelled as neighbours the off-by-one score would be 1."""
    sample = grades(np.array([0, 0, 4, 4]), np.array([0, 4, 4, 4]))
    assert estimate(METRICS["off_by_one"], sample, "ordinal") == 0.75
    assert estimate(METRICS["class_mae"], sample, "ordinal") == 1.0
    target, call = np.array([0, 0, 4, 3]), np.array([0, 3, 4, 4])
    expected = sk.cohen_kappa_score(target, call, weights="quadratic", labels=ALL)
    assert expected != pytest.approx(sk.cohen_kappa_score(target, call, weights="quadratic"))
    found = estimate(METRICS["quadratic_kappa"], grades(target, call), "ordinal")
    assert found == pytest.approx(expected, abs=1e-9)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=12))
def test_small_samples_are_never_nan(pairs: list[tuple[int, int]]) -> None:
    target, call = np.array(pairs).T
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = estimate(METRICS["quadratic_kappa"], grades(target, call), "ordinal")
        expected = sk.cohen_kappa_score(target, call, weights="quadratic", labels=ALL)
    assert found == pytest.approx(0.0 if np.isnan(expected) else expected, abs=1e-6)


@pytest.mark.parametrize("grade", [0, 4])
def test_kappa_of_one_grade_is_zero_with_a_warning(grade: int) -> None:
    one = np.full(6, grade)
    with pytest.warns(UserWarning, match="quadratic_kappa: targets and calls are all of one class"):
        assert estimate(METRICS["quadratic_kappa"], grades(one, one), "ordinal") == 0.0


def test_the_table_of_a_grading() -> None:
    frame = graded(200)
    table = score(Predictions(frame, {"grade": GRADE}), {}, replicates=100)
    matrix = np.stack(frame["probabilities"].to_list())
    columns = frame.assign(**{f"p{k}": matrix[:, k] for k in ALL})[
        ["unit_id", "target", "value", *(f"p{k}" for k in ALL)]
    ]
    studies = columns.groupby("unit_id").mean().dropna()
    pooled = studies[[f"p{k}" for k in ALL]].to_numpy()
    target = studies["target"].to_numpy().astype(int)
    sample = Sample(target, pooled, pooled.argmax(1), np.arange(len(target)), 5)
    rows = table[table["group"] == "all"].set_index("metric")
    for name, reference in REFERENCES.items():
        assert rows.loc[name, "value"] == pytest.approx(reference(sample, np.ones(len(target))), abs=1e-6)
    assert (rows["n"] == len(target)).all()
    assert rows.loc["auroc_at_cut", "note"].startswith("positive: mild and above")
    assert {f"recall_{k}" for k in ALL} <= set(rows.index)
    bounded = table[table["lo"].notna()]
    assert ((bounded["lo"] <= bounded["value"]) & (bounded["value"] <= bounded["hi"])).all()


def test_absent_grades_are_named() -> None:
    frame = graded(60)
    frame.loc[frame["target"] == 4, "target"] = np.nan
    table = score(Predictions(frame, {"grade": GRADE}), {}, replicates=100)
    rows = table[table["group"] == "all"].set_index("metric")
    assert rows["note"].str.contains("no severe").all()
    assert rows.loc["recall_4", "value"] is not None
    assert np.isnan(rows["value"].astype(float)["recall_4"])


@pytest.mark.parametrize("name", [item.name for item in METRICS.values() if "ordinal" in item.heads])
@pytest.mark.parametrize("labels", ["some", "none", "one grade"])
def test_the_monitored_score_is_finite(name: str, labels: str) -> None:
    frame = graded(30)
    if labels == "none":
        frame["target"] = np.nan
    if labels == "one grade":
        frame["target"] = frame["target"] * 0
    value = monitor(frame, TaskFacts(head="ordinal", classes=GRADES, monitor=name, cut=2))
    assert np.isfinite(value)


def test_without_a_cut_there_is_no_area() -> None:
    def names(cut: int | None) -> list[str]:
        return [item.name for item in metrics_of(TaskFacts(head="ordinal", classes=GRADES, cut=cut))]

    assert "auroc_at_cut" in names(2)
    assert "auroc_at_cut" not in names(None)
    assert [direction(name) for name in ("quadratic_kappa", "mae", "class_mse")] == ["max", "min", "min"]


# The likeliest classes


@pytest.mark.parametrize("count", [2, 3])
def test_top_k_equals_scikit_learn(count: int) -> None:
    rng = np.random.default_rng(count)
    target, probability = rng.integers(0, 5, 200), rng.dirichlet(np.ones(5), 200)
    sample = Sample(target, probability, probability.argmax(1), np.arange(200), 5)
    expected = sk.top_k_accuracy_score(target, probability, k=count)
    assert estimate(METRICS[f"top{count}"], sample, "multiclass") == pytest.approx(expected, abs=1e-12)


def test_of_equal_probabilities_the_first_is_likelier_as_in_the_call() -> None:
    probability = np.full((4, 3), 1 / 3)
    for target, expected in ((0, 1.0), (1, 1.0), (2, 0.0)):
        sample = Sample(np.full(4, target), probability, probability.argmax(1), np.arange(4), 3)
        assert estimate(METRICS["top2"], sample, "multiclass") == expected
        assert estimate(METRICS["accuracy"], sample, "multiclass") == (target == 0)


def test_as_many_likeliest_as_classes_is_no_score() -> None:
    names = [item.name for item in metrics_of(TaskFacts(head="multiclass", classes=("a", "b", "c")))]
    assert "top2" in names
    assert "top3" not in names


def test_grades_are_called_by_hand() -> None:
    """0.4, 0, 0.3, 0.2, 0.1: the likeliest is 0, P(>= 2) = 0.6 > 0.5 >= P(>= 3), and 1.6 rounds to 2; halves go up."""
    score = np.array([[0.4, 0.0, 0.3, 0.2, 0.1], [0.5, 0.5, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 1.0]])
    value = score @ np.arange(5)
    assert called(score, value, "likeliest").tolist() == [0, 0, 4]
    assert called(score, value, "median").tolist() == [2, 0, 4]
    assert called(score, value, "expected").tolist() == [2, 1, 4]


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**31), st.integers(2, 9))
def test_each_call_costs_least_by_its_own_measure(seed: int, classes: int) -> None:
    """Against every grade in turn: expected 0-1, absolute and squared cost under the probabilities."""
    score = np.random.default_rng(seed).dirichlet(np.ones(classes), 20)
    apart = np.abs(np.subtract.outer(np.arange(classes), np.arange(classes)))
    costs = {"likeliest": (apart > 0) * 1.0, "median": apart * 1.0, "expected": apart**2.0}
    for rule, cost in costs.items():
        expected = score @ cost  # (20, classes): the cost of calling each grade
        chosen = called(score, score @ np.arange(classes), rule)
        np.testing.assert_allclose(expected[np.arange(20), chosen], expected.min(1), rtol=1e-9)


@pytest.mark.parametrize("rule", CALLS)
def test_the_call_reaches_the_scores_and_is_told(rule: str) -> None:
    frame, facts = graded(), replace(GRADE, call=rule)
    rows = score(Predictions(frame, {"grade": facts}), {}, replicates=100)
    assert ("called: the" in to_markdown(rows)) == (rule != "likeliest")
    rows = rows[rows["group"] == "all"].set_index("metric")
    table = units(frame, facts).dropna(subset="target")
    call = called(scores(table, facts), table["value"].to_numpy(), rule)
    kappa = sk.cohen_kappa_score(table["target"].astype(int), call, weights="quadratic", labels=ALL)
    assert rows.loc["quadratic_kappa", "value"] == pytest.approx(kappa, abs=1e-6)
    assert ("called: the" in rows.loc["quadratic_kappa", "note"]) == (rule != "likeliest")
    assert "called" not in rows.loc["mae", "note"]


def test_an_unknown_call_is_refused() -> None:
    with pytest.raises(OsteonError, match=r"task call: 'mean', not one of likeliest, median, expected"):
        TaskFacts("ordinal", classes=("0", "1"), call="mean")
    with pytest.raises(OsteonError, match="images vote for what is likeliest"):
        TaskFacts("ordinal", classes=("0", "1"), call="median", pool="vote")
    with pytest.raises(OsteonError, match="only an ordinal head has one"):
        TaskFacts("multiclass", classes=("0", "1"), call="median")


@pytest.mark.parametrize("rule", CALLS)
def test_calibration_is_of_the_probabilities_whatever_grade_is_called(rule: str) -> None:
    frame = graded()
    table = units(frame, replace(GRADE, call=rule)).dropna(subset="target")
    sure = confidence(sample_of(table, replace(GRADE, call=rule)))
    likeliest = scores(table, GRADE)
    np.testing.assert_array_equal(sure.score, likeliest.max(1))
    np.testing.assert_array_equal(sure.target, likeliest.argmax(1) == table["target"])
