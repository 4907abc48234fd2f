"""Numbers: standardised by the train labels, learned, undone; and the softmax over values of the scale."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from osteon.config import MulticlassSpec, RegressionSpec, TargetSpec
from osteon.errors import OsteonError
from osteon.heads import BinsHead, RegressionHead, build_head
from osteon.manifest.target import Target
from tests.heads.cases import GRADES, MONTHS

PRESENT = torch.tensor([True])


def test_fit_takes_mean_and_deviation_of_the_labelled() -> None:
    head = RegressionHead(3, 0.0, 240.0)
    head.fit([10.0, np.nan, 20.0, 60.0])
    assert head.mean.item() == pytest.approx(30.0)
    assert head.sd.item() == pytest.approx(np.std([10.0, 20.0, 60.0]))
    assert head.mean.dtype == torch.float32


def test_decode_is_the_inverse_and_clips_to_the_scale() -> None:
    head = RegressionHead(3, 0.0, 240.0)
    head.fit([50.0, 150.0])  # mean 100, sd 50
    told = head.decode(torch.tensor([[0.0], [1.5], [-1.0], [9.0], [-9.0]]))["value"]
    np.testing.assert_array_equal(told, [100.0, 175.0, 50.0, 240.0, 0.0])


def test_without_a_known_scale_nothing_is_clipped() -> None:
    head = build_head(RegressionSpec(kind="regression"), 3, [1], [4.0], Target("pain", "regression"))
    np.testing.assert_array_equal(head.decode(torch.tensor([[1e6], [-1e6]]))["value"], [1e6, -1e6])


def test_an_untrained_network_that_says_nothing_answers_the_mean() -> None:
    head = RegressionHead(3, 0.0, 240.0)
    head.fit([50.0, 150.0])
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.zero_()
    np.testing.assert_array_equal(head.decode(head([], torch.randn(4, 3)))["value"], 100.0)


@pytest.mark.parametrize(
    ("loss", "cost"), [("l1", 3.0), ("l2", 9.0), ("huber", 2.0 * (3.0 - 1.0))], ids=["l1", "l2", "huber"]
)
def test_losses_by_hand(loss: str, cost: float) -> None:
    """Truth 250 is 3 deviations above the mean of 100; with delta 2 Huber costs 2 (3 - 2/2)."""
    head = RegressionHead(3, 0.0, 300.0, loss=loss, delta=2.0)  # type: ignore[arg-type]
    head.fit([50.0, 150.0])
    assert head.loss(torch.zeros(1, 1), torch.tensor([250.0]), PRESENT).total.item() == pytest.approx(cost)


@pytest.mark.parametrize("values", [[], [np.nan], [40.0, 40.0, np.nan]])
def test_labels_that_do_not_differ_cannot_be_standardised(values: list[float]) -> None:
    with pytest.raises(OsteonError, match="must differ"):
        RegressionHead(3, 0.0, 240.0).fit(values)


@settings(deadline=None)
@given(st.floats(0.0, 240.0, width=32), st.integers(2, 500))
def test_the_soft_target_of_bins_has_the_truth_as_its_expectation(truth: float, bins: int) -> None:
    """The gradient of the cross entropy at even logits is 1 / bins minus the soft target: two values at most."""
    head = BinsHead(3, 0.0, 240.0, bins)
    output = torch.zeros(1, bins, requires_grad=True)
    head.loss(output, torch.tensor([truth]), PRESENT).total.backward()
    assert output.grad is not None
    share = (1 / bins - output.grad[0].double()).numpy()
    assert (share > 1e-6).sum() <= 2
    assert share.sum() == pytest.approx(1.0, abs=1e-5)
    assert share @ np.linspace(0.0, 240.0, bins) == pytest.approx(truth, abs=240 * 1e-5)


def test_bins_decode_by_hand() -> None:
    """Values 0, 60, 120, 180, 240; an even half on 60 and on 180 is 120."""
    output = torch.tensor([[-99.0, 5, -99, 5, -99], [-99, -99, -99, -99, 9]])
    np.testing.assert_allclose(BinsHead(3, 0.0, 240.0, 5).decode(output)["value"], [120.0, 240.0], rtol=1e-12)


def test_bins_need_a_scale() -> None:
    with pytest.raises(OsteonError, match=r"head\.bins: found 10.*low and high"):
        build_head(RegressionSpec(kind="regression", bins=10), 3, [1], [4.0], Target("pain", "regression"))
    assert isinstance(build_head(RegressionSpec(kind="regression", bins=10), 3, [1], [4.0], MONTHS), BinsHead)


def test_grades_can_be_read_as_a_number_but_classes_cannot() -> None:
    head = build_head(RegressionSpec(kind="regression"), 3, [1], [4.0], GRADES)
    assert isinstance(head, RegressionHead)
    assert (head.low, head.high) == (0.0, 4.0)
    with pytest.raises(OsteonError, match="'regression' cannot answer a multiclass target"):
        build_head(RegressionSpec(kind="regression"), 3, [1], [4.0], Target("make", "multiclass", ("a", "b")))
    with pytest.raises(OsteonError, match="'multiclass' cannot answer a regression target"):
        build_head(MulticlassSpec(kind="multiclass"), 3, [1], [4.0], MONTHS)


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"unit": "months", "low": 0.0}, "needs unit, low and high"),
        ({"low": 0.0, "high": 9.0}, "needs unit, low and high"),
        ({"unit": "months", "low": 9.0, "high": 9.0}, "low must be below high"),
        ({"unit": "months", "low": 0.0, "high": float("inf")}, "finite"),
        ({"unit": "months", "low": 0.0, "high": 9.0, "classes": ["a"]}, "has no classes"),
    ],
)
def test_a_regression_target_says_its_scale(told: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        TargetSpec.model_validate({"meaning": "bone age", "kind": "regression", **told})
    with pytest.raises(ValueError, match="only a regression target is measured"):
        TargetSpec.model_validate({"meaning": "fracture", "unit": "months"})
