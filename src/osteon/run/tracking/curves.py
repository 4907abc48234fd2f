"""Curves that Lightning does not log by itself: learning rate of every group, norm of the gradients."""

from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.loggers import Logger


class Curves(Callback):
    """Logs, once an epoch, the learning rates of its last step and the gradients' norm before clipping.

    Args:
        logger: what they are logged to; `metrics.csv` keeps the columns it has.
        norms: whether to measure gradients, which takes a pass over them a step; worth it where they are clipped.
    """

    def __init__(self, logger: Logger, norms: bool) -> None:
        self.logger, self.norms = logger, norms
        self.rates: dict[str, float] = {}
        self.seen: list[torch.Tensor] = []

    def on_before_optimizer_step(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: torch.optim.Optimizer
    ) -> None:
        """Note the rates of this step, before the schedule moves them, and the norm before it is clipped."""
        self.rates = rates(optimizer.param_groups)
        gradients = [value.grad for value in pl_module.parameters() if value.grad is not None] if self.norms else []
        if gradients:
            norms = torch._foreach_norm([gradient.detach().float() for gradient in gradients])
            self.seen.append(torch.linalg.vector_norm(torch.stack(list(norms))))

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Log the epoch."""
        found = {"epoch": float(trainer.current_epoch), **self.rates}
        if self.seen:
            norms = torch.stack(self.seen)
            found |= {"gradient/mean": float(norms.mean()), "gradient/max": float(norms.max())}
        self.seen = []
        self.logger.log_metrics(found, step=trainer.global_step)


def rates(groups: list[dict[str, Any]]) -> dict[str, float]:
    """Return `lr` where all groups share one, else `lr/<name or number>` of every group."""
    if len({group["lr"] for group in groups}) == 1:
        return {"lr": float(groups[0]["lr"])}
    return {f"lr/{group.get('name', number)}": float(group["lr"]) for number, group in enumerate(groups)}
