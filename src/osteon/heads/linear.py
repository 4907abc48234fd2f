"""One linear layer on the vector, for heads that tell classes apart: weighted, smoothed, focal."""

from abc import abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from osteon.errors import OsteonError
from osteon.heads.base import Emphasis, Head, LossSum


class LinearHead(Head):
    """Dropout and one linear layer on the vector, in float32 also under autocast.

    bfloat16 logits lie 0.03 apart around 5, which would tie the scores of half a dataset.

    Attributes:
        classes: number of classes that targets come from.
        label_smoothing: share of each target spread evenly over the classes (Szegedy 2016).
        class_weights: (classes,) float32, factor of a row's loss by its class.
    """

    class_weights: Tensor

    def __init__(self, width: int, outputs: int, dropout: float, classes: int, label_smoothing: float) -> None:
        super().__init__()
        self.classes, self.label_smoothing, self.emphasis = classes, label_smoothing, Emphasis()
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(width, outputs)
        # Counted from the train labels at every start, hence in no checkpoint.
        self.register_buffer("class_weights", torch.ones(classes), persistent=False)

    def forward(self, pyramid: Sequence[Tensor], vector: Tensor) -> Tensor:
        """Return logits (B, outputs), float32, from the vector (B, width) alone."""
        with torch.autocast(vector.device.type, enabled=False):
            logits: Tensor = self.linear(self.dropout(vector.float()))
        return logits

    def loss(self, output: Tensor, target: Tensor, present: Tensor, share: float = 1.0) -> LossSum:
        """Sum the rows' losses (nats, float32) over `present`; class weights change the total, never the count.

        All rows are computed and the absent ones dropped by `where`, which needs no wait for the device, unlike
        picking rows, and leaves a batch without labels attached to every parameter. NaN targets never enter.
        """
        with torch.autocast(output.device.type, enabled=False):
            rows = self._row_losses(output.float(), torch.where(present, target, torch.zeros_like(target)))
            total = torch.where(present, rows, torch.zeros_like(rows)).sum()
            return LossSum(total * share, self.count(target, present, share))

    def count(self, target: Tensor, present: Tensor, share: float = 1.0) -> Tensor:
        """Return the number of labelled rows times `share`, scalar float32."""
        return present.sum().float() * share

    def emphasise(self, emphasis: Emphasis) -> None:
        """Let classes or hard rows weigh more in the loss; see `Emphasis`.

        Raises:
            OsteonError: weights that are not one positive number a class, or alpha without two classes.
        """
        weights = emphasis.class_weights or (1.0,) * self.classes
        if len(weights) != self.classes or not all(0 < weight < float("inf") for weight in weights):
            raise OsteonError(f"{self.kind} head: expected {self.classes} positive class weights, found {weights}.")
        if emphasis.alpha is not None and self.classes != 2:
            raise OsteonError(f"{self.kind} head: focal alpha {emphasis.alpha} weighs two classes, not {self.classes}.")
        if emphasis.alpha is not None:
            weights = (weights[0] * (1.0 - emphasis.alpha), weights[1] * emphasis.alpha)
        self.emphasis = emphasis
        self.class_weights.copy_(torch.tensor(weights))

    @abstractmethod
    def _row_losses(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return one loss a row (B,) from float32 logits, `class_weights` and `label_smoothing` regarded."""

    def _focus(self, rows: Tensor, missed: Tensor) -> Tensor:
        """Scale the rows' losses (B,) by missed^gamma, the probability (B,) not given to the truth (Lin 2017)."""
        if self.emphasis.gamma == 0:
            return rows
        # At 0 the slope of a power below 1 is infinite, and times a loss of 0 it is NaN.
        return rows * missed.clamp(min=1e-12) ** self.emphasis.gamma

    def _finite(self, output: Tensor) -> Tensor:
        logits = output.detach().cpu().double()
        broken = int((~torch.isfinite(logits)).any(dim=1).sum())
        if broken:
            raise OsteonError(
                f"{self.kind} head: {broken} of {len(logits)} outputs are not finite, so training has diverged. "
                "Lower optimizer.lr, set trainer.gradient_clip=1.0, or use trainer.precision=32-true."
            )
        return logits
