"""The network itself: normalises on the device, gives pyramid and vector, knows its true strides."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from osteon.errors import OsteonError


class Features(NamedTuple):
    """What a backbone says of B images.

    Attributes:
        pyramid: maps (B, channels[i], H_i, W_i), fine to coarse; references into the forward pass, so free of cost.
        vector: (B, width), what timm's own classifier would see.
    """

    pyramid: list[Tensor]
    vector: Tensor


class BackboneModule(nn.Module):
    """A timm model for one-channel images.

    mean and std are the averages of timm's three: a grey image has equal channels, the pretrained stem is summed over
    them, and the averages keep the scale of what it then sees. On ImageNet's values this leaves an offset of at most
    0.19 sd in a channel's share, constant over the image.

    Attributes:
        name: architecture or architecture.weights.
        size: (height, width) in pixels that it was built and measured for.
        width: length of the vector.
        channels: channels of each map, fine to coarse.
        strides: input pixels a step on each map; whole only where the map covers the image (not so in the Inceptions,
            whose convolutions are unpadded, whatever timm's feature_info states).
        mean, std: of the normalisation, in units of the full range (0 to 1).
        weights: "none", "densenet121.ra_in1k" or "file:<name>:<first 12 of sha256>".
        report: what of the weights was used, in words; empty without weights.
    """

    shift: Tensor
    gain: Tensor

    def __init__(
        self,
        network: nn.Module,
        name: str,
        size: tuple[int, int],
        mean: Sequence[float],
        std: Sequence[float],
        weights: str,
        report: str,
    ) -> None:
        super().__init__()
        self.network, self.name, self.size, self.weights, self.report = network, name, size, weights, report
        self.mean, self.std = math.fsum(mean) / len(mean), math.fsum(std) / len(std)
        self.register_buffer("shift", torch.tensor(255.0 * self.mean), persistent=False)
        self.register_buffer("gain", torch.tensor(1.0 / (255.0 * self.std)), persistent=False)
        self._indices = _last_only(network)
        self.channels, self.strides, self.width = self._measure()

    def forward(self, x: Tensor) -> Features:
        """Return the features of images (B, 1, H, W), uint8 or float, on the scale 0 to 255."""
        normalised = (x.float() - self.shift) * self.gain
        # timm's networks are typed as plain modules.
        final, maps = self.network.forward_intermediates(normalised, indices=self._indices)  # type: ignore[operator]
        vector = self.network.forward_head(final, pre_logits=True)  # type: ignore[operator]
        return Features(list(maps), vector)

    @torch.no_grad()
    def _measure(self) -> tuple[tuple[int, ...], tuple[float, ...], int]:
        training = self.network.training
        self.network.eval()
        try:
            pyramid, vector = self(torch.full((1, 1, *self.size), 128, dtype=torch.uint8))
        except Exception as fault:  # every family refuses a size, or an odd option, in its own way
            raise OsteonError(
                f"backbone: {self.name} cannot take images of {self.size[0]}x{self.size[1]} "
                f"({str(fault) or type(fault).__name__}). Choose another data.image_size (multiples of 32 suit most, "
                "null is the model's own), or correct backbone.options."
            ) from fault
        finally:
            self.network.train(training)
        if vector.ndim != 2:
            raise OsteonError(
                f"backbone.options: {self.name} gives features of shape {tuple(vector.shape[1:])} instead of one "
                "vector an image. Remove global_pool from the options."
            )
        if not bool(torch.isfinite(vector).all()):
            raise OsteonError(f"backbone: the weights {self.weights} of {self.name} give NaN. Choose other weights.")
        strides = tuple(_stride(self.size, (int(m.shape[-2]), int(m.shape[-1]))) for m in pyramid)
        return tuple(int(m.shape[1]) for m in pyramid), strides, int(vector.shape[1])


def _last_only(network: nn.Module) -> int | None:
    """Return 1 for a plain ViT, whose maps all have one stride: twelve equal maps are no pyramid."""
    stages: list[dict[str, int]] = network.feature_info  # type: ignore[assignment]
    return 1 if len({stage["reduction"] for stage in stages}) == 1 else None


def _stride(size: tuple[int, int], grid: tuple[int, int]) -> float:
    """Return pixels a step; where height and width differ, the one that is not whole."""
    steps = [_step(pixels, cells) for pixels, cells in zip(size, grid, strict=True)]
    return max(steps, key=lambda step: (not step.is_integer(), step))


def _step(pixels: int, cells: int) -> float:
    """Return the power of two whose grid has this many cells, padded or cut; else the plain quotient."""
    power = 2 ** round(math.log2(pixels / cells))
    return float(power) if power <= pixels and cells in (pixels // power, -(-pixels // power)) else pixels / cells
