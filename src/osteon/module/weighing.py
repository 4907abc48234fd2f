"""How the losses of several tasks add up: by fixed weights, or by what each learns of its own uncertainty."""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn


class LossWeights(nn.Module):
    """Weighs every task's loss.

    Fixed: sum of w_t L_t. Learned (Kendall, Gal, Cipolla 2018, equations 7 and 10), with s_t = log of the variance:
    sum of w_t (c_t exp(-s_t) L_t + s_t / 2), where c_t is 1/2 for a squared error and 1 for every other loss. s_t
    starts at 0; a task that no row of a step is labelled for leaves it as it is.

    Args:
        weights: task -> w_t.
        learned: whether the s_t are learned.
        squared: tasks whose loss is a squared error.
    """

    def __init__(self, weights: Mapping[str, float], learned: bool = False, squared: Iterable[str] = ()) -> None:
        super().__init__()
        self.weights, self.squared = dict(weights), frozenset(squared)
        self.log_variances = nn.Parameter(torch.zeros(len(self.weights))) if learned else None

    def of(self, task: str, loss: Tensor) -> Tensor:
        """Return the part of the total that a task's loss, or a part of it, makes up."""
        if self.log_variances is None:
            return self.weights[task] * loss
        factor = 0.5 if task in self.squared else 1.0
        return self.weights[task] * factor * torch.exp(-self._log_variance(task)) * loss

    def rest(self, counts: Mapping[str, Tensor]) -> Tensor | None:
        """Return what is added to the total once a step; None where weights are fixed.

        Args:
            counts: task -> labelled rows of the step on all processes.
        """
        if self.log_variances is None:
            return None
        parts = [
            weight * 0.5 * self._log_variance(task) * (counts[task] > 0).float()
            for task, weight in self.weights.items()
        ]
        return torch.stack(parts).sum()

    def learned(self) -> dict[str, float]:
        """Return task -> log of its variance, as it is; empty where weights are fixed."""
        if self.log_variances is None:
            return {}
        return dict(zip(self.weights, map(float, self.log_variances.detach().cpu()), strict=True))

    def _log_variance(self, task: str) -> Tensor:
        assert self.log_variances is not None
        return self.log_variances[list(self.weights).index(task)]
