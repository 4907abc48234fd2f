"""Scores of a predicted number, held against scikit-learn, scipy and tables worked by hand."""

from collections.abc import Callable

import numpy as np
import pytest
import sklearn.metrics as sk
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from osteon.predictions import Predictions, TaskFacts
from osteon.scoring import bootstrap
from osteon.scoring.metrics import METRICS, direction, estimate, metric, metrics_of, monitor
from osteon.scoring.sample import Floats, Sample
from osteon.scoring.table import score
from tests.scoring.drawn import AGE, ages

Reference = Callable[[Floats, Floats], float]
REFERENCES: dict[str, Reference] = {
    "mae": sk.mean_absolute_error,
    "rmse": lambda y, p: float(np.sqrt(sk.mean_squared_error(y, p))),
    "bias": lambda y, p: float(np.mean(p - y)),
    "loa_low": lambda y, p: float(np.mean(p - y) - 1.96 * np.std(p - y, ddof=1)),
    "loa_high": lambda y, p: float(np.mean(p - y) + 1.96 * np.std(p - y, ddof=1)),
    "within_12": lambda y, p: float(np.mean(np.abs(p - y) <= 12)),
    "pearson": lambda y, p: float(stats.pearsonr(y, p).statistic),
    "r2": sk.r2_score,
}


def numbers(truth: Floats, value: Floats, cluster: np.ndarray | None = None) -> Sample:
    none = np.zeros(len(truth), np.intp)
    return Sample(none, value, none, np.arange(len(truth)) if cluster is None else cluster, 1, truth, value)


def drawn(n: int = 200, patients: int = 80, seed: int = 0) -> Sample:
    """Whole months, so that there are ties."""
    rng = np.random.default_rng(seed)
    truth = np.round(rng.normal(120, 40, n))
    cluster = np.concatenate([np.arange(patients), rng.integers(0, patients, n - patients)])
    return numbers(truth, np.round(truth + 3 + rng.normal(0, 14, n)), cluster)


@pytest.mark.parametrize("name", REFERENCES)
@pytest.mark.parametrize("seed", range(3))
def test_scores_equal_the_references_under_any_weights(name: str, seed: int) -> None:
    sample = drawn(seed=seed)
    weights = np.column_stack([np.ones(80), np.random.default_rng(seed).integers(0, 4, (80, 5))])
    found = metric(name, "regression").prepare(sample, "regression")(weights)
    for value, column in zip(found, weights.T, strict=True):
        rows = np.repeat(np.arange(200), column[sample.cluster].astype(int))
        assert value == pytest.approx(REFERENCES[name](sample.truth[rows], sample.value[rows]), abs=1e-6)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=20))
def test_small_samples_with_ties_equal_the_references_or_are_missing(pairs: list[tuple[int, int]]) -> None:
    truth, value = np.array(pairs, float).T
    sample = numbers(truth, value)
    undefined = {
        "loa_low": len(pairs) < 2,
        "loa_high": len(pairs) < 2,
        "pearson": bool(np.ptp(truth) == 0 or np.ptp(value) == 0),
        "r2": bool(np.ptp(truth) == 0),
    }
    for name, reference in REFERENCES.items():
        found = estimate(METRICS[name], sample, "regression")
        if undefined.get(name):
            assert found is None
        else:
            assert found == pytest.approx(reference(truth, value), abs=1e-6)


def test_by_hand() -> None:
    # Errors 4, -12, 13, -1: absolute sum 30, squares 330, sum 4; squares about the mean 326, over 3; sd 10.424330.
    sample = numbers(np.array([100.0, 60, 130, 24]), np.array([104.0, 48, 143, 23]))
    expected = {"mae": 7.5, "rmse": 82.5**0.5, "bias": 1.0, "within_12": 0.75}
    expected |= {"loa_low": 1 - 1.96 * 10.4243304823, "loa_high": 1 + 1.96 * 10.4243304823}
    for name, value in expected.items():
        assert estimate(METRICS[name], sample, "regression") == pytest.approx(value, abs=1e-6)
    # The margin belongs to it: 12 months off is within 12 months.
    assert estimate(metric("within_11", "regression"), sample, "regression") == 0.5


def test_ages_far_from_zero_lose_no_digits() -> None:
    rng = np.random.default_rng(0)
    truth = 1e7 + rng.normal(0, 1, 60)
    sample = numbers(truth, truth + rng.normal(0, 0.5, 60))
    for name in ("pearson", "r2", "rmse", "loa_high"):
        expected = REFERENCES[name](sample.truth, sample.value)
        assert estimate(METRICS[name], sample, "regression") == pytest.approx(expected, abs=1e-6)


def test_how_near_is_near_follows_the_unit() -> None:
    def near(**facts: object) -> list[str]:
        made = TaskFacts(head="regression", **facts)  # type: ignore[arg-type]
        return [item.name for item in metrics_of(made) if item.name.startswith("within")]

    assert near(unit_name="months") == ["within_12"]
    assert near(unit_name="years") == ["within_1"]
    assert near(unit_name="g/cm2") == []
    assert near(unit_name="g/cm2", monitor="within_3") == ["within_3"]
    assert near(unit_name="months", monitor="within_24") == ["within_12", "within_24"]


@pytest.mark.parametrize(("name", "way"), [("mae", "min"), ("rmse", "min"), ("within_6", "max"), ("r2", "max")])
def test_directions(name: str, way: str) -> None:
    assert direction(name) == way


@pytest.mark.parametrize("name", ["bias", "loa_low"])
def test_what_has_no_better_is_not_monitored(name: str) -> None:
    with pytest.raises(Exception, match=f"monitor {name!r}"):
        direction(name)


@pytest.mark.parametrize("name", [item.name for item in METRICS.values() if "regression" in item.heads])
@pytest.mark.parametrize("labels", ["some", "one", "none"])
def test_the_monitored_score_is_finite_and_of_units(name: str, labels: str) -> None:
    frame = ages(30)
    if labels != "some":
        frame["target"] = frame["target"].where(frame["study"] == (0 if labels == "one" else -1))
    facts = TaskFacts(head="regression", monitor=name)
    value = monitor(frame, facts)
    assert np.isfinite(value)
    if labels == "none":
        assert value == METRICS[name].fallback
    if labels == "some":
        studies = frame.groupby("unit_id").agg(target=("target", "first"), value=("value", "mean")).dropna()
        expected = REFERENCES[name](studies["target"].to_numpy(), studies["value"].to_numpy())
        assert value == pytest.approx(expected, abs=1e-6)


def test_an_epoch_without_a_labelled_unit_is_worse_than_any() -> None:
    frame = ages(30)
    facts = TaskFacts(head="regression", monitor="mae")
    assert monitor(frame.assign(target=np.nan), facts) > monitor(frame.assign(value=240.0), facts)


def test_the_table_of_a_regression() -> None:
    frame = ages(150)
    table = score(Predictions(frame, {"age": AGE}), {}, replicates=100)
    studies = frame.groupby("unit_id").agg(target=("target", "first"), value=("value", "mean"), sex=("sex", "first"))
    studies = studies.dropna()
    for group, part in (
        ("all", studies),
        ("sex=F", studies[studies["sex"] == "F"]),
        ("target=60 to 120", studies[(studies["target"] >= 60) & (studies["target"] < 120)]),
        ("target=180 to 240", studies[studies["target"] >= 180]),
    ):
        rows = table[table["group"] == group].set_index("metric")
        assert (rows["n"] == len(part)).all()
        for name, reference in REFERENCES.items():
            expected = reference(part["target"].to_numpy(), part["value"].to_numpy())
            assert rows.loc[name, "value"] == pytest.approx(expected, abs=1e-6)
        assert rows.loc["mae", "note"].startswith("in months")
    assert table["n_positive"].isna().all()
    bounded = table[table["lo"].notna()]
    assert ((bounded["lo"] <= bounded["value"]) & (bounded["value"] <= bounded["hi"])).all()
    ages_told = [name for name in table["group"].unique() if name.startswith("age_years")]
    assert ages_told == [f"age_years={band}" for band in ("0 to 18", "18 to 45", "45 to 65", "65 and over")]


def test_a_group_of_one_unit_and_a_split_without_labels_are_told() -> None:
    frame = ages(40)
    frame.loc[frame["study"] == 0, "sex"] = "X"
    table = score(Predictions(frame, {"age": AGE}), {}, replicates=100)
    one = table[table["group"] == "sex=X"].set_index("metric")
    assert one.loc["mae", "n"] == 1
    assert one["value"].isna()[["loa_low", "loa_high", "pearson", "r2"]].all()
    assert (one.loc[["mae", "rmse", "bias"], "lo"].isna()).all()
    none = score(Predictions(frame.assign(target=np.nan), {"age": AGE}), {}, replicates=100)
    assert none["value"].isna().all()
    assert none["note"].str.contains("no labelled unit").all()


def test_a_thousand_replicates_are_fast() -> None:
    from time import perf_counter

    sample = drawn(1656, 900)
    prepared = [METRICS["mae"].prepare(sample, "regression"), METRICS["rmse"].prepare(sample, "regression")]
    start = perf_counter()
    found = bootstrap.replicate(prepared, 900, 1000, 0, 1656)
    assert found.shape == (2, 1000)
    # Some 0.03 s on a quiet core.
    assert perf_counter() - start < 3
