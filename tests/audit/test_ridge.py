"""Ridge regression equals its normal equations, and its answers are what a head of each kind gives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osteon.audit.ridge import PENALTIES, decode, fit
from osteon.manifest import Target

NAMES = ("a", "b", "c")
TARGETS = {
    "binary": Target("x", "binary"),
    "multiclass": Target("x", "multiclass", NAMES),
    "ordinal": Target("x", "ordinal", NAMES),
    "regression": Target("x", "regression", unit="months", low=0.0, high=240.0),
    "multilabel": Target("x", "multilabel", NAMES),
}


def made(kind: str, rows: int = 60, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return features, targets with gaps, and the masks of train and val."""
    rng = np.random.default_rng(seed)
    features = rng.normal(3.0, 2.0, (rows, 4))
    shape = (rows, 3) if kind == "multilabel" else (rows,)
    values = rng.integers(0, 2 if kind in ("binary", "multilabel") else 3, shape).astype(float)
    if kind == "regression":
        values = 100 + 20 * features[:, 0] + rng.normal(0, 5, rows)
    values[::7] = np.nan
    train = np.arange(rows) < rows * 2 // 3
    return features, values, train, ~train


def test_coefficients_solve_the_normal_equations_of_the_labelled_train_rows() -> None:
    features, values, train, val = made("regression")
    rows = train & ~np.isnan(values)
    x, y = features[rows], values[rows]
    scaled = (x - x.mean(0)) / x.std(0)
    for penalty, one in zip(PENALTIES, fit(features, values, train, val, TARGETS["regression"]), strict=True):
        solved = np.linalg.solve(scaled.T @ scaled + penalty * np.eye(4), scaled.T @ (y - y.mean()))
        expected = (features - x.mean(0)) / x.std(0) @ solved + y.mean()
        assert one(features)[:, 0] == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("kind", TARGETS)
def test_nothing_but_train_labels_is_fitted(kind: str) -> None:
    features, values, train, val = made(kind)
    other = values.copy()
    other[val] = np.where(np.isnan(other[val]), np.nan, 0.0)
    before, after = (fit(features, found, train, val, TARGETS[kind]) for found in (values, other))
    for one, two in zip(before, after, strict=True):
        assert (one.coefficients == two.coefficients).all()
        assert (one.intercepts == two.intercepts).all()


@pytest.mark.parametrize("kind", TARGETS)
def test_answers_keep_the_range_of_the_head(kind: str) -> None:
    features, values, train, val = made(kind)
    for one in fit(features, values, train, val, TARGETS[kind]):
        found = decode(one(features * 50), one, TARGETS[kind])  # far outside what it was fitted on
        for name, column in found.items():
            assert np.isfinite(column).all()
            assert len(column) == len(features)
            if name.startswith("prob"):
                assert ((column >= 0) & (column <= 1)).all()
        if "probabilities" in found:
            assert found["probabilities"].sum(1) == pytest.approx(np.ones(len(features)))
    if kind == "regression":
        assert found["value"].min() >= 0
        assert found["value"].max() <= 240


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000))
def test_the_called_class_is_that_of_the_largest_output_and_the_called_grade_the_rounded_one(seed: int) -> None:
    for kind in ("multiclass", "ordinal"):
        features, values, train, val = made(kind, seed=seed)
        one = fit(features, values, train, val, TARGETS[kind])[9]
        output = one(features)
        called = decode(output, one, TARGETS[kind])["probabilities"].argmax(1)
        value = np.clip(output[:, 0], 0, 2)
        clear = np.abs(value - np.round(value)) < 0.49
        expected = output.argmax(1) if kind == "multiclass" else np.round(value)
        rows = np.ones(len(called), bool) if kind == "multiclass" else clear
        assert (called == expected)[rows].all()
