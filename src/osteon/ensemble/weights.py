"""Weights of members, fitted on val: the convex combination whose answers fit the labels best (stacking)."""

from typing import Any

import numpy as np

from osteon.predictions import TaskFacts
from osteon.scoring.sample import Floats

# A probability of 0 for what happened would rule a member out whatever else it says.
_LEAST = 1e-6
# Weights below this are rounding of the optimiser.
_NOUGHT = 1e-4


def fitted(score: Floats, target: Floats, facts: TaskFacts) -> Floats:
    """Return (members,) weights, 0 or more with sum 1, that minimise the loss of the weighted mean.

    The loss is the log loss of probabilities and the squared error of numbers, both convex in the weights. Breiman
    (1996), Mach Learn 24:49: stacked regressions with weights that are not negative; of classifiers van der Laan,
    Polley and Hubbard (2007), Stat Appl Genet Mol Biol 6:25.

    Args:
        score: (members, u) scores of labelled units; (members, classes, u) of classes.
        target: (u,) class indices or numbers.
        facts: the head.
    """
    from scipy.optimize import minimize

    answer = _of_the_truth(score, target, facts)
    count, squared = len(answer), facts.head == "regression"
    # Errors in months and in years are fitted alike.
    scale = float(np.std(answer)) or 1.0

    def loss(weights: Floats) -> float:
        mix = weights @ answer
        return float(np.mean(mix**2)) / scale**2 if squared else float(-np.log(mix).mean())

    def slope(weights: Floats) -> Floats:
        mix = weights @ answer
        found: Floats = 2 * (answer @ mix) / mix.size / scale**2 if squared else -(answer / mix).mean(1)
        return found

    sums_to_1 = {"type": "eq", "fun": lambda weights: weights.sum() - 1, "jac": lambda weights: np.ones(count)}
    how: dict[str, Any] = {"method": "SLSQP", "jac": slope, "bounds": [(0.0, 1.0)] * count, "constraints": sums_to_1}
    found = minimize(loss, np.full(count, 1 / count), **how, options={"ftol": 1e-12, "maxiter": 500})
    weights = np.where(found.x < _NOUGHT, 0.0, found.x)
    result: Floats = weights / weights.sum()
    return result


def _of_the_truth(score: Floats, target: Floats, facts: TaskFacts) -> Floats:
    """Return (members, u) errors of numbers, or probabilities that were given to what is true."""
    if facts.head == "regression":
        return np.asarray(score - target)
    if facts.head == "binary":
        given = np.where(target == 1, score, 1 - score)
    else:
        given = score[:, target.astype(np.intp), np.arange(len(target))]
    return np.asarray(np.clip(given, _LEAST, 1.0))
