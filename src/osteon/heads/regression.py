"""A number in the target's unit: one output, or a softmax over values of the scale and its expectation."""

from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import huber_loss

from osteon.errors import OsteonError
from osteon.heads.base import Floats
from osteon.heads.encoding import numbers
from osteon.heads.linear import LinearHead


class RegressionHead(LinearHead):
    """One output in standard deviations of the train labels from their mean; undone at decode.

    Attributes:
        mean: float32, of the train labels; 0 until `fit`.
        sd: float32, their standard deviation; 1 until `fit`.
    """

    kind: ClassVar[str] = "regression"
    mean: Tensor
    sd: Tensor

    def __init__(
        self,
        width: int,
        low: float | None,
        high: float | None,
        dropout: float = 0.0,
        loss: Literal["l1", "l2", "huber"] = "l1",
        delta: float = 1.0,
    ) -> None:
        super().__init__(width, 1, dropout)
        self.low, self.high, self.form, self.delta = low, high, loss, delta
        # In the checkpoint, unlike class weights: the answer is in a unit only with them.
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("sd", torch.ones(()))

    def fit(self, values: npt.ArrayLike) -> None:
        """Take mean and standard deviation (n in the denominator) of the train labels (N,), NaN where unlabelled.

        Raises:
            OsteonError: fewer than two different labels, or a value outside the target's range.
        """
        found = numbers(values, self.low, self.high, self.kind)
        known = found[~np.isnan(found)]
        if not len(known) or known.min() == known.max():
            said = f"all {len(known):,} are {known[0]:g}" if len(known) else "there is none"
            raise OsteonError(f"regression head: train labels must differ to be standardised; {said}.")
        self.mean.fill_(float(known.mean()))
        self.sd.fill_(float(known.std()))

    def encode(self, values: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Return float32 (N,) in the target's unit; NaN stays NaN, so that reading it by mistake cannot pass unseen."""
        return numbers(values, self.low, self.high, self.kind).astype(np.float32)

    def decode(self, output: Tensor) -> dict[str, Floats]:
        """Return `value` (B,) in the target's unit, clipped to its range; float64 from outputs (B, 1)."""
        value = self._finite(output)[:, 0] * self.sd.cpu().double() + self.mean.cpu().double()
        return {"value": np.clip(value.numpy(), self.low, self.high)}

    def _losses(self, output: Tensor, target: Tensor) -> Tensor:
        wrong = output[:, 0] - (target.float() - self.mean) / self.sd
        if self.form == "huber":
            return huber_loss(wrong, torch.zeros_like(wrong), reduction="none", delta=self.delta)
        return wrong.abs() if self.form == "l1" else wrong.square()


class BinsHead(LinearHead):
    """A softmax over evenly spaced values of the scale, from low to high; the answer is its expectation.

    The truth lies between two of the values and is shared between them so that its expectation is exact; the loss is
    the cross entropy with that. Iglovikov 2018 so answered the bone age, with 240 classes of a month.
    """

    kind: ClassVar[str] = "regression"

    def __init__(self, width: int, low: float, high: float, bins: int, dropout: float = 0.0) -> None:
        super().__init__(width, bins, dropout)
        self.low, self.high, self.bins = low, high, bins

    def encode(self, values: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Return float32 (N,) in the target's unit; NaN stays NaN."""
        return numbers(values, self.low, self.high, self.kind).astype(np.float32)

    def decode(self, output: Tensor) -> dict[str, Floats]:
        """Return `value` (B,) in the target's unit, the expectation; float64 from logits (B, bins)."""
        scale = torch.linspace(self.low, self.high, self.bins, dtype=torch.float64)
        value = self._finite(output).softmax(dim=1) @ scale
        return {"value": value.clamp(self.low, self.high).numpy()}

    def _losses(self, output: Tensor, target: Tensor) -> Tensor:
        # An absent target stands as 0, which may lie outside the scale.
        place = (target.float() - self.low) / (self.high - self.low) * (self.bins - 1)
        place = place.clamp(0.0, self.bins - 1.0)
        below = place.floor().clamp(max=self.bins - 2.0)
        upper = place - below
        near = torch.stack([below.long(), below.long() + 1], dim=1)
        pair = output.log_softmax(dim=1).gather(1, near)
        return -(1.0 - upper) * pair[:, 0] - upper * pair[:, 1]
