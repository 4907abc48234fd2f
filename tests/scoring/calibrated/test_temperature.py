"""The temperature is that of least loss on val, keeps every order, and is frozen as it was fitted."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit, softmax
from sklearn.metrics import log_loss

from osteon.errors import OsteonError
from osteon.predictions import TaskFacts
from osteon.scoring.calibrated.temperature import RANGE, Temperature, apply, fit, fit_all, freeze, frozen

BINARY = TaskFacts()
CLASSES = TaskFacts(head="multiclass", classes=("a", "b", "c"))
GRADES = TaskFacts(head="ordinal", classes=("a", "b", "c"))


def binary(n: int = 4000, temperature: float = 2.5, seed: int = 0) -> pd.DataFrame:
    """Return units whose probabilities are too bold by a known temperature."""
    rng = np.random.default_rng(seed)
    true = rng.normal(0, 1.5, n)
    target = (rng.random(n) < expit(true)).astype(float)
    return pd.DataFrame({"target": target, "probability": expit(temperature * true), "group_id": np.arange(n)})


def classes(n: int = 4000, temperature: float = 0.5, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    true = rng.normal(0, 1.5, (n, 3))
    chance = softmax(true, axis=1)
    target = (rng.random((n, 1)) > chance.cumsum(1)).sum(1).astype(float)
    said = softmax(temperature * true, axis=1)
    return pd.DataFrame(
        {f"p{k}": said[:, k] for k in range(3)} | {"target": target, "group_id": np.arange(n), "value": 1.0}
    )


@pytest.mark.parametrize("asked", [0.5, 1.0, 2.5, 4.0])
def test_it_finds_the_temperature_that_was_put_in(asked: float) -> None:
    assert fit(binary(temperature=asked), BINARY).value == pytest.approx(asked, rel=0.1)
    for facts in (CLASSES, GRADES):
        assert fit(classes(temperature=asked), facts).value == pytest.approx(asked, rel=0.1)


def test_no_other_temperature_of_a_grid_has_less_loss() -> None:
    val = binary(300)
    found = fit(val, BINARY).value
    losses = {
        value: log_loss(val["target"], expit(logit(val["probability"]) / value))
        for value in (found, *np.geomspace(0.06, 19, 80))
    }
    assert min(losses, key=losses.__getitem__) == found


@settings(deadline=None, max_examples=40)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=20), st.floats(*RANGE))
def test_order_is_kept_and_one_half_stays(scores: list[float], value: float) -> None:
    table = pd.DataFrame({"probability": [*scores, 0.5]})
    after = apply(table, BINARY, Temperature(value, "val", 9))["probability"].to_numpy()
    assert ((after >= 0) & (after <= 1)).all()
    assert after[-1] == pytest.approx(0.5)
    order = np.argsort(scores, kind="stable")
    assert (np.diff(after[:-1][order]) >= -1e-12).all()


def test_classes_still_add_up_and_one_changes_nothing() -> None:
    table = classes(50)
    for value in (0.3, 1.0, 7.0):
        after = apply(table, CLASSES, Temperature(value, "val", 50))
        np.testing.assert_allclose(after[["p0", "p1", "p2"]].sum(axis=1), 1)
    np.testing.assert_allclose(apply(table, CLASSES, Temperature(1.0, "val", 50))[["p0"]], table[["p0"]], atol=1e-6)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0])), min_size=2, max_size=15))
def test_any_val_of_two_outcomes_gives_a_number_in_range(units: list[tuple[bool, float]]) -> None:
    val = pd.DataFrame({"target": [float(one) for one, _ in units], "probability": [score for _, score in units]})
    assume(val["target"].nunique() == 2)
    found = fit(val, BINARY)
    assert RANGE[0] <= found.value <= RANGE[1]


def test_val_told_apart_without_a_mistake_is_said_so() -> None:
    val = pd.DataFrame({"target": [0.0, 0.0, 1.0, 1.0], "probability": [0.3, 0.4, 0.6, 0.7]})
    assert "without a mistake" in fit(val, BINARY).note


@pytest.mark.parametrize(
    ("target", "said"), [([0.0, 0.0], "2 labelled study units of one outcome"), ([np.nan] * 2, "no labelled")]
)
def test_val_of_one_outcome_is_refused(target: list[float], said: str) -> None:
    val = pd.DataFrame({"target": target, "probability": [0.2, 0.7]})
    with pytest.raises(OsteonError, match=rf"val has {said}.*data\.val_fraction"):
        fit(val, TaskFacts(unit="study"))


@pytest.mark.parametrize("head", ["regression", "detection"])
def test_heads_without_probabilities_are_refused(head: str) -> None:
    with pytest.raises(OsteonError, match=f"a {head} head gives no probability"):
        fit(pd.DataFrame({"target": [0.0, 1.0]}), TaskFacts(head=head, classes=("a",)))


def test_frozen_is_what_was_fitted(tmp_path: Path) -> None:
    held = {"a": Temperature(1.25, "val", 40), "b": Temperature(0.05, "val", 9, "at its end")}
    freeze(tmp_path / "t.json", held)
    assert frozen(tmp_path / "t.json") == held
    assert frozen(tmp_path / "none.json") == {}
    for content in ("{", "[1]", '{"a": 3}', json.dumps({"a": {"value": 99.0, "split": "val", "n": 1}})):
        (tmp_path / "t.json").write_text(content)
        with pytest.raises(OsteonError, match=r"t\.json"):
            frozen(tmp_path / "t.json")


def test_tasks_without_two_outcomes_or_probabilities_have_none() -> None:
    frame = pd.DataFrame(
        {
            "task": ["a"] * 4 + ["b"] * 4 + ["c"] * 4,
            "image_id": [str(k) for k in range(12)],
            "unit_id": [str(k) for k in range(12)],
            "group_id": [str(k) for k in range(12)],
            "target": [0.0, 1, 0, 1] + [0.0] * 4 + [3.0, 4, 5, 6],
            "probability": [0.2, 0.6, 0.4, 0.3] * 3,
            "value": 1.0,
        }
    )
    assert set(fit_all(frame, {"a": BINARY, "b": BINARY, "c": TaskFacts(head="regression")})) == {"a"}
