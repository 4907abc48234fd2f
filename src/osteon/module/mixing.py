"""Blends of two training images: mixup and CutMix, on the device, with labels that may be absent."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from osteon.data import Batch
from osteon.model import Labels


@dataclass(frozen=True)
class Blend:
    """Images and what is known of them.

    Attributes:
        images: (B, 1, H, W) uint8.
        labels: one for plain images; of blended ones, those of the first and of the second image.
    """

    images: Tensor
    labels: tuple[Labels, ...]

    def parts(self, count: int) -> Iterator["Blend"]:
        """Yield the rows in order, in at most `count` nearly equal parts of two rows or more.

        Their loss sums and counts add up to the whole's. A part of one row would stop batch norm.
        """
        rows = len(self.images)
        number = max(1, min(count, rows // 2))
        for place in range(number):
            start, stop = place * rows // number, (place + 1) * rows // number
            yield Blend(self.images[start:stop], tuple(part.rows(start, stop) for part in self.labels))


def mix(batch: Batch, mixup: float, cutmix: float) -> Blend:
    """Blend every image of a batch with another of it, one share for the whole batch.

    The loss is share x loss(first labels) + (1 - share) x loss(second labels), as is the count: where only one of
    the two images is labelled, its label alone counts, by its share. All draws come from torch's global generator on
    the CPU, so that seeding it before the batch fixes them, and nothing waits for the device.

    Args:
        batch: B rows; with fewer than two it is returned as it is.
        mixup: a > 0: share ~ Beta(a, a), images averaged by it and rounded to uint8 (Zhang 2018). 0: off.
        cutmix: a > 0: a box of the second image is pasted in, (1 - share) of the area with share ~ Beta(a, a), cut at
            the edges; the share is then corrected to the pixels that were really left (Yun 2019). 0: off. With both,
            a coin chooses for the batch.
    """
    first = Labels(batch.targets, batch.present)
    if len(batch) < 2 or (mixup <= 0 and cutmix <= 0):
        return Blend(batch.images, (first,))
    pasted = cutmix > 0 and (mixup <= 0 or bool(torch.rand(()) < 0.5))
    share = _beta(cutmix if pasted else mixup)
    partner = torch.randperm(len(batch)).to(batch.images.device, non_blocking=True)
    others = batch.images[partner]
    images, share = _paste(batch.images, others, share) if pasted else (_average(batch.images, others, share), share)
    second = Labels(
        {task: values[partner] for task, values in batch.targets.items()},
        {task: values[partner] for task, values in batch.present.items()},
        1.0 - share,
    )
    return Blend(images, (Labels(first.targets, first.present, share), second))


def _beta(a: float) -> float:
    shape = torch.tensor(a, dtype=torch.float64)  # in float32 a share of a small `a` may be 0 / 0
    return float(torch.distributions.Beta(shape, shape).sample())


def _average(images: Tensor, others: Tensor, share: float) -> Tensor:
    return (images.float() * share + others.float() * (1.0 - share)).round_().to(torch.uint8)


def _paste(images: Tensor, others: Tensor, share: float) -> tuple[Tensor, float]:
    """Paste a box of the images' own shape around a uniformly drawn pixel; return also the share that is left."""
    height, width = images.shape[-2:]
    side = math.sqrt(1.0 - share)
    top, bottom = _span(height, side)
    left, right = _span(width, side)
    pasted = images.clone()
    pasted[..., top:bottom, left:right] = others[..., top:bottom, left:right]
    return pasted, 1.0 - (bottom - top) * (right - left) / (height * width)


def _span(length: int, side: float) -> tuple[int, int]:
    centre, extent = int(torch.randint(length, ())), round(length * side)
    start = centre - extent // 2
    return max(start, 0), min(start + extent, length)
