"""What the heads that give a logit a class share: losses that are weighted, smoothed and focal."""

import torch
from torch import Tensor

from osteon.errors import OsteonError
from osteon.heads.base import Emphasis
from osteon.heads.linear import LinearHead


class ClassHead(LinearHead):
    """Tells classes apart.

    Attributes:
        classes: number of classes that targets come from.
        label_smoothing: share of each target spread evenly over the classes (Szegedy 2016).
        class_weights: (classes,) float32, factor of a row's loss by its class; of a multilabel head (classes, labels).
    """

    class_weights: Tensor

    def __init__(self, width: int, outputs: int, dropout: float, classes: int, label_smoothing: float) -> None:
        super().__init__(width, outputs, dropout)
        self.classes, self.label_smoothing, self.emphasis = classes, label_smoothing, Emphasis()
        # Counted from the train labels at every start, hence in no checkpoint.
        self.register_buffer("class_weights", torch.ones(classes), persistent=False)

    def emphasise(self, emphasis: Emphasis) -> None:
        """Let classes or hard rows weigh more in the loss; see `Emphasis`.

        Raises:
            OsteonError: weights that are not one positive number a class, or alpha without two classes.
        """
        weights = emphasis.class_weights or (1.0,) * self.classes
        if len(weights) != self.classes or not all(0 < weight < float("inf") for weight in weights):
            raise OsteonError(f"{self.kind} head: expected {self.classes} positive class weights, found {weights}.")
        if emphasis.positive_weights is not None:
            raise OsteonError(f"{self.kind} head: has no labels to weigh; positive_weights are a multilabel head's.")
        if emphasis.alpha is not None and self.classes != 2:
            raise OsteonError(f"{self.kind} head: focal alpha {emphasis.alpha} weighs two classes, not {self.classes}.")
        if emphasis.alpha is not None:
            weights = (weights[0] * (1.0 - emphasis.alpha), weights[1] * emphasis.alpha)
        self.emphasis = emphasis
        self.class_weights.copy_(torch.tensor(weights))

    def _focus(self, losses: Tensor, missed: Tensor) -> Tensor:
        """Scale the losses by missed^gamma, the probability not given to the truth (Lin 2017)."""
        if self.emphasis.gamma == 0:
            return losses
        # At 0 the slope of a power below 1 is infinite, and times a loss of 0 it is NaN.
        return losses * missed.clamp(min=1e-12) ** self.emphasis.gamma


def bernoulli(logit: Tensor, hard: Tensor, smoothing: float, negative: Tensor, positive: Tensor) -> Tensor:
    """Return the negative log-likelihood (nats) of 0 and 1, smoothed and weighted by class, of the shape of `logit`.

    Two classes of probabilities 1 - p and p: each half of the cross entropy has its class's weight.

    Args:
        logit: of the target being 1.
        hard: targets, 0 or 1.
        smoothing: share of a target spread evenly over both classes.
        negative: weight of class 0, broadcast.
        positive: weight of class 1, broadcast.
    """
    soft = hard * (1.0 - smoothing) + 0.5 * smoothing
    log = torch.nn.functional.logsigmoid
    return -positive * soft * log(logit) - negative * (1.0 - soft) * log(-logit)
