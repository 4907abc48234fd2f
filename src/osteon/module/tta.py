"""Several views of an image at prediction, their probabilities or values averaged."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from osteon.config.training import View
from osteon.model import Model

Change = Callable[[Tensor], Tensor]
Values = dict[str, dict[str, npt.NDArray[np.float64]]]

SHIFT = 0.02  # of each side
ZOOM = (0.95, 1.05)


def views(names: Sequence[View]) -> tuple[Change, ...]:
    """Return the changes that `names` stand for, the plain image first: none but it where `names` is empty.

    Each takes and gives images (B, 1, H, W) uint8. `flip` is one mirrored view; `shift` four, by 2 % of the side
    left, right, up and down; `scale` two, by 0.95 and 1.05 around the centre. What is bared is 0, as in training.
    """
    kinds: Mapping[View, tuple[Change, ...]] = {
        "flip": (_flip,),
        "shift": tuple(_Shift(down, right) for down, right in ((0, -1), (0, 1), (-1, 0), (1, 0))),
        "scale": tuple(_Zoom(factor) for factor in ZOOM),
    }
    return (_plain, *(change for name in names for change in kinds[name]))


def averaged(model: Model, images: Tensor, changes: Sequence[Change], covariates: Tensor | None = None) -> Values:
    """Return task -> column -> mean over the views of what `model` decodes, for images (B, 1, H, W) uint8.

    Probabilities are averaged, not logits: a study's images are pooled likewise, the mean stays a probability
    (Brier score and log loss of it are at most the views' mean), and no single view of extreme logit decides.

    Raises:
        OsteonError: an output is not finite; names the task.
    """
    decoded = [model.decode(model(change(images), covariates)) for change in changes]
    if len(decoded) == 1:
        return decoded[0]
    return {
        task: {name: np.mean([part[task][name] for part in decoded], axis=0) for name in columns}
        for task, columns in decoded[0].items()
    }


def _plain(images: Tensor) -> Tensor:
    return images


def _flip(images: Tensor) -> Tensor:
    return images.flip(-1)


class _Shift:
    def __init__(self, down: int, right: int) -> None:
        self.down, self.right = down, right

    def __call__(self, images: Tensor) -> Tensor:
        height, width = images.shape[-2:]
        down, right = self.down * round(SHIFT * height), self.right * round(SHIFT * width)
        result = torch.zeros_like(images)
        source = images[..., max(-down, 0) : height - max(down, 0), max(-right, 0) : width - max(right, 0)]
        result[..., max(down, 0) : height + min(down, 0), max(right, 0) : width + min(right, 0)] = source
        return result


class _Zoom:
    def __init__(self, factor: float) -> None:
        self.factor = factor

    def __call__(self, images: Tensor) -> Tensor:
        scale = torch.tensor([[1.0 / self.factor, 0.0, 0.0], [0.0, 1.0 / self.factor, 0.0]], device=images.device)
        with torch.autocast(images.device.type, enabled=False):
            grid = affine_grid(scale.expand(len(images), 2, 3), list(images.shape), align_corners=False)
            return grid_sample(images.float(), grid, align_corners=False).round_().to(torch.uint8)
