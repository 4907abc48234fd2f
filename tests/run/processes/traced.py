"""train.py that notes weights, gradients and counts of every step; or takes the weights of such notes, step by step.

`python -m torch.distributed.run ... -m tests.run.processes.traced <notes> train.py <overrides>`.
"""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from osteon.module import OsteonModule


def trace(patch: pytest.MonkeyPatch, notes: Path, weights: Path | None = None) -> None:
    """Let every process note each of its steps in `notes`, and begin it at the weights that `weights` holds."""
    notes.mkdir(parents=True, exist_ok=True)
    begin, count = OsteonModule.on_train_batch_start, OsteonModule._counts
    told: dict[str, float] = {}

    def begin_at(self: OsteonModule, batch: Any, batch_idx: int) -> None:
        begin(self, batch, batch_idx)
        if weights is not None:
            self.load_state_dict(torch.load(weights / f"{self.global_step}.0.pt")["weights"])

    def counted(self: OsteonModule, blends: Iterable[Any]) -> dict[str, Tensor]:
        found = count(self, blends)
        told.update({task: float(value) for task, value in found.items()})
        return found

    def note(self: OsteonModule, optimizer: Any) -> None:
        gradients = {name: one.grad for name, one in self.named_parameters() if one.grad is not None}
        content = {"weights": self.state_dict(), "gradients": gradients, "counts": dict(told)}
        torch.save(content, notes / f"{self.global_step}.{self.global_rank}.pt")

    patch.setattr(OsteonModule, "on_train_batch_start", begin_at)
    patch.setattr(OsteonModule, "_counts", counted)
    patch.setattr(OsteonModule, "on_before_optimizer_step", note)


if __name__ == "__main__":
    from osteon.train import main

    trace(pytest.MonkeyPatch(), Path(sys.argv[1]))
    del sys.argv[1:3]
    main()
