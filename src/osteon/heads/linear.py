"""One linear layer on the vector: what the heads on it share."""

from abc import abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from osteon.errors import OsteonError
from osteon.heads.base import Head, LossSum


class LinearHead(Head):
    """Dropout and one linear layer on the vector, in float32 also under autocast.

    bfloat16 logits lie 0.03 apart around 5, which would tie the scores of half a dataset.
    """

    def __init__(self, width: int, outputs: int, dropout: float, bias: bool = True) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(width, outputs, bias)

    def forward(self, pyramid: Sequence[Tensor], vector: Tensor) -> Tensor:
        """Return the outputs (B, outputs), float32, from the vector (B, width) alone."""
        with torch.autocast(vector.device.type, enabled=False):
            return self._answer(self.dropout(vector.float()))

    def loss(self, output: Tensor, target: Tensor, present: Tensor, share: float = 1.0) -> LossSum:
        """Sum the losses (float32) of the rows, or cells, that are `present`; weights change the total, not the count.

        All are computed and the absent ones dropped by `where`, which needs no wait for the device, unlike picking
        rows, and leaves a batch without labels attached to every parameter. NaN targets never enter.
        """
        with torch.autocast(output.device.type, enabled=False):
            losses = self._losses(output.float(), torch.where(present, target, torch.zeros_like(target)))
            total = torch.where(present, losses, torch.zeros_like(losses)).sum()
            return LossSum(total * share, self.count(target, present, share))

    def count(self, target: Tensor, present: Tensor, share: float = 1.0) -> Tensor:
        """Return the number of labelled rows, or cells, times `share`, scalar float32."""
        return present.sum().float() * share

    def _answer(self, vector: Tensor) -> Tensor:
        """Return the outputs from the float32 vector (B, width)."""
        output: Tensor = self.linear(vector)
        return output

    @abstractmethod
    def _losses(self, output: Tensor, target: Tensor) -> Tensor:
        """Return one loss a target, of its shape, from float32 outputs; what is weighed is weighed here."""

    def _finite(self, output: Tensor) -> Tensor:
        """Return the output in float64 on the CPU.

        Raises:
            OsteonError: it is not finite.
        """
        found = output.detach().cpu().double()
        broken = int((~torch.isfinite(found)).any(dim=1).sum())
        if broken:
            raise OsteonError(
                f"{self.kind} head: {broken} of {len(found)} outputs are not finite, so training has diverged. "
                "Lower optimizer.lr, set trainer.gradient_clip=1.0, or use trainer.precision=32-true."
            )
        return found
