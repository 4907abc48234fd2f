from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import log_loss
from torch import Tensor

from osteon.config import BinarySpec, MulticlassSpec
from osteon.errors import OsteonError
from osteon.heads import BinaryHead, Head, MulticlassHead, build_head
from osteon.manifest.target import Target

HEADS: list[tuple[Callable[..., Head], int]] = [(BinaryHead, 2), (lambda w: MulticlassHead(w, 5), 5)]
BINARY = Target("fracture visible")
GRADES = Target("Kellgren-Lawrence grade", "multiclass", ("0", "1", "2", "3", "4"))


def reference(head: Head, output: Tensor, target: Tensor) -> float:
    """scikit-learn's log loss of what the head itself decodes, times the rows."""
    if isinstance(head, MulticlassHead):
        probability = head.decode(output)["probabilities"]
        return float(log_loss(target, probability, labels=range(head.classes))) * len(target)
    return float(log_loss(target, head.decode(output)["probability"], labels=[0, 1])) * len(target)


@pytest.mark.parametrize(("make", "classes"), HEADS)
@pytest.mark.parametrize("labelled", [9, 4, 1])
def test_loss_is_the_log_loss_summed_over_labelled_rows(make: Callable[..., Head], classes: int, labelled: int) -> None:
    torch.manual_seed(labelled)
    head, vector = make(6), torch.randn(9, 6)
    target = torch.randint(0, classes, (9,)).float()
    present = torch.zeros(9, dtype=torch.bool)
    present[torch.randperm(9)[:labelled]] = True
    output = head([], vector)
    found = head.loss(output, target, present)
    assert found.count == labelled
    assert found.total.dtype == torch.float32
    assert found.total.item() == pytest.approx(reference(head, output[present], target[present]), rel=1e-5)


@pytest.mark.parametrize(("make", "classes"), HEADS)
@pytest.mark.parametrize("absent", [float("nan"), -1.0, 99.0])
def test_absent_rows_have_no_part_in_loss_and_gradient(make: Callable[..., Head], classes: int, absent: float) -> None:
    head, vector, target = make(6), torch.randn(5, 6), torch.tensor([0.0, 1, 1, 0, 1])
    present = torch.tensor([True, False, True, False, True])
    head.loss(head([], vector[present]), target[present], torch.ones(3, dtype=torch.bool)).total.backward()
    expected = [p.grad.clone() for p in head.parameters() if p.grad is not None]
    head.zero_grad()
    masked = head.loss(head([], vector), torch.where(present, target, torch.tensor(absent)), present)
    masked.total.backward()
    torch.testing.assert_close([p.grad for p in head.parameters()], expected)


@pytest.mark.parametrize(("make", "classes"), HEADS)
def test_without_labels_the_loss_is_zero_and_touches_every_parameter(make: Callable[..., Head], classes: int) -> None:
    head = make(6)
    nothing = head.loss(head([], torch.randn(3, 6)), torch.full((3,), torch.nan), torch.zeros(3, dtype=torch.bool))
    for found in (nothing, head.untouched()):
        head.zero_grad(set_to_none=True)
        found.total.backward()
        assert (found.total.item(), found.count.item()) == (0.0, 0.0)
        assert all(p.grad is not None and not p.grad.any() for p in head.parameters())


@pytest.mark.parametrize(("make", "classes"), HEADS)
def test_output_is_float32_under_autocast(make: Callable[..., Head], classes: int) -> None:
    head, vector = make(64), torch.randn(8, 64)
    plain = head([], vector.bfloat16().float())
    with torch.autocast("cpu", torch.bfloat16):
        output = head([], vector.bfloat16())
        loss = head.loss(output, torch.zeros(8), torch.ones(8, dtype=torch.bool))
    assert output.dtype == loss.total.dtype == torch.float32
    assert torch.equal(output, plain)


@given(arrays(np.float64, st.integers(1, 20), elements=st.sampled_from([0.0, 1.0, np.nan])))
def test_binary_targets_survive_encoding(values: np.ndarray) -> None:
    np.testing.assert_array_equal(BinaryHead(2).encode(values), values)


@given(arrays(np.float64, st.integers(1, 20), elements=st.sampled_from([0.0, 1.0, 2.0, 3.0, 4.0, np.nan])))
def test_class_targets_survive_encoding(values: np.ndarray) -> None:
    encoded = MulticlassHead(2, 5).encode(values)
    assert encoded.dtype == np.int64
    np.testing.assert_array_equal(encoded, np.nan_to_num(values, nan=-1))


@given(
    st.one_of(st.floats(allow_nan=False), st.integers(-5, 9)).filter(lambda value: value not in (0, 1)),
    st.integers(0, 6),
)
def test_a_value_outside_the_range_is_refused_with_its_row(value: float, row: int) -> None:
    values = np.array([0.0, 1, np.nan, 1, 0, 0, 1])
    values[row] = value
    with pytest.raises(OsteonError, match=rf"binary head: 1 target\(s\) outside 0 to 1 \(row {row}: "):
        BinaryHead(2).encode(values)


def test_targets_of_two_columns_are_refused() -> None:
    with pytest.raises(OsteonError, match=r"shape \(2, 2\)"):
        MulticlassHead(2, 3).encode(np.zeros((2, 2)))


@settings(deadline=None)
@given(arrays(np.float32, (4, 3), elements=st.floats(-(2.0**127), 2.0**127, width=32)))
def test_decoded_values_are_probabilities_whatever_the_logits(logits: np.ndarray) -> None:
    several = MulticlassHead(2, 3).decode(torch.from_numpy(logits))["probabilities"]
    one = BinaryHead(2).decode(torch.from_numpy(logits[:, :1]))["probability"]
    assert several.shape == (4, 3)
    assert one.shape == (4,)
    np.testing.assert_allclose(several.sum(axis=1), 1.0)
    for values in (several, one):
        assert values.dtype == np.float64
        assert np.isfinite(values).all()
        assert ((values >= 0) & (values <= 1)).all()


def test_probability_is_the_logistic_function_in_double_precision() -> None:
    # In float32 both would be 1: a tie where the model sees a difference.
    probability = BinaryHead(2).decode(torch.tensor([[18.0], [20.0], [-3.0]]))["probability"]
    np.testing.assert_allclose(probability, 1 / (1 + np.exp([-18.0, -20.0, 3.0])), rtol=1e-12)
    assert probability[0] < probability[1] < 1


@pytest.mark.parametrize(("make", "classes"), HEADS)
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_a_diverged_output_is_an_error(make: Callable[..., Head], classes: int, bad: float) -> None:
    head = make(2)
    output = head([], torch.randn(3, 2)).detach()
    output[1, 0] = bad
    with pytest.raises(OsteonError, match=rf"{head.kind} head: 1 of 3.*optimizer\.lr"):
        head.decode(output)


def test_build_head_reads_spec_and_target() -> None:
    shape = (7, [1], [4.0])
    assert build_head(BinarySpec(kind="binary"), *shape, BINARY)([], torch.zeros(2, 7)).shape == (2, 1)
    head = build_head(MulticlassSpec(kind="multiclass", dropout=0.25), *shape, GRADES)
    assert head([], torch.zeros(2, 7)).shape == (2, 5)
    assert [module.p for module in head.modules() if isinstance(module, torch.nn.Dropout)] == [0.25]


@pytest.mark.parametrize(
    ("spec", "target", "says"),
    [
        (MulticlassSpec(kind="multiclass"), BINARY, "'multiclass' cannot answer a binary target.*fracture visible"),
        (BinarySpec(kind="binary"), GRADES, "'binary' cannot answer a multiclass target"),
        (MulticlassSpec(kind="multiclass"), Target("one", "multiclass", ("a",)), r"at least two classes.*\['a'\]"),
    ],
)
def test_head_and_target_must_agree(spec: Any, target: Target, says: str) -> None:
    with pytest.raises(OsteonError, match=says):
        build_head(spec, 7, [1], [4.0], target)
