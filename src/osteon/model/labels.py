"""What is known of a batch: the labels of every task, and how sums over parts of it become one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from osteon.heads import LossSum


@dataclass(frozen=True)
class Labels:
    """What is known of a batch of B images, or of one part of blended ones.

    Attributes:
        targets: task -> (B,) targets, multilabel (B, labels); read only where present. A task may be missing.
        present: task -> bool of that shape; whether the row carries the task's label.
        share: of every image that these labels stand for, 0 to 1.
    """

    targets: Mapping[str, Tensor]
    present: Mapping[str, Tensor]
    share: float = 1.0

    def rows(self, start: int, stop: int) -> "Labels":
        """Return the labels of rows `start` to `stop` - 1."""
        targets = {task: values[start:stop] for task, values in self.targets.items()}
        return Labels(targets, {task: values[start:stop] for task, values in self.present.items()}, self.share)


def summed(parts: Sequence[LossSum]) -> LossSum:
    """Return the loss sum and count of all parts together."""
    total, count = parts[0].total, parts[0].count
    for part in parts[1:]:
        total, count = total + part.total, count + part.count
    return LossSum(total, count)
