"""Grades: probabilities that agree with each other, the expected grade, and losses by hand."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from osteon.config import OrdinalSpec
from osteon.errors import OsteonError
from osteon.heads import CumulativeHead, DistanceHead, Emphasis, GradeHead, JointHead, build_head
from osteon.manifest.target import Target
from tests.heads.cases import GRADES


def test_without_an_image_all_grades_are_equally_likely() -> None:
    head = CumulativeHead(3, 5)
    told = head.decode(head([], torch.zeros(2, 3)))
    np.testing.assert_allclose(told["probabilities"], 0.2, rtol=1e-6)
    np.testing.assert_allclose(told["value"], 2.0, rtol=1e-6)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**31), st.floats(0.1, 30.0), st.integers(2, 9))
def test_thresholds_never_cross_whatever_is_learned(seed: int, spread: float, classes: int) -> None:
    """CORAL's rank consistency: P(grade > k) does not rise with k, for any weights and any image."""
    torch.manual_seed(seed)
    head = CumulativeHead(4, classes)
    for parameter in head.parameters():
        torch.nn.init.normal_(parameter, std=spread)
    output = head([], torch.randn(6, 4) * spread)
    assert output.shape == (6, classes - 1)
    assert (output[:, :-1] >= output[:, 1:]).all()
    told = head.decode(output)
    assert (told["probabilities"] >= 0).all()
    assert ((told["value"] >= 0) & (told["value"] <= classes - 1)).all()


def test_cumulative_decode_by_hand() -> None:
    """P(>0) = 0.9, P(>1) = 0.6, P(>2) = 0.2, P(>3) = 0.1: shares 0.1, 0.3, 0.4, 0.1, 0.1, expectation 1.8."""
    above = torch.tensor([[0.9, 0.6, 0.2, 0.1]], dtype=torch.float64).logit()
    told = CumulativeHead(3, 5).decode(above)
    np.testing.assert_allclose(told["probabilities"], [[0.1, 0.3, 0.4, 0.1, 0.1]], rtol=1e-12)
    np.testing.assert_allclose(told["value"], [1.8], rtol=1e-12)


def test_expectation_of_logits_by_hand() -> None:
    told = GradeHead(3, 3).decode(torch.tensor([[0.0, np.log(2.0), np.log(5.0)]]))
    np.testing.assert_allclose(told["probabilities"], [[0.125, 0.25, 0.625]], rtol=1e-6)
    np.testing.assert_allclose(told["value"], [1.5], rtol=1e-6)


def test_distance_costs_by_hand_for_three_grades() -> None:
    """All thirds, truth 0: (4/3)^2 + (6/3)^2; truth 1: twice (4/3)^2."""
    head = DistanceHead(2, 3)
    for truth, cost in ((0.0, 16 / 9 + 4), (1.0, 32 / 9), (2.0, 16 / 9 + 4)):
        found = head.loss(torch.zeros(1, 3), torch.tensor([truth]), torch.tensor([True]))
        assert found.total.item() == pytest.approx(cost, rel=1e-6)
    head.emphasise(Emphasis((1.0, 5.0, 2.0)))
    found = head.loss(torch.zeros(1, 3), torch.tensor([1.0]), torch.tensor([True]))
    assert found.total.item() == pytest.approx(5 * 32 / 9, rel=1e-6)


def test_joint_costs_by_hand_for_three_grades() -> None:
    """All thirds: ln 3, and the expectation 1 is one grade off truths 0 and 2; weights act on both parts."""
    head = JointHead(2, 3)
    for truth, cost in ((0.0, np.log(3) + 1), (1.0, np.log(3)), (2.0, np.log(3) + 1)):
        found = head.loss(torch.zeros(1, 3), torch.tensor([truth]), torch.tensor([True]))
        assert found.total.item() == pytest.approx(cost, rel=1e-6)
    head.emphasise(Emphasis((5.0, 1.0, 2.0)))
    found = head.loss(torch.zeros(1, 3), torch.tensor([0.0]), torch.tensor([True]))
    assert found.total.item() == pytest.approx(5 * (np.log(3) + 1), rel=1e-6)


def test_a_mistake_by_three_grades_costs_more_than_one_by_one() -> None:
    """What the cross entropy of plain classes does not see."""
    present = torch.tensor([True])
    near, far = torch.tensor([[0.0, 9, 0, 0, 0]]), torch.tensor([[0.0, 0, 0, 0, 9]])
    zero = torch.tensor([0.0])
    for head in (DistanceHead(2, 5), JointHead(2, 5), GradeHead(2, 5)):
        costs = [head.loss(output, zero, present).total.item() for output in (near, far)]
        assert (costs[1] > costs[0] * 2) == isinstance(head, DistanceHead | JointHead)


def test_what_nobody_has_defined_is_refused() -> None:
    with pytest.raises(OsteonError, match=r"loss=cumulative has no weight by class.*softmax"):
        CumulativeHead(2, 5).emphasise(Emphasis((1.0,) * 5))
    for head in (DistanceHead(2, 5), JointHead(2, 5)):
        with pytest.raises(OsteonError, match="no focal form"):
            head.emphasise(Emphasis(gamma=2.0))
    GradeHead(2, 5).emphasise(Emphasis((1.0, 2.0, 3.0, 2.0, 1.0), gamma=2.0))


def test_two_thresholds_in_one_checkpoint_and_costs_in_none() -> None:
    assert set(CumulativeHead(2, 3).state_dict()) == {"linear.weight", "first", "gaps"}
    assert set(DistanceHead(2, 3).state_dict()) == {"linear.weight", "linear.bias"}


def test_an_ordinal_head_asks_for_ordered_classes() -> None:
    spec = OrdinalSpec(kind="ordinal")
    with pytest.raises(OsteonError, match="'ordinal' cannot answer a multiclass target"):
        build_head(spec, 3, [1], [4.0], Target("make", "multiclass", ("a", "b")))
    with pytest.raises(OsteonError, match=r"at least two classes.*\['0'\]"):
        build_head(spec, 3, [1], [4.0], Target("grade", "ordinal", ("0",)))
    assert isinstance(build_head(spec, 3, [1], [4.0], GRADES), CumulativeHead)


def test_smoothing_is_of_softmax_only() -> None:
    OrdinalSpec(kind="ordinal", loss="softmax", label_smoothing=0.1)
    with pytest.raises(ValueError, match=r"label_smoothing.*softmax only"):
        OrdinalSpec(kind="ordinal", label_smoothing=0.1)
