"""Ridge regression (Hoerl and Kennard 1970) from pixels to what each kind of head answers."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.preprocessing import StandardScaler

from osteon.manifest import Target

Floats = NDArray[np.float64]
PENALTIES = tuple(float(value) for value in np.logspace(-2, 6, 17))


@dataclass(frozen=True)
class Fitted:
    """A linear map from features to one number, or to one a class or finding.

    Attributes:
        coefficients: (outputs, D), of the features as they are given.
        intercepts: (outputs,).
        spread: sd of the errors on val; of grades only, else 0.
    """

    coefficients: Floats
    intercepts: Floats
    spread: float = 0.0

    def __call__(self, features: Floats) -> Floats:
        """Return (N, outputs) of (N, D) features."""
        found: Floats = features @ self.coefficients.T + self.intercepts
        return found


def fit(
    features: Floats, values: Floats, train: NDArray[np.bool_], val: NDArray[np.bool_], target: Target
) -> list[Fitted]:
    """Return one fit a penalty, in the order of `PENALTIES`.

    Args:
        features: (N, D), of all rows.
        values: (N,) targets, of a multilabel target (N, labels); NaN where nobody looked.
        train: (N,) bool; its labelled rows are fitted, features standardised by them.
        val: (N,) bool; tells the spread of grades.
        target: what the values are. Classes are fitted as 0 and 1 each, grades and numbers as they are.
    """
    wanted = _columns(values, target)
    parts = [[_one(features, column, train, penalty) for column in wanted.T] for penalty in PENALTIES]
    return [_joined(part, features, values, val, target) for part in parts]


def _columns(values: Floats, target: Target) -> Floats:
    if target.kind != "multiclass":
        each: Floats = values.reshape(len(values), -1)
        return each
    hot: Floats = (values[:, None] == np.arange(len(target.classes))).astype(np.float64)
    hot[np.isnan(values)] = np.nan
    return hot


def _one(features: Floats, wanted: Floats, train: NDArray[np.bool_], penalty: float) -> tuple[Floats, float]:
    """Return coefficients and intercept for features that are not standardised."""
    rows = train & ~np.isnan(wanted)
    scaler = StandardScaler().fit(features[rows])
    model = Ridge(alpha=penalty).fit(scaler.transform(features[rows]), wanted[rows])
    coefficients: Floats = model.coef_ / scaler.scale_
    return coefficients, float(model.intercept_ - coefficients @ scaler.mean_)


def _joined(
    parts: list[tuple[Floats, float]], features: Floats, values: Floats, val: NDArray[np.bool_], target: Target
) -> Fitted:
    plain = Fitted(np.stack([one for one, _ in parts]), np.array([intercept for _, intercept in parts]))
    if target.kind != "ordinal":
        return plain
    rows = val & ~np.isnan(values)
    wrong = plain(features[rows])[:, 0] - values[rows]
    return Fitted(plain.coefficients, plain.intercepts, max(float(np.sqrt((wrong**2).mean())), 1e-3))


def decode(found: Floats, fitted: Fitted, target: Target) -> Mapping[str, Floats]:
    """Turn (N, outputs) into the columns of a predictions file, as the head of such a target would.

    Probabilities are the outputs cut to [0, 1] (of classes: divided by their sum). A grade's fall
    with its distance from the output as a normal density does, so that the called grade is the rounded output.
    """
    if target.kind in ("binary", "multilabel"):
        chance = np.clip(found, 0.0, 1.0)
        return {"probability": chance if target.kind == "multilabel" else chance[:, 0]}
    if target.kind == "multiclass":
        chance = np.clip(found, 1e-6, None)
        return {"probabilities": chance / chance.sum(1, keepdims=True)}
    low, high = (0.0, len(target.classes) - 1.0) if target.kind == "ordinal" else (target.low, target.high)
    value = np.clip(found[:, 0], low, high)
    if target.kind == "regression":
        return {"value": value}
    return {"probabilities": _graded(value, fitted.spread, len(target.classes)), "value": value}


def _graded(value: Floats, spread: float, grades: int) -> Floats:
    away = -((np.arange(grades) - value[:, None]) ** 2) / (2 * spread**2)
    chance = np.exp(away - away.max(1, keepdims=True))
    found: Floats = chance / chance.sum(1, keepdims=True)
    return found


def fit_on_train(features: Floats, values: Floats, train: NDArray[np.bool_], target: Target) -> Fitted:
    """Return one fit whose penalties are chosen on train too, by the squared error of leaving each row out in turn.

    Args:
        features: (N, D), of all rows.
        values: (N,) targets; NaN where nobody looked.
        train: (N,) bool; its labelled rows are fitted.
        target: what the values are.
    """
    parts = []
    for column in _columns(values, target).T:
        rows = train & ~np.isnan(column)
        scaled = StandardScaler().fit_transform(features[rows])
        chosen = RidgeCV(alphas=PENALTIES).fit(scaled, column[rows])
        parts.append(_one(features, column, train, float(chosen.alpha_)))
    return _joined(parts, features, values, train, target)
