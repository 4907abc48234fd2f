"""One logit: the probability that the target is 1."""

from typing import ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from osteon.heads.base import Floats
from osteon.heads.classes import ClassHead, bernoulli
from osteon.heads.encoding import whole_numbers


class BinaryHead(ClassHead):
    """Logistic regression on the vector; the loss is the Bernoulli negative log-likelihood."""

    kind: ClassVar[str] = "binary"

    def __init__(self, width: int, dropout: float = 0.0, label_smoothing: float = 0.0) -> None:
        super().__init__(width, 1, dropout, 2, label_smoothing)

    def encode(self, values: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Return float32 (N,) of 0 and 1; NaN stays NaN, so that reading it by mistake cannot pass unseen."""
        return whole_numbers(values, 2, self.kind).astype(np.float32)

    def decode(self, output: Tensor) -> dict[str, Floats]:
        """Return `probability` (B,), 0 to 1, of the target being 1; computed in float64 from logits (B, 1)."""
        probability: Floats = self._finite(output)[:, 0].sigmoid().numpy()
        return {"probability": probability}

    def _losses(self, output: Tensor, target: Tensor) -> Tensor:
        logit, hard = output[:, 0], target.float()
        rows = bernoulli(logit, hard, self.label_smoothing, *self.class_weights)
        return self._focus(rows, torch.sigmoid(logit * (1.0 - 2.0 * hard)))
