"""From a backbone's maps to maps of one width, fine to coarse, each half the one before."""

from collections import OrderedDict
from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn.functional import relu
from torchvision.ops import FeaturePyramidNetwork

from osteon.errors import OsteonError
from osteon.heads.detection.levels import doublings, used


class Pyramid(nn.Module):
    """A feature pyramid (Lin 2017) with further coarse levels, as FCOS has them.

    Args:
        channels: of each map of the backbone, fine to coarse.
        strides: of each map; a single one is a plain ViT's, from which a simple pyramid is grown (ViTDet, Li 2022).
        finest: px a step of the finest level.
        levels: how many in all.
        width: channels of every level.
        longest: longer side of the images, px; no level is made from a map of one cell, which has nothing to halve (and
            whose gradient oneDNN reads from memory that nobody wrote, in bfloat16 on several threads).

    Attributes:
        strides: of the levels.

    Raises:
        OsteonError: the backbone has no map so fine, or fewer levels are asked for than it gives.
    """

    def __init__(
        self, channels: Sequence[int], strides: Sequence[float], finest: int, levels: int, width: int, longest: int
    ) -> None:
        super().__init__()
        self.simple = _Simple(channels[0], strides[0], finest) if len(strides) == 1 else None
        if self.simple is not None:
            channels, strides = self.simple.channels, self.simple.strides
        taken = [place for place, stride in enumerate(used(strides)) if stride >= finest]
        if not taken or (self.simple is None and strides[taken[0]] != finest):
            told = ", ".join(f"{stride:g}" for stride in strides)
            raise OsteonError(f"head.finest: found {finest}, but the backbone's maps are of {told} px a step.")
        if levels < len(taken):
            raise OsteonError(f"head.levels: found {levels}, but from {finest} px a step there are {len(taken)} maps.")
        self.taken, found = taken, [strides[place] for place in taken]
        further = [found[-1] * 2**more for more in range(1, levels - len(taken) + 1)]
        further = [stride for stride in further if stride / 2 < longest]
        self.strides = (*found, *further)
        self.fpn = FeaturePyramidNetwork([channels[place] for place in taken], width)
        self.coarser = nn.ModuleList(nn.Conv2d(width, width, 3, 2, 1) for _ in further)

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Return the levels (B, width, H_i, W_i)."""
        found = list(maps) if self.simple is None else self.simple(maps[0])
        levels = list(self.fpn(OrderedDict((str(place), found[place]) for place in self.taken)).values())
        for place, coarser in enumerate(self.coarser):
            levels.append(coarser(relu(levels[-1]) if place else levels[-1]))
        return levels


class _Simple(nn.Module):
    """Maps of half, equal and double the stride of one map (and of a quarter, where that is asked for)."""

    def __init__(self, channels: int, stride: float, finest: int) -> None:
        super().__init__()
        times = doublings(stride, finest)
        self.finer = nn.ModuleList(_doubled(channels, place) for place in range(times, 0, -1))
        self.coarser = nn.MaxPool2d(2)
        factors = [2.0**-place for place in range(times, 0, -1)]
        self.strides = [stride * factor for factor in (*factors, 1.0, 2.0)]
        self.channels = [channels] * len(self.strides)

    def forward(self, one: Tensor) -> list[Tensor]:
        return [*(finer(one) for finer in self.finer), one, self.coarser(one)]


def _doubled(channels: int, times: int) -> nn.Module:
    steps: list[nn.Module] = []
    for place in range(times):
        steps += [nn.ConvTranspose2d(channels, channels, 2, 2)]
        steps += [nn.GroupNorm(1, channels), nn.GELU()] if place < times - 1 else []
    return nn.Sequential(*steps)
