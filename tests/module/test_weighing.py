"""Weights of several losses: fixed, and learned as Kendall 2018 derived them."""

import math

import numpy as np
import pytest
import torch

from osteon.module.weighing import LossWeights

COUNTS = {"a": torch.tensor(3.0), "b": torch.tensor(5.0)}


def total(weights: LossWeights, losses: dict[str, float], counts: dict[str, torch.Tensor] = COUNTS) -> torch.Tensor:
    found = torch.stack([weights.of(task, torch.tensor(loss)) for task, loss in losses.items()]).sum()
    rest = weights.rest(counts)
    return found if rest is None else found + rest


def test_fixed_weights_are_a_plain_sum() -> None:
    weights = LossWeights({"a": 2.0, "b": 0.5})
    assert total(weights, {"a": 3.0, "b": 8.0}) == 10.0
    assert list(weights.parameters()) == []
    assert weights.learned() == {}


def test_learned_weights_by_hand() -> None:
    """Variances of 4 and 1/9: (L_a / 4 / 2 + log 2) for the squared error, (9 L_b - log 3) for the other."""
    weights = LossWeights({"a": 1.0, "b": 2.0}, True, ["a"])
    with torch.no_grad():
        weights.log_variances.copy_(torch.tensor([math.log(4.0), math.log(1 / 9)]))  # type: ignore[union-attr]
    by_hand = (6.0 / 8 + math.log(2)) + 2 * (9 * 0.5 - math.log(3))
    assert float(total(weights, {"a": 6.0, "b": 0.5}).detach()) == pytest.approx(by_hand, rel=1e-6)
    assert weights.learned() == pytest.approx({"a": math.log(4), "b": -math.log(9)})


@pytest.mark.parametrize("squared", [True, False])
def test_the_variance_settles_where_the_likelihood_is_highest(squared: bool) -> None:
    """d/ds (c e^-s L + s/2) = 0 at e^s = 2 c L: the mean squared error itself, for a squared error."""
    weights = LossWeights({"a": 1.0, "b": 1.0}, True, ["a"] if squared else [])
    optimizer = torch.optim.SGD(weights.parameters(), lr=0.5)
    for _ in range(200):
        optimizer.zero_grad()
        total(weights, {"a": 7.0, "b": 0.25}).backward()
        optimizer.step()
    found = {task: math.exp(value) for task, value in weights.learned().items()}
    np.testing.assert_allclose([found["a"], found["b"]], [7.0 if squared else 14.0, 0.5], rtol=1e-3)


def test_a_task_without_rows_moves_no_variance() -> None:
    weights = LossWeights({"a": 1.0, "b": 1.0}, True)
    total(weights, {"a": 2.0, "b": 0.0}, {"a": torch.tensor(1.0), "b": torch.tensor(0.0)}).backward()
    assert weights.log_variances is not None
    assert weights.log_variances.grad is not None
    assert weights.log_variances.grad[0] != 0
    assert weights.log_variances.grad[1] == 0
