"""Several labels an image: each cell for itself, weighted, smoothed and focal as a binary head of its own."""

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits
from torchvision.ops import sigmoid_focal_loss

from osteon.config import MultilabelSpec
from osteon.errors import OsteonError
from osteon.heads import BinaryHead, Emphasis, MultilabelHead, build_head
from osteon.manifest.target import Target, target_of

TARGET = torch.tensor([[0.0, 1, 1], [1, 1, 0], [0, 0, 1], [1, 0, 0]])
PRESENT = torch.tensor([[True, True, False], [False, False, False], [True, True, True], [True, False, True]])
LOGITS = torch.randn(4, 3, generator=torch.Generator().manual_seed(1)) * 3


def total(head: MultilabelHead, output: Tensor = LOGITS) -> float:
    found = head.loss(output, TARGET, PRESENT)
    assert found.count.item() == 7, "labelled cells"
    return found.total.item()


def test_positive_weights_are_torchs_pos_weight() -> None:
    head = MultilabelHead(4, 3)
    head.emphasise(Emphasis(positive_weights=(1.0, 3.5, 0.5)))
    told = torch.tensor([1.0, 3.5, 0.5])
    cells = binary_cross_entropy_with_logits(LOGITS, TARGET, pos_weight=told, reduction="none")
    assert total(head) == pytest.approx(cells[PRESENT].sum().item(), rel=1e-6)


@pytest.mark.parametrize("alpha", [None, 0.25])
def test_focal_loss_is_torchvisions(alpha: float | None) -> None:
    head = MultilabelHead(4, 3)
    head.emphasise(Emphasis(gamma=2.0, alpha=alpha))
    expected = sigmoid_focal_loss(LOGITS, TARGET, -1 if alpha is None else alpha, 2.0)[PRESENT].sum()
    assert total(head) == pytest.approx(expected.item(), rel=1e-5)


def test_each_label_is_a_binary_head_of_its_own() -> None:
    head, one = MultilabelHead(4, 3, label_smoothing=0.2), BinaryHead(4, label_smoothing=0.2)
    apart = [one.loss(LOGITS[:, [label]], TARGET[:, label], PRESENT[:, label]).total.item() for label in range(3)]
    assert total(head) == pytest.approx(sum(apart), rel=1e-6)
    told = head.decode(LOGITS)["probability"]
    for label in range(3):
        np.testing.assert_array_equal(told[:, label], one.decode(LOGITS[:, [label]])["probability"])


@pytest.mark.parametrize(
    "emphasis",
    [Emphasis((1.0, 2.0)), Emphasis(positive_weights=(1.0, 2.0)), Emphasis(positive_weights=(1.0, 0.0, 2.0))],
)
def test_weights_that_do_not_fit_are_refused(emphasis: Emphasis) -> None:
    with pytest.raises(OsteonError, match="multilabel head:"):
        MultilabelHead(4, 3).emphasise(emphasis)
    with pytest.raises(OsteonError, match="binary head:"):
        BinaryHead(4).emphasise(Emphasis(positive_weights=(1.0,)))


def test_weights_are_in_no_checkpoint() -> None:
    head = MultilabelHead(4, 3)
    head.emphasise(Emphasis(positive_weights=(1.0, 2.0, 3.0)))
    assert set(head.state_dict()) == {"linear.weight", "linear.bias"}


def test_several_binary_targets_become_one() -> None:
    targets = {"a": Target("fracture"), "b": Target("metal"), "kl": Target("grade", "ordinal", ("0", "1"))}
    made = target_of(["b", "a"], targets)
    assert (made.kind, made.classes, made.meaning) == ("multilabel", ("b", "a"), "metal; fracture")
    assert build_head(MultilabelSpec(kind="multilabel"), 3, [1], [4.0], made)([], torch.zeros(2, 3)).shape == (2, 2)
    assert target_of("kl", targets) is targets["kl"]
    with pytest.raises(OsteonError, match=r"tasks\.x\.target: 'kl' is of kind ordinal \(grade\).*binary"):
        target_of(["a", "kl"], targets, "tasks.x.target")
