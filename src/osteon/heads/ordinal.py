"""Grades, whose order counts: a probability of each, and the expected grade."""

from typing import ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid, softplus

from osteon.errors import OsteonError
from osteon.heads.base import Emphasis, Floats
from osteon.heads.encoding import class_indices
from osteon.heads.linear import LinearHead
from osteon.heads.multiclass import MulticlassHead


class CumulativeHead(LinearHead):
    """One score w.x for an image and a threshold between each two grades (CORAL: Cao, Mirjalili and Raschka 2020).

    P(grade > k) = sigmoid(w.x + b_k) for k = 0..K-2. The weights are shared and the b_k fall by construction, so that
    these probabilities never rise with k, whatever the image. The loss of a row is the sum of the K-1 binary cross
    entropies.

    Attributes:
        classes: K.
        first: b_0.
        gaps: (K-2,) whose softplus is b_k - b_(k+1).
    """

    kind: ClassVar[str] = "ordinal"

    def __init__(self, width: int, classes: int, dropout: float = 0.0) -> None:
        super().__init__(width, 1, dropout, bias=False)
        self.classes = classes
        # Without an image all grades are equally likely.
        above = 1.0 - torch.arange(1, classes, dtype=torch.float64) / classes
        bias = above.logit()
        self.first = nn.Parameter(bias[:1].float())
        self.gaps = nn.Parameter(torch.expm1(bias[:-1] - bias[1:]).log().float())

    def encode(self, values: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Return grades int64 (N,), counted from 0; NaN becomes -1."""
        return class_indices(values, self.classes, self.kind)

    def decode(self, output: Tensor) -> dict[str, Floats]:
        """Return `probabilities` (B, K), each row summing to 1, and `value` (B,), 0 to K-1, the expected grade.

        From logits (B, K-1) in float64: P(grade = k) = P(grade > k-1) - P(grade > k).
        """
        above = self._finite(output).sigmoid()
        edge = torch.ones(len(above), 1, dtype=torch.float64)
        edges = torch.cat([edge, above, torch.zeros_like(edge)], dim=1)
        return _graded((edges[:, :-1] - edges[:, 1:]).clamp(min=0.0))

    def emphasise(self, emphasis: Emphasis) -> None:
        """Refuse: a row has a part in every threshold, and what its class would weigh there nobody has defined.

        Raises:
            OsteonError: always.
        """
        raise OsteonError(
            "ordinal head: loss=cumulative has no weight by class. Use training.imbalance=sampler or none, or "
            "head.loss=softmax or distance."
        )

    def _answer(self, vector: Tensor) -> Tensor:
        falls = torch.cat([self.first.new_zeros(1), softplus(self.gaps).cumsum(0)])
        score: Tensor = self.linear(vector)
        return score + (self.first - falls)

    def _losses(self, output: Tensor, target: Tensor) -> Tensor:
        steps = torch.arange(self.classes - 1, device=output.device)
        passed = target.long()[:, None] > steps
        return -logsigmoid(torch.where(passed, output, -output)).sum(dim=1)


class GradeHead(MulticlassHead):
    """One logit a grade, with the cross entropy of `MulticlassHead`; the order counts in `value` only."""

    kind: ClassVar[str] = "ordinal"

    def decode(self, output: Tensor) -> dict[str, Floats]:
        """Return `probabilities` (B, K), each row summing to 1, and `value` (B,), 0 to K-1, the expected grade."""
        return _graded(self._finite(output).softmax(dim=1))


class OrderedHead(GradeHead):
    """One logit a grade, with a loss that sees how far a grade is from the truth; it has no focal form.

    Attributes:
        loss_name: as in `head.loss`.
    """

    loss_name: ClassVar[str]

    def emphasise(self, emphasis: Emphasis) -> None:
        """Let classes weigh more in the loss; see `Emphasis`.

        Raises:
            OsteonError: a focal exponent, or weights that are not one positive number a class.
        """
        if emphasis.gamma:
            raise OsteonError(f"ordinal head: loss={self.loss_name} has no focal form. Use head.loss=softmax.")
        super().emphasise(emphasis)


class DistanceHead(OrderedHead):
    """One logit a grade; a probability costs more, the further its grade is from the truth (Chen 2019, ordinal loss).

    The loss of a row is the sum over grades k of (p_k w_yk)^2, with w_yk = 2 + 2 |y - k| and w_yy = 0: for five
    grades the matrix of the authors' published code, whose loss squares the product.

    Attributes:
        costs: (K, K) float32, w: a row for each truth.
    """

    loss_name: ClassVar[str] = "distance"
    costs: Tensor

    def __init__(self, width: int, classes: int, dropout: float = 0.0) -> None:
        super().__init__(width, classes, dropout)
        grade = torch.arange(classes)
        apart = (grade[:, None] - grade[None, :]).abs()
        self.register_buffer("costs", torch.where(apart > 0, 2.0 + 2.0 * apart, 0.0), persistent=False)

    def _losses(self, output: Tensor, target: Tensor) -> Tensor:
        truth = target.long()
        rows = (output.softmax(dim=1) * self.costs[truth]).square().sum(dim=1)
        return rows * self.class_weights[truth]


class JointHead(OrderedHead):
    """One logit a grade; the cross entropy of a row and the squared error of its expected grade, added.

    Antony, McGuinness, Moran and O'Connor 2017 (arXiv 1703.09856) trained Kellgren-Lawrence grades from scratch by both
    losses at once; there the number comes from an output of its own, here it is the expectation that is decoded.
    """

    loss_name: ClassVar[str] = "joint"

    def _losses(self, output: Tensor, target: Tensor) -> Tensor:
        truth = target.long()
        grades = torch.arange(output.shape[1], device=output.device, dtype=output.dtype)
        error = (output.softmax(dim=1) @ grades - truth.to(output.dtype)).square()
        return super()._losses(output, target) + error * self.class_weights[truth]


def _graded(probabilities: Tensor) -> dict[str, Floats]:
    """Return the columns of a predictions file from (B, K) float64."""
    share = probabilities / probabilities.sum(dim=1, keepdim=True)
    last = share.shape[1] - 1
    value = (share @ torch.arange(last + 1, dtype=torch.float64)).clamp(0.0, float(last))
    return {"probabilities": share.numpy(), "value": value.numpy()}
