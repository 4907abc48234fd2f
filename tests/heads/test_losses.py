"""Weighted, smoothed and focal losses against torch's and torchvision's own; sums and counts that add up."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy
from torchvision.ops import sigmoid_focal_loss

from osteon.config import BinarySpec, MulticlassSpec
from osteon.errors import OsteonError
from osteon.heads import BinaryHead, Emphasis, Head, MulticlassHead, build_head
from osteon.heads.linear import LinearHead
from osteon.manifest.target import Target

TARGET = torch.tensor([0.0, 1, 1, 0, 1, 0, 0])
GRADE = torch.tensor([0.0, 2, 1, 0, 2, 2, 1])
PRESENT = torch.tensor([True, True, False, True, True, False, True])
MAKE: list[tuple[Callable[..., LinearHead], Tensor]] = [
    (lambda **options: BinaryHead(4, **options), TARGET),
    (lambda **options: MulticlassHead(4, 3, **options), GRADE),
]


def logits(columns: int, spread: float = 3.0) -> Tensor:
    return torch.randn(7, columns, generator=torch.Generator().manual_seed(2)) * spread


def total(head: Head, output: Tensor, target: Tensor) -> float:
    found = head.loss(output, target, PRESENT)
    assert found.count.item() == 5, "weights and shares of classes leave the number of rows alone"
    return found.total.item()


def test_pos_weight_is_torchs() -> None:
    head, output = BinaryHead(4), logits(1)
    head.emphasise(Emphasis(class_weights=(1.0, 3.5)))
    known, truth = output[PRESENT][:, 0], TARGET[PRESENT]
    expected = binary_cross_entropy_with_logits(known, truth, pos_weight=torch.tensor(3.5), reduction="sum")
    assert total(head, output, TARGET) == pytest.approx(expected.item(), rel=1e-6)


def test_class_weights_by_hand() -> None:
    """Logits of 0 give every class 1/3: each row costs ln 3 times the weight of its class."""
    head = MulticlassHead(4, 3)
    head.emphasise(Emphasis(class_weights=(0.5, 1.0, 2.0)))
    assert total(head, torch.zeros(7, 3), GRADE) == pytest.approx(np.log(3) * (0.5 + 2 + 0.5 + 2 + 1), rel=1e-6)


@pytest.mark.parametrize("weights", [None, (0.5, 1.0, 2.0)])
def test_smoothing_is_torchs(weights: tuple[float, ...] | None) -> None:
    head, output = MulticlassHead(4, 3, label_smoothing=0.2), logits(3)
    head.emphasise(Emphasis(weights))
    told = None if weights is None else torch.tensor(weights)
    known, truth = output[PRESENT], GRADE[PRESENT].long()
    expected = cross_entropy(known, truth, told, label_smoothing=0.2, reduction="none").sum()
    assert total(head, output, GRADE) == pytest.approx(expected.item(), rel=1e-6)


@pytest.mark.parametrize("weights", [None, (1.0, 4.0)])
def test_smoothing_of_one_logit_is_that_of_two_classes(weights: tuple[float, float] | None) -> None:
    head, output = BinaryHead(4, label_smoothing=0.1), logits(1)
    head.emphasise(Emphasis(weights))
    told = None if weights is None else torch.tensor(weights)
    two = torch.cat([torch.zeros_like(output), output], dim=1)[PRESENT]
    expected = cross_entropy(two, TARGET[PRESENT].long(), told, label_smoothing=0.1, reduction="none").sum()
    assert total(head, output, TARGET) == pytest.approx(expected.item(), rel=1e-5)


def test_smoothing_by_hand() -> None:
    """0.8 of ln 2 for the truth, and both halves of 0.2: at p = 0.5 all classes cost ln 2, whatever the smoothing."""
    head = BinaryHead(4, label_smoothing=0.2)
    assert total(head, torch.zeros(7, 1), TARGET) == pytest.approx(5 * np.log(2), rel=1e-6)
    sure = head.loss(torch.full((7, 1), 3.0), torch.ones(7), PRESENT).total.item()
    p = 1 / (1 + np.exp(-3.0))
    assert sure == pytest.approx(-5 * (0.9 * np.log(p) + 0.1 * np.log(1 - p)), rel=1e-6)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0, 5.0])
@pytest.mark.parametrize("alpha", [None, 0.25, 0.9])
def test_focal_loss_is_torchvisions(gamma: float, alpha: float | None) -> None:
    head, output = BinaryHead(4), logits(1).requires_grad_()
    head.emphasise(Emphasis(gamma=gamma, alpha=alpha))
    found = head.loss(output, TARGET, PRESENT).total
    told = output.detach().clone().requires_grad_()
    expected = sigmoid_focal_loss(told[PRESENT][:, 0], TARGET[PRESENT], -1 if alpha is None else alpha, gamma, "sum")
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)
    torch.testing.assert_close(torch.autograd.grad(found, output), torch.autograd.grad(expected, told))


def test_focal_loss_of_classes_by_hand() -> None:
    head, output = MulticlassHead(4, 3), logits(3)
    head.emphasise(Emphasis(gamma=2.0, class_weights=(1.0, 2.0, 3.0)))
    p = head.decode(output)["probabilities"][np.arange(7), GRADE.long()]
    expected = (np.array([1.0, 2.0, 3.0])[GRADE.long()] * (1 - p) ** 2 * -np.log(p))[PRESENT].sum()
    assert total(head, output, GRADE) == pytest.approx(expected, rel=1e-5)


def test_two_classes_are_the_binary_focal_loss() -> None:
    one, two = BinaryHead(4), MulticlassHead(4, 2)
    for head in (one, two):
        head.emphasise(Emphasis(gamma=2.0, alpha=0.25))
    output = logits(1)
    both = torch.cat([torch.zeros_like(output), output], dim=1)
    assert total(two, both, TARGET) == pytest.approx(total(one, output, TARGET), rel=1e-5)


@pytest.mark.parametrize(("make", "target"), MAKE)
@pytest.mark.parametrize("gamma", [0.5, 2.0])
def test_focal_gradient_is_finite_where_the_model_is_sure(
    make: Callable[..., LinearHead], target: Tensor, gamma: float
) -> None:
    head = make()
    head.emphasise(Emphasis(gamma=gamma))
    output = (200.0 * torch.eye(head.classes)[target.long()])[:, -head.linear.out_features :]
    for sure in (output.clone().requires_grad_(), (-output).requires_grad_()):
        head.loss(sure, target, PRESENT).total.backward()
        assert sure.grad is not None
        assert sure.grad.isfinite().all()


@pytest.mark.parametrize(("make", "target"), MAKE)
@pytest.mark.parametrize("share", [1.0, 0.3, 0.0])
def test_count_needs_no_forward_and_a_share_scales_both(
    make: Callable[..., LinearHead], target: Tensor, share: float
) -> None:
    head = make(label_smoothing=0.1)
    output = head([], logits(4))
    found, whole = head.loss(output, target, PRESENT, share), head.loss(output, target, PRESENT)
    assert torch.equal(head.count(target, PRESENT, share), found.count)
    assert found.count.dtype == torch.float32
    assert found.count.item() == pytest.approx(5 * share)
    assert found.total.item() == pytest.approx(share * whole.total.item(), rel=1e-6)


OPTIONS: dict[str, tuple[dict[str, Any], Emphasis]] = {
    "plain": ({}, Emphasis()),
    "smoothed": ({"label_smoothing": 0.1}, Emphasis()),
    "focal": ({}, Emphasis(gamma=2.0)),
}


@pytest.mark.parametrize(("make", "target"), MAKE)
@pytest.mark.parametrize(("options", "emphasis"), OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("cuts", [(1, 7), (2, 3, 7), (1, 2, 3, 4, 5, 6, 7), (7,)])
def test_parts_of_any_size_add_up_to_the_gradient_of_the_whole(
    make: Callable[..., LinearHead],
    target: Tensor,
    options: dict[str, Any],
    emphasis: Emphasis,
    cuts: tuple[int, ...],
) -> None:
    """One part here has no labelled row at all; a mean of the parts' means would be wrong."""
    torch.manual_seed(0)
    head, vectors = make(**options), logits(4)
    head.emphasise(emphasis)
    whole = head.loss(head([], vectors), target, PRESENT)
    expected = torch.autograd.grad(whole.total / whole.count, list(head.parameters()))
    count = head.count(target, PRESENT)
    head.zero_grad()
    for start, stop in zip((0, *cuts[:-1]), cuts, strict=True):
        part = slice(start, stop)
        (head.loss(head([], vectors[part]), target[part], PRESENT[part]).total / count).backward()
    torch.testing.assert_close([p.grad for p in head.parameters()], list(expected))


def test_weights_are_in_no_checkpoint_and_follow_the_device() -> None:
    head = BinaryHead(4)
    before = set(head.state_dict())
    head.emphasise(Emphasis((1.0, 9.0)))
    assert set(head.state_dict()) == before == {"linear.weight", "linear.bias"}
    assert head.to("meta").class_weights.device.type == "meta"


@pytest.mark.parametrize(
    "emphasis",
    [Emphasis((1.0, 2.0)), Emphasis((1.0, 0.0, 2.0)), Emphasis((1.0, float("inf"), 2.0)), Emphasis(alpha=0.5)],
)
def test_weights_that_do_not_fit_are_refused(emphasis: Emphasis) -> None:
    with pytest.raises(OsteonError, match="multiclass head:"):
        MulticlassHead(4, 3).emphasise(emphasis)


def test_build_head_hands_smoothing_on() -> None:
    one = build_head(BinarySpec(kind="binary", label_smoothing=0.1), 4, [1], [4.0], Target("x"))
    several = Target("x", "multiclass", ("a", "b", "c"))
    more = build_head(MulticlassSpec(kind="multiclass", label_smoothing=0.2), 4, [1], [4.0], several)
    assert isinstance(one, LinearHead)
    assert isinstance(more, LinearHead)
    assert (one.label_smoothing, more.label_smoothing) == (0.1, 0.2)
