"""Weights beside scipy's own optimum, and where the answer is known."""

import numpy as np
import pytest
from scipy.optimize import nnls

from osteon.ensemble.weights import fitted
from osteon.predictions import TaskFacts

BINARY, NUMBER = TaskFacts(), TaskFacts(head="regression")
TYPES = TaskFacts(head="multiclass", classes=("a", "b", "c"))


def given(seed: int, members: int = 4, n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    target = (rng.random(n) < 0.4).astype(float)
    return np.clip(0.5 + 0.3 * (2 * target - 1) + rng.normal(0, 0.3, (members, n)), 0, 1), target


@pytest.mark.parametrize("seed", range(5))
def test_no_other_weights_fit_val_better(seed: int) -> None:
    score, target = given(seed)
    weights = fitted(score, target, BINARY)
    assert weights.sum() == pytest.approx(1)
    assert (weights >= 0).all()

    def loss(one: np.ndarray) -> float:
        truth = np.clip(np.where(target == 1, score, 1 - score), 1e-6, 1)
        return float(-np.log(one @ truth).mean())

    others = np.random.default_rng(seed).dirichlet(np.ones(4), 3000)
    assert loss(weights) <= min(loss(one) for one in others) + 1e-7


def test_of_numbers_they_are_constrained_least_squares() -> None:
    rng = np.random.default_rng(0)
    target = rng.normal(120, 40, 300)
    score = target + rng.normal(0, [[5], [10], [20]], (3, 300)) + np.array([[0], [3], [-4]])
    # Sum to 1 by a heavy row.
    expected = nnls(np.vstack([score.T - target[:, None], np.full((1, 3), 1e6)]), np.r_[np.zeros(300), 1e6])[0]
    np.testing.assert_allclose(fitted(score, target, NUMBER), expected, atol=2e-3)


@pytest.mark.parametrize("facts", [BINARY, NUMBER])
def test_a_member_that_knows_all_gets_all(facts: TaskFacts) -> None:
    score, target = given(0, members=2)
    found = fitted(np.stack([score[0], target]), target, facts)
    np.testing.assert_allclose(found, [0, 1], atol=1e-3)


def test_of_classes_what_was_given_to_the_true_class_counts() -> None:
    rng = np.random.default_rng(1)
    target = rng.integers(0, 3, 200).astype(float)
    good = np.eye(3)[target.astype(int)] * 0.7 + 0.1
    bad = rng.dirichlet(np.ones(3), 200)
    weights = fitted(np.stack([bad.T, good.T]), target, TYPES)
    assert weights[1] > 0.9


def test_equal_members_share_evenly() -> None:
    score, target = given(3, members=1)
    np.testing.assert_allclose(fitted(np.repeat(score, 3, axis=0), target, BINARY), 1 / 3)
