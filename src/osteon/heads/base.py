"""What every head promises: encode targets, answer from features, a loss as sum and count, decode to plain values."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from osteon.errors import OsteonError

Floats = npt.NDArray[np.float64]
# Named as in a predictions file; floats, but for boxes, which are objects: (n, 6) floats an image.
Columns = dict[str, Any]


@dataclass(frozen=True, slots=True)
class LossSum:
    """A loss summed over what it was computed on, and how many that were.

    Not a mean: means over the unequal counts of ranks and accumulation steps do not average to the whole's mean.

    Attributes:
        total: scalar float32, attached to every parameter of the head.
        count: scalar float32; labelled rows (multilabel: labelled cells; detection: positive anchors). May be 0.
    """

    total: Tensor
    count: Tensor


@dataclass(frozen=True, slots=True)
class Emphasis:
    """What weighs more in a classifying loss.

    Attributes:
        class_weights: factor of a row's loss by its class, in index order; None: all 1.
        positive_weights: multilabel: factor of a cell's loss where it is 1, by label; None: all 1.
        gamma: focal exponent; a row to whose truth the model gives p weighs (1 - p)^gamma. 0: every row alike.
        alpha: focal weight of class 1 of two, 0 to 1; class 0 has 1 - alpha. None: both 1.
    """

    class_weights: tuple[float, ...] | None = None
    gamma: float = 0.0
    alpha: float | None = None
    positive_weights: tuple[float, ...] | None = None


class Head(nn.Module, ABC):
    """Answers one question from a backbone's features. Knows its own spec, no config and no other task.

    Attributes:
        classes: number of classes that targets come from; 0 where there are none.
    """

    kind: ClassVar[str]
    classes: int = 0

    @abstractmethod
    def encode(self, values: npt.ArrayLike) -> npt.NDArray[np.generic]:
        """Turn manifest targets (N,), NaN where nobody looked, into the array that `loss` takes row by row.

        A multilabel head's are (N, labels), a detection head's (N, M, 5), here and everywhere below.

        Raises:
            OsteonError: a value outside the head's range; names the first rows at fault.
        """

    @abstractmethod
    def forward(self, pyramid: Sequence[Tensor], vector: Tensor) -> Tensor:
        """Answer B images from maps (B, C_i, H_i, W_i), fine to coarse, and their vector (B, width)."""

    @abstractmethod
    def loss(self, output: Tensor, target: Tensor, present: Tensor, share: float = 1.0) -> LossSum:
        """Sum the loss in float32 over the rows whose `present` (B,) is true; other rows' targets are never read.

        Args:
            output: what `forward` gave.
            target: (B,) encoded targets; multilabel (B, labels).
            present: of the target's shape, bool.
            share: of each row that this target stands for (0 to 1; less than 1 in blended images). Scales both
                total and count.
        """

    @abstractmethod
    def count(self, target: Tensor, present: Tensor, share: float = 1.0) -> Tensor:
        """Return the `count` that `loss` would give, scalar float32, without a forward pass.

        With it, the sums of a batch's parts divided by the whole's count have the gradient of the whole's mean.
        """

    @abstractmethod
    def decode(self, output: Tensor) -> Columns:
        """Turn an output of B images into plain finite values, named as in a predictions file.

        Raises:
            OsteonError: the output is not finite: training has diverged.
        """

    def fit(self, values: npt.ArrayLike) -> None:
        """Take from the train labels (N,), NaN where unlabelled, what the head needs of them before training.

        What it takes is part of its state dict. Most heads need nothing.

        Raises:
            OsteonError: the labels do not tell it.
        """

    def emphasise(self, emphasis: Emphasis) -> None:
        """Let classes or hard rows weigh more in the loss.

        Raises:
            OsteonError: the head has no classes, or not as many as weights.
        """
        raise OsteonError(f"{self.kind} head: has no classes to weigh. Use training.imbalance=none for its task.")

    def untouched(self) -> LossSum:
        """Return the loss of a batch that the head was not run on: zero, yet attached to all its parameters.

        Without it DistributedDataParallel stops at parameters that had no part in the loss.
        """
        zero = torch.stack([parameter.float().sum() for parameter in self.parameters()]).sum() * 0.0
        return LossSum(zero, torch.zeros_like(zero))
