"""One logit a label: labels may come together, and each may be unknown for itself."""

from typing import ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from osteon.errors import OsteonError
from osteon.heads.base import Emphasis, Floats
from osteon.heads.classes import ClassHead, bernoulli
from osteon.heads.encoding import whole_numbers


class MultilabelHead(ClassHead):
    """A logistic regression a label; the loss is summed over labelled cells, and `count` counts these.

    Attributes:
        labels: number of labels.
    """

    kind: ClassVar[str] = "multilabel"

    def __init__(self, width: int, labels: int, dropout: float = 0.0, label_smoothing: float = 0.0) -> None:
        super().__init__(width, labels, dropout, 2, label_smoothing)
        self.labels = labels
        self.register_buffer("class_weights", torch.ones(2, labels), persistent=False)

    def encode(self, values: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Return float32 (N, labels) of 0 and 1; NaN, where nobody looked for that label, stays NaN."""
        found = np.asarray(values, dtype=np.float64)
        if found.ndim != 2 or found.shape[1] != self.labels:
            raise OsteonError(
                f"multilabel head: expected targets of {self.labels} labels an image, found shape {found.shape}."
            )
        return np.stack([whole_numbers(column, 2, self.kind) for column in found.T], axis=1).astype(np.float32)

    def decode(self, output: Tensor) -> dict[str, Floats]:
        """Return `probability` (B, labels), each 0 to 1; computed in float64 from logits (B, labels)."""
        probability: Floats = self._finite(output).sigmoid().numpy()
        return {"probability": probability}

    def emphasise(self, emphasis: Emphasis) -> None:
        """Let the positives of labels, or hard cells, weigh more in the loss; see `Emphasis`.

        Raises:
            OsteonError: weights that are not one positive number a label.
        """
        positive = emphasis.positive_weights or (1.0,) * self.labels
        if len(positive) != self.labels or not all(0 < weight < float("inf") for weight in positive):
            raise OsteonError(f"multilabel head: expected {self.labels} positive weights, found {positive}.")
        if emphasis.class_weights is not None:
            raise OsteonError("multilabel head: its labels are weighed by positive_weights, found class_weights.")
        alpha = emphasis.alpha
        of_negative, of_positive = (1.0, 1.0) if alpha is None else (1.0 - alpha, alpha)
        self.emphasis = emphasis
        self.class_weights[0] = of_negative
        self.class_weights[1] = torch.tensor(positive) * of_positive

    def _losses(self, output: Tensor, target: Tensor) -> Tensor:
        hard = target.float()
        cells = bernoulli(output, hard, self.label_smoothing, *self.class_weights)
        return self._focus(cells, torch.sigmoid(output * (1.0 - 2.0 * hard)))
