"""What every head must keep, one test for all of them."""

import io

import numpy as np
import pytest
import torch
from torch import Tensor

from osteon.errors import OsteonError
from osteon.heads import Head
from tests.heads.cases import CASES, WIDTH, Case, Floats

ROWS = 9
EMPTY = [float("nan"), -1.0, 99.0, 1e30]


@pytest.fixture(params=CASES.values(), ids=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


def vectors(rows: int = ROWS, seed: int = 1) -> Tensor:
    return torch.randn(rows, WIDTH, generator=torch.Generator().manual_seed(seed))


def known(target: Tensor, seed: int = 2) -> Tensor:
    """Return presence of the target's shape: about 6 of 10 cells, never all of them, never none."""
    found = torch.rand(target.shape, generator=torch.Generator().manual_seed(seed)) < 0.6
    found[0], found[1] = True, False
    return found


def gradient(head: Head, seen: Tensor, target: Tensor, present: Tensor) -> tuple[float, list[Tensor]]:
    """Return the loss sum and its gradient by every parameter."""
    head.zero_grad(set_to_none=True)
    total = head.loss(head([], seen), target, present).total
    total.backward()
    return total.item(), [parameter.grad.clone() for parameter in head.parameters() if parameter.grad is not None]


def decoded(head: Head, seen: Tensor) -> dict[str, Floats]:
    return head.decode(head([], seen))


def test_shapes_and_ranges_of_what_is_decoded(case: Case) -> None:
    for name, values in decoded(case.head(), vectors()).items():
        assert values.dtype == np.float64
        assert np.isfinite(values).all()
        wide = {"probabilities": (ROWS, len(case.target.classes)), "probability": case.values(ROWS).shape}
        assert values.shape == wide.get(name, (ROWS,))
        if name == "probabilities":
            np.testing.assert_allclose(values.sum(axis=1), 1.0, rtol=1e-12)
        high = {"value": 240.0 if case.target.kind == "regression" else 4.0}.get(name, 1.0)
        assert ((values >= 0.0) & (values <= high)).all()


def test_loss_is_the_sum_of_the_rows_losses_by_hand(case: Case) -> None:
    head, target = case.head(), case.encoded(ROWS)
    output = head([], vectors())
    present = torch.ones(target.shape, dtype=torch.bool)
    found = head.loss(output, target, present)
    pairs = zip(output.detach().double().numpy(), target.double().numpy(), strict=True)
    assert found.total.item() == pytest.approx(sum(case.cost(row, truth) for row, truth in pairs), rel=2e-6)
    assert found.count.item() == target.numel()
    assert found.total.dtype == found.count.dtype == torch.float32


@pytest.mark.parametrize("absent", EMPTY)
def test_what_is_unlabelled_changes_neither_loss_nor_gradient_by_a_bit(case: Case, absent: float) -> None:
    head, target, present = case.head(), case.encoded(ROWS), known(case.encoded(ROWS))
    loss, expected = gradient(head, vectors(), target, present)
    again, found = gradient(head, vectors(), torch.where(present, target, absent), present)
    assert again == loss
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))


def test_images_without_a_label_are_as_if_they_were_not_there(case: Case) -> None:
    head, target, present = case.head(), case.encoded(ROWS), known(case.encoded(ROWS))
    rows = present.reshape(ROWS, -1).any(dim=1)
    loss, expected = gradient(head, vectors()[rows], target[rows], present[rows])
    other = torch.where(rows[:, None], vectors(), vectors(seed=8) * 50)
    again, found = gradient(head, other, target, present)
    assert again == pytest.approx(loss, rel=1e-6)
    torch.testing.assert_close(found, expected)


def test_without_any_label_the_loss_is_zero_and_touches_every_parameter(case: Case) -> None:
    head, target = case.head(), case.encoded(ROWS)
    nothing = head.loss(head([], vectors()), target * torch.nan, torch.zeros(target.shape, dtype=torch.bool))
    for found in (nothing, head.untouched()):
        head.zero_grad(set_to_none=True)
        found.total.backward()
        assert (found.total.item(), found.count.item()) == (0.0, 0.0)
        assert all(p.grad is not None and not p.grad.any() for p in head.parameters())


@pytest.mark.parametrize("cuts", [(1, 9), (2, 3, 9), tuple(range(1, 10))])
def test_unequal_parts_add_up_to_the_gradient_of_the_whole(case: Case, cuts: tuple[int, ...]) -> None:
    """The parts carry different numbers of labels, one of them none: the mean of their means would be another."""
    head, target, present = case.head(), case.encoded(ROWS), known(case.encoded(ROWS))
    whole = head.loss(head([], vectors()), target, present)
    expected = torch.autograd.grad(whole.total / whole.count, list(head.parameters()))
    count = head.count(target, present)
    head.zero_grad(set_to_none=True)
    for start, stop in zip((0, *cuts[:-1]), cuts, strict=True):
        part = slice(start, stop)
        (head.loss(head([], vectors()[part]), target[part], present[part]).total / count).backward()
    torch.testing.assert_close([p.grad for p in head.parameters()], list(expected))


@pytest.mark.parametrize("share", [1.0, 0.3, 0.0])
def test_count_needs_no_forward_and_a_share_scales_both(case: Case, share: float) -> None:
    head, target, present = case.head(), case.encoded(ROWS), known(case.encoded(ROWS))
    output = head([], vectors())
    found, whole = head.loss(output, target, present, share), head.loss(output, target, present)
    assert torch.equal(head.count(target, present, share), found.count)
    assert found.count.item() == pytest.approx(float(present.sum()) * share)
    assert found.total.item() == pytest.approx(share * whole.total.item(), rel=1e-6)


def test_the_head_computes_in_float32_under_autocast(case: Case) -> None:
    head, target = case.head(), case.encoded(ROWS)
    seen = vectors().bfloat16()
    present = torch.ones(target.shape, dtype=torch.bool)
    plain = head([], seen.float())
    loss = head.loss(plain, target, present).total
    with torch.autocast("cpu", torch.bfloat16):
        output = head([], seen)
        found = head.loss(output, target, present).total
    assert output.dtype == found.dtype == torch.float32
    assert torch.equal(output, plain)
    assert torch.equal(found, loss)


def test_overfits_eight_images(case: Case) -> None:
    """All eight answers are learned by heart: the class of each, or the months to within one."""
    head, target, values = case.head(), case.encoded(8, seed=4), case.values(8, seed=4)
    present = torch.ones(target.shape, dtype=torch.bool)
    steps = 400
    optimizer = torch.optim.Adam(head.parameters(), 0.1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, steps)
    for _ in range(steps):
        optimizer.zero_grad()
        found = head.loss(head([], vectors(8)), target, present)
        (found.total / found.count).backward()
        optimizer.step()
        schedule.step()
    told = decoded(head, vectors(8))
    if case.target.kind == "regression":
        assert np.abs(told["value"] - values).max() < 1.0
    elif "probability" in told:
        np.testing.assert_array_equal(told["probability"] > 0.5, values == 1)
    else:
        np.testing.assert_array_equal(told["probabilities"].argmax(axis=1), values)
        if case.target.kind == "ordinal" and "value" in told:
            assert np.abs(told["value"] - values).max() < 0.5


def test_saved_weights_answer_alone(case: Case) -> None:
    """Without the train labels: a fresh head with the state dict says the same, to the last bit."""
    from osteon.heads import build_head

    head, file = case.head(), io.BytesIO()
    torch.save(head.state_dict(), file)
    file.seek(0)
    fresh = build_head(case.spec, WIDTH, [1], [4.0], case.target)
    fresh.load_state_dict(torch.load(file, weights_only=True))
    for name, values in decoded(head, vectors()).items():
        np.testing.assert_array_equal(decoded(fresh, vectors())[name], values)


def test_targets_survive_encoding_and_nobody_looked_stays(case: Case) -> None:
    values = case.values(6)
    values[2] = np.nan
    encoded = np.asarray(case.head().encode(values))
    there = ~np.isnan(values)
    np.testing.assert_allclose(encoded[there], values[there], rtol=1e-7)
    assert (np.isnan(encoded[2]) | (encoded[2] == -1)).all()


@pytest.mark.parametrize("wrong", [-3.0, 241.0, float("inf")])
def test_a_target_outside_the_scale_is_refused_with_its_row(case: Case, wrong: float) -> None:
    values = case.values(6)
    values[4] = wrong
    with pytest.raises(OsteonError, match=rf"{case.spec.kind} head: 1 target\(s\) outside .*row 4: {wrong:g}"):
        case.head().encode(values)


def test_targets_of_another_shape_are_refused(case: Case) -> None:
    with pytest.raises(OsteonError, match="shape"):
        case.head().encode(np.zeros((4, 2)))


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_diverged_output_is_an_error(case: Case, bad: float) -> None:
    head = case.head()
    output = head([], vectors()).detach()
    output[1, 0] = bad
    with pytest.raises(OsteonError, match=rf"{head.kind} head: 1 of 9.*optimizer\.lr"):
        head.decode(output)


@pytest.mark.parametrize("size", [1e4, 1e30, -1e30])
def test_answers_stay_in_their_range_whatever_the_output(case: Case, size: float) -> None:
    head = case.head()
    output = head([], vectors()).detach().sign() * size
    if case.spec.kind == "ordinal" and output.shape[1] == 4:
        output = output[:, :1].expand(-1, 4)  # thresholds that fall; others the head cannot give
    for values in head.decode(output).values():
        assert np.isfinite(values).all()
        assert (values >= 0).all()
