"""What every head promises: encode targets, answer from features, a loss as sum and count, decode to plain values."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from osteon.errors import OsteonError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LossSum:
    """A loss summed over what it was computed on, and how many that were.

    Not a mean: means over the unequal counts of ranks and accumulation steps do not average to the whole's mean.

    Attributes:
        total: scalar float32, attached to every parameter of the head.
        count: scalar float32; labelled rows (for detection, positive anchors). May be 0.
    """

    total: Tensor
    count: Tensor


class Head(nn.Module, ABC):
    """Answers one question from a backbone's features. Knows its own spec, no config and no other task."""

    kind: ClassVar[str]

    @abstractmethod
    def encode(self, values: npt.ArrayLike) -> npt.NDArray[np.generic]:
        """Turn manifest targets (N,), NaN where nobody looked, into the array that `loss` takes row by row.

        Raises:
            OsteonError: a value outside the head's range; names the first rows at fault.
        """

    @abstractmethod
    def forward(self, pyramid: Sequence[Tensor], vector: Tensor) -> Tensor:
        """Answer B images from maps (B, C_i, H_i, W_i), fine to coarse, and their vector (B, width)."""

    @abstractmethod
    def loss(self, output: Tensor, target: Tensor, present: Tensor) -> LossSum:
        """Sum the loss in float32 over the rows whose `present` (B,) is true; other rows' targets are never read."""

    @abstractmethod
    def decode(self, output: Tensor) -> dict[str, Floats]:
        """Turn an output of B images into plain finite values, named as in a predictions file.

        Raises:
            OsteonError: the output is not finite: training has diverged.
        """

    def untouched(self) -> LossSum:
        """Return the loss of a batch that the head was not run on: zero, yet attached to all its parameters.

        Without it DistributedDataParallel stops at parameters that had no part in the loss.
        """
        zero = torch.stack([parameter.float().sum() for parameter in self.parameters()]).sum() * 0.0
        return LossSum(zero, torch.zeros_like(zero))


class LinearHead(Head):
    """Dropout and one linear layer on the vector, in float32 also under autocast.

    bfloat16 logits lie 0.03 apart around 5, which would tie the scores of half a dataset.
    """

    def __init__(self, width: int, outputs: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(width, outputs)

    def forward(self, pyramid: Sequence[Tensor], vector: Tensor) -> Tensor:
        """Return logits (B, outputs), float32, from the vector (B, width) alone."""
        with torch.autocast(vector.device.type, enabled=False):
            logits: Tensor = self.linear(self.dropout(vector.float()))
        return logits

    def loss(self, output: Tensor, target: Tensor, present: Tensor) -> LossSum:
        """Sum the rows' losses (nats, float32) over `present`.

        All rows are computed and the absent ones dropped by `where`, which needs no wait for the device, unlike
        picking rows, and leaves a batch without labels attached to every parameter. NaN targets never enter.
        """
        with torch.autocast(output.device.type, enabled=False):
            rows = self._row_losses(output.float(), torch.where(present, target, torch.zeros_like(target)))
            return LossSum(torch.where(present, rows, torch.zeros_like(rows)).sum(), present.sum().float())

    @abstractmethod
    def _row_losses(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return one loss a row (B,) from float32 logits."""

    def _finite(self, output: Tensor) -> Tensor:
        logits = output.detach().cpu().double()
        broken = int((~torch.isfinite(logits)).any(dim=1).sum())
        if broken:
            raise OsteonError(
                f"{self.kind} head: {broken} of {len(logits)} outputs are not finite, so training has diverged. "
                "Lower optimizer.lr, set trainer.gradient_clip=1.0, or use trainer.precision=32-true."
            )
        return logits


def whole_numbers(values: npt.ArrayLike, below: int, kind: str) -> Floats:
    """Return targets (N,) as float64, NaN kept, after checking that the others are whole, from 0 to `below` - 1.

    Raises:
        OsteonError: another value; names the kind of head and the first rows at fault.
    """
    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 1:
        raise OsteonError(f"{kind} head: targets must be one value an image, found an array of shape {found.shape}.")
    fault = ~np.isnan(found) & ~np.isin(found, np.arange(below))
    if fault.any():
        rows = ", ".join(f"row {row}: {found[row]:g}" for row in np.flatnonzero(fault)[:5])
        raise OsteonError(
            f"{kind} head: {int(fault.sum())} target(s) outside 0 to {below - 1} ({rows}). "
            "Correct the table; leave a cell empty where nobody looked."
        )
    return found
