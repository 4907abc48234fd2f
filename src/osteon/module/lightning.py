"""The one LightningModule; not a line of it knows a task."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch
import torch.distributed as dist
from pytorch_lightning import LightningModule
from torch import Tensor

from osteon.config import Optimizer, Scheduler
from osteon.data import Batch, sample_seed
from osteon.errors import OsteonError
from osteon.model import Model
from osteon.module.optim import build_optimizer, rate_factor
from osteon.module.table import PredictionTable

MONITOR = "val/monitor"
Collected = tuple[np.ndarray, dict[str, dict[str, np.ndarray]]]


class OsteonModule(LightningModule):
    """Trains a model on sums and counts, and turns what it says into tables of predictions.

    Args:
        model: backbone and heads.
        weights: task -> weight of its loss.
        optimizer: what updates the weights.
        scheduler: how the learning rate moves.
        seed: of the run; torch is reseeded before every training batch, so that a resumed run draws the same.
        table: joins outputs with ids.
        score: a table of predictions -> name -> value, logged after every validation; must hold `val/monitor`,
            which is better when higher.
    """

    def __init__(
        self,
        model: Model,
        weights: Mapping[str, float],
        optimizer: Optimizer,
        scheduler: Scheduler,
        seed: int,
        table: PredictionTable,
        score: Callable[[pd.DataFrame], dict[str, float]],
    ) -> None:
        super().__init__()
        self.model = model
        self.loss_weights = dict(weights)
        self.optimizer_spec, self.scheduler_spec = optimizer, scheduler
        self.seed, self.table, self.score = seed, table, score
        self.collected: list[Collected] = []
        self.predicted: pd.DataFrame | None = None

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Reseed torch from (seed, step, rank): dropout then depends on nothing that an interruption could change."""
        torch.manual_seed(sample_seed(self.seed, self.global_step, self.global_rank))

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the weighted sum over tasks of loss per labelled row, the rows of all ranks counted."""
        losses = self.model.losses(batch.images, batch.targets, batch.present)
        total = torch.zeros((), device=self.device)
        for task, part in losses.items():
            mean = part.total * self.trainer.world_size / self._everywhere(part.count).clamp(min=1)
            total = total + self.loss_weights[task] * mean
            if len(losses) > 1:
                self.log(f"train/{task}/loss", mean.detach(), on_step=False, on_epoch=True, batch_size=len(batch))
        self.log("train/loss", total.detach(), on_step=False, on_epoch=True, prog_bar=True, batch_size=len(batch))
        return total

    def on_train_epoch_end(self) -> None:
        """Stop a run whose loss is no longer a number.

        Raises:
            OsteonError: the loss of the epoch is not finite.
        """
        loss = self.trainer.callback_metrics.get("train/loss")
        if loss is not None and not torch.isfinite(loss):
            raise OsteonError(
                f"training diverged: the loss of epoch {self.current_epoch} is {loss.item()}. Lower optimizer.lr "
                f"(now {self.optimizer_spec.lr:g}), or try trainer.precision=32-true."
            )

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Keep what the heads say of the batch."""
        self._collect(batch)

    def on_validation_epoch_end(self) -> None:
        """Score the table of all ranks and log it."""
        scores = self.score(self._gather())
        for name, value in scores.items():
            self.log(name, value, prog_bar=name == MONITOR, rank_zero_only=False)

    def predict_step(self, batch: Batch, batch_idx: int, dataloader_idx: int = 0) -> None:
        """Keep what the heads say of the batch."""
        self._collect(batch)

    def on_predict_epoch_end(self) -> None:
        """Make the table of all ranks; read it from `predicted`."""
        self.predicted = self._gather()

    def configure_optimizers(self) -> Any:
        """Return the optimiser with its schedule by step, and by epoch on the monitor for `plateau`."""
        optimizer = build_optimizer(self.model, self.optimizer_spec)
        spec = self.scheduler_spec
        if spec.kind == "plateau" and spec.warmup_epochs == 0:
            plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
                optimizer, mode="max", factor=spec.factor, patience=spec.patience
            )
            return {"optimizer": optimizer, "lr_scheduler": {"scheduler": plateau, "monitor": MONITOR}}
        epochs = self.trainer.max_epochs or 1
        steps = max(1, int(self.trainer.estimated_stepping_batches) // epochs)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate_factor(spec, steps, epochs))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def _collect(self, batch: Batch) -> None:
        decoded = self.model.decode(self.model(batch.images))
        self.collected.append((batch.rows.cpu().numpy(), decoded))

    def _gather(self) -> pd.DataFrame:
        """Join the batches of this rank, then of all ranks; unequal lengths are fine."""
        parts, self.collected = self.collected, []
        if self.trainer.world_size > 1:
            everyone: list[list[Collected]] = [[] for _ in range(self.trainer.world_size)]
            dist.all_gather_object(everyone, parts)
            parts = [part for rank in everyone for part in rank]
        rows = np.concatenate([rows for rows, _ in parts])
        decoded = {
            task: {name: np.concatenate([part[task][name] for _, part in parts]) for name in columns}
            for task, columns in parts[0][1].items()
        }
        return self.table.build(rows, decoded)

    def _everywhere(self, count: Tensor) -> Tensor:
        if self.trainer.world_size == 1:
            return count
        total = count.clone()
        dist.all_reduce(total)
        return total
