"""Which maps boxes are looked for on: chosen from a backbone's pyramid, or grown from a plain ViT's one map."""

import itertools
import math
from collections.abc import Sequence

from osteon.errors import OsteonError

COARSEST = 32  # px a step, of the last map that is taken from a backbone


def check_pyramid(name: str, strides: Sequence[float], size: tuple[int, int]) -> None:
    """Refuse a backbone whose maps do not lie where their strides say: its boxes would be off by several pixels.

    Args:
        name: of the backbone.
        strides: input pixels a step on each map, fine to coarse, as measured.
        size: (height, width) of the images in pixels.

    Raises:
        OsteonError: a stride that is not whole, maps that are not halved from one to the next, or a size that the
            coarsest map does not divide; names the backbone or the size.
    """
    told = ", ".join(f"{stride:g}" for stride in strides)
    halved = all(coarse == 2 * fine for fine, coarse in itertools.pairwise(strides))
    if not halved or any(not float(stride).is_integer() for stride in strides):
        raise OsteonError(
            f"backbone.name: {name} has maps of {told} px a step, which do not cover the image evenly, so boxes cannot "
            "be placed on them. Expected each to be whole and twice the one before, as of resnet18, densenet121, "
            "convnext_tiny or vit_small_patch16_224."
        )
    step = int(used(strides)[-1] if len(strides) > 1 else 2 * strides[0])
    if any(side % step for side in size):
        raise OsteonError(
            f"data.image_size: found {size[0]}x{size[1]}; boxes need a multiple of {step} with {name}, as "
            f"{max(1, round(size[0] / step)) * step}x{max(1, round(size[1] / step)) * step}."
        )


def used(strides: Sequence[float]) -> list[float]:
    """Return the strides of the maps that are taken, none coarser than 32 px unless there is no other."""
    return [stride for stride in strides if stride <= COARSEST] or list(strides[:1])


def doublings(stride: float, finest: int) -> int:
    """Return how often a map of `stride` is doubled to come near `finest` px a step; 0 where it is as fine."""
    return max(0, round(math.log2(stride / finest)))
