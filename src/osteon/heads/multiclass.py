"""One logit a class; classes exclude each other."""

from typing import ClassVar

import numpy as np
import numpy.typing as npt
from torch import Tensor
from torch.nn.functional import cross_entropy

from osteon.heads.base import Floats
from osteon.heads.classes import ClassHead
from osteon.heads.encoding import class_indices


class MulticlassHead(ClassHead):
    """Multinomial regression on the vector; the loss is the categorical negative log-likelihood."""

    kind: ClassVar[str] = "multiclass"

    def __init__(self, width: int, classes: int, dropout: float = 0.0, label_smoothing: float = 0.0) -> None:
        super().__init__(width, classes, dropout, classes, label_smoothing)

    def encode(self, values: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Return class indices int64 (N,); NaN becomes -1, which the loss refuses where it is not masked."""
        return class_indices(values, self.classes, self.kind)

    def decode(self, output: Tensor) -> dict[str, Floats]:
        """Return `probabilities` (B, classes), each row summing to 1; computed in float64 from logits (B, classes)."""
        probabilities: Floats = self._finite(output).softmax(dim=1).numpy()
        return {"probabilities": probabilities}

    def _losses(self, output: Tensor, target: Tensor) -> Tensor:
        truth = target.long()
        # A class index outside the range is an error here, also where it would only be smoothed over.
        rows = cross_entropy(output, truth, self.class_weights, reduction="none", label_smoothing=self.label_smoothing)
        return self._focus(rows, 1.0 - output.softmax(dim=1).gather(1, truth[:, None])[:, 0])
