"""What the contract of all heads says, of the one whose targets are boxes."""

import numpy as np
import pytest
import torch
from torch import Tensor

from osteon.config.heads import DetectionSpec
from osteon.errors import OsteonError
from osteon.heads.detection import DetectionHead

SIZE, CHANNELS, STRIDES = (64, 96), (8, 12), (8.0, 16.0)
NAMES = ("fracture", "metal")


def head(**options: object) -> DetectionHead:
    torch.manual_seed(0)
    spec = DetectionSpec.model_validate({"kind": "detection", "width": 64, "convs": 1, "levels": 3, **options})
    return DetectionHead(spec, CHANNELS, STRIDES, SIZE, NAMES)


def maps(rows: int, seed: int = 1) -> list[Tensor]:
    rng = torch.Generator().manual_seed(seed)
    return [
        torch.randn(rows, channels, int(SIZE[0] // stride), int(SIZE[1] // stride), generator=rng)
        for channels, stride in zip(CHANNELS, STRIDES, strict=True)
    ]


def target(rows: int) -> Tensor:
    """Return (rows, 2, 5): every third image has no box, the others one or two."""
    found = torch.tensor([0.0, 0.0, 0.0, 0.0, -1.0]).repeat(rows, 2, 1)
    for row in range(rows):
        if row % 3:
            found[row, 0] = torch.tensor([4.0 + row, 8.0, 30.0 + row, 40.0, row % 2])
        if row % 3 == 2:
            found[row, 1] = torch.tensor([50.0, 10.0, 60.0, 24.0, 1.0])
    return found


def seen(rows: list[bool]) -> Tensor:
    return torch.tensor(rows)[:, None, None].expand(-1, 2, 5)


def gradient(one: DetectionHead, features: list[Tensor], wanted: Tensor, present: Tensor) -> tuple[float, list[Tensor]]:
    one.zero_grad(set_to_none=True)
    output = one(features, torch.zeros(len(wanted), 4))
    loss = one.loss(output, wanted, present)
    loss.total.backward()
    return float(loss.total.detach()), [p.grad.clone() for p in one.parameters() if p.grad is not None]


def test_images_that_nobody_looked_at_change_neither_loss_nor_gradient() -> None:
    one, features, wanted = head(), maps(4), target(4)
    kept = [True, False, True, False]
    spoiled = wanted.clone()
    spoiled[1], spoiled[3] = float("nan"), 7e9
    total, grads = gradient(one, features, spoiled, seen(kept))
    alone, expected = gradient(one, [m[[0, 2]] for m in features], wanted[[0, 2]], seen([True, True]))
    assert total == pytest.approx(alone, rel=1e-5)
    for ours, theirs in zip(grads, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)


def test_an_image_without_boxes_is_a_negative_and_not_an_unlabelled_one() -> None:
    one, features, wanted = head(), maps(1), target(1)
    assert gradient(one, features, wanted, seen([True]))[0] > 0
    total, grads = gradient(one, features, wanted, seen([False]))
    assert total == 0
    assert all((grad == 0).all() for grad in grads)
    assert len(grads) == len(list(one.parameters())), "no parameter is left out, or DDP stops"


def test_unequal_parts_add_up_to_the_batch() -> None:
    one, features, wanted, present = head(), maps(7), target(7), seen([True] * 7)
    whole, grads = gradient(one, features, wanted, present)
    sums, counts, parts = 0.0, 0.0, [torch.zeros_like(grad) for grad in grads]
    for start, stop in ((0, 1), (1, 5), (5, 7)):
        piece = [m[start:stop] for m in features], wanted[start:stop], present[start:stop]
        total, found = gradient(one, *piece)
        sums, counts = sums + total, counts + float(one.count(*piece[1:]))
        parts = [a + b for a, b in zip(parts, found, strict=True)]
    assert counts == float(one.count(wanted, present)) > 0
    # A part without any positive anchor is not divided, and neither is the whole's share of it.
    assert sums == pytest.approx(whole, rel=1e-4)
    for ours, theirs in zip(parts, grads, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-5)


def test_it_learns_eight_images_by_heart() -> None:
    one, features, wanted, present = head(width=64), maps(8), target(8), seen([True] * 8)
    optimizer = torch.optim.AdamW(one.parameters(), lr=3e-3)
    for _ in range(150):
        optimizer.zero_grad()
        loss = one.loss(one(features, torch.zeros(8, 4)), wanted, present)
        (loss.total / loss.count).backward()
        optimizer.step()
    with torch.no_grad():
        found = one.decode(one(features, torch.zeros(8, 4)))["boxes"]
    for boxes, truth in zip(found, wanted.numpy(), strict=True):
        real = truth[truth[:, 4] >= 0]
        sure = boxes[boxes[:, 5] > 0.4]
        assert len(sure) == len(real)
        for box in real:
            near = np.abs(sure[:, :4] - box[:4]).max(1)
            assert near.min() < 2.5
            assert sure[near.argmin(), 4] == box[4]


def test_boxes_are_decoded_in_float32_whatever_the_arithmetic() -> None:
    one, features = head(), maps(2)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = one(features, torch.zeros(2, 4))
        assert output.dtype == torch.bfloat16
        found = one.decode(output)["boxes"]
    expected = one.decode(output.float())["boxes"]
    for ours, theirs in zip(found, expected, strict=True):
        assert np.array_equal(ours, theirs)
    assert all(box.dtype == np.float64 for box in found)


def test_an_output_that_is_not_finite_is_named() -> None:
    one = head()
    output = one(maps(1), torch.zeros(1, 4)).detach()
    output[0, 0, 0] = float("nan")
    with pytest.raises(OsteonError, match="detection head: its output is not finite"):
        one.decode(output)
