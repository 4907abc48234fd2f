"""The one LightningModule; not a line of it knows a task."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
import torch.distributed as dist
from pytorch_lightning import LightningModule
from torch import Tensor
from torch.optim.lr_scheduler import ReduceLROnPlateau

from osteon.config import Optimizer, Scheduler, Training
from osteon.data import Batch, epoch_of, sample_seed
from osteon.errors import OsteonError
from osteon.model import Model
from osteon.module.freezing import Freezing
from osteon.module.mixing import Blend, mix
from osteon.module.optim import build_optimizer, build_schedules
from osteon.module.table import PredictionTable
from osteon.module.tta import averaged, views

MONITOR = "val/monitor"
Collected = tuple[np.ndarray, dict[str, dict[str, np.ndarray]]]


@dataclass(frozen=True)
class Recipe:
    """How a model is trained.

    Attributes:
        weights: task -> weight of its loss.
        optimizer: what updates the weights.
        scheduler: how the learning rate moves.
        training: mixing, freezing, views at prediction.
        accumulate: parts that a batch is worked through in.
        steps_an_epoch: batches of an epoch on each process.
        run: digest of settings and cohort; checkpoints of another run are refused.
        covariates: (N, K) float32 of the manifest's rows; None where the model has none.
        seed: of the run; torch is reseeded before every training batch, so that a resumed run draws the same.
    """

    weights: Mapping[str, float]
    optimizer: Optimizer
    scheduler: Scheduler
    training: Training
    accumulate: int
    steps_an_epoch: int
    run: str
    seed: int
    covariates: np.ndarray | None = None


class OsteonModule(LightningModule):
    """Trains a model on sums and counts, and turns what it says into tables of predictions.

    Args:
        model: backbone and heads.
        recipe: how it is trained.
        table: joins outputs with ids.
        score: a table of predictions -> name -> value, logged after every validation; must hold `val/monitor`,
            which is better when higher.
    """

    def __init__(
        self, model: Model, recipe: Recipe, table: PredictionTable, score: Callable[[pd.DataFrame], dict[str, float]]
    ) -> None:
        super().__init__()
        self.model, self.recipe, self.table, self.score = model, recipe, table, score
        self.covariates: Tensor | None
        self.freezing = Freezing(model, recipe.training.unfreeze, recipe.training.unfreeze_epochs)
        self.views = views(recipe.training.tta)
        known = recipe.covariates
        self.register_buffer("covariates", None if known is None else torch.from_numpy(known), persistent=False)
        self.plateau: ReduceLROnPlateau | None = None
        self.plateau_state: dict[str, Any] | None = None
        self.collected: list[Collected] = []
        self.predicted: pd.DataFrame | None = None

    def on_train_epoch_start(self) -> None:
        """Freeze and free layers by the number of the epoch."""
        self.freezing.apply(epoch_of(self.trainer, self.recipe.steps_an_epoch))

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Reseed torch from (seed, step, rank): dropout then depends on nothing that an interruption could change."""
        torch.manual_seed(sample_seed(self.recipe.seed, self.global_step, self.global_rank))

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the loss of the batch's last part, after the gradients of the others.

        Every part's sum is divided by the count of the whole batch on all ranks, so that the gradients add up to those
        of the batch in one piece, whatever labels each part carries; Lightning's own accumulation averages means.
        """
        self.optimizers(use_pl_optimizer=False).zero_grad()  # type: ignore[union-attr]
        blend = mix(batch, self.recipe.training.mixup, self.recipe.training.cutmix)
        counts = self._everywhere(self.model.counts(blend.labels))
        *before, last = blend.parts(self.recipe.accumulate)
        whole = dict.fromkeys(counts, torch.zeros((), device=self.device))
        told, place = self._covariates(batch), 0
        for part in before:
            beside = None if told is None else told[place : place + len(part.images)]
            place += len(part.images)
            loss = self._loss(part, beside, counts, whole)
            with torch.autocast(self.device.type, enabled=False):
                self.trainer.strategy.backward(loss, None)
        loss = self._loss(last, None if told is None else told[place:], counts, whole)
        self._log_losses(whole, len(batch))
        self._log_lost(batch)
        return loss

    def optimizer_zero_grad(self, epoch: int, batch_idx: int, optimizer: Any) -> None:
        """Do nothing: Lightning would throw the gradients of all parts but the last away; see `training_step`."""

    def _covariates(self, batch: Batch) -> Tensor | None:
        return None if self.covariates is None else self.covariates[batch.rows]

    def _loss(
        self, part: Blend, covariates: Tensor | None, counts: Mapping[str, Tensor], whole: dict[str, Tensor]
    ) -> Tensor:
        """Return the weighted sum over tasks of loss per labelled row of the batch, and add each task's to `whole`."""
        total = torch.zeros((), device=self.device)
        for task, found in self.model.blended_losses(part.images, part.labels, covariates).items():
            count = counts[task]  # of blended images a fraction, too
            mean = found.total * self.trainer.world_size / torch.where(count > 0, count, torch.ones_like(count))
            total = total + self.recipe.weights[task] * mean
            whole[task] = whole[task] + mean.detach()
        return total

    def _log_losses(self, losses: Mapping[str, Tensor], images: int) -> None:
        total = torch.stack([self.recipe.weights[task] * loss for task, loss in losses.items()]).sum()
        self.log("train/loss", total, on_step=False, on_epoch=True, prog_bar=True, batch_size=images)
        if len(losses) > 1:
            for task, loss in losses.items():
                self.log(f"train/{task}/loss", loss, on_step=False, on_epoch=True, batch_size=images)

    def _log_lost(self, batch: Batch) -> None:
        """Count boxes that augmentation took, and images that it left without any."""
        boxed = {name: values for name, values in batch.targets.items() if values.ndim == 3}
        if not boxed:
            return
        real = [(values[..., 4] >= 0) & batch.present[name][..., 4] for name, values in boxed.items()]
        left = torch.stack([rows.any(1) for rows in real]).any(0)
        emptied = (batch.lost > 0) & ~left.cpu()
        for name, count in (("boxes_lost", batch.lost.sum()), ("images_emptied", emptied.sum())):
            self.log(f"train/{name}", count.float(), on_step=False, on_epoch=True, reduce_fx="sum")

    def on_train_epoch_end(self) -> None:
        """Let the learning rate drop on a plateau, and stop a run whose loss is no longer a number.

        Raises:
            OsteonError: the loss of the epoch is not finite.
        """
        found = self.trainer.callback_metrics
        if "train/loss" in found and not torch.isfinite(found["train/loss"]):
            raise OsteonError(
                f"training diverged: the loss of epoch {self.current_epoch} is {found['train/loss'].item()}. Lower "
                f"optimizer.lr (now {self.recipe.optimizer.lr:g}), or try trainer.precision=32-true."
            )
        if self.plateau is not None and MONITOR in found:
            self.plateau.step(float(found[MONITOR]))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Say whose it is, and what the plateau has seen: Lightning would step it after this and lose a drop."""
        checkpoint["run"] = self.recipe.run
        if self.plateau is not None:
            checkpoint["plateau"] = self.plateau.state_dict()

    def check_own(self, checkpoint: Mapping[str, Any]) -> None:
        """Refuse a checkpoint that another run wrote.

        Raises:
            OsteonError: it has other settings, another cohort or another seed.
        """
        if checkpoint.get("run") != self.recipe.run:
            raise OsteonError(
                "checkpoints: best.ckpt or last.ckpt is of a run with other settings, images or seed. Restore this "
                "run's own files, or delete both and resume: it then starts from its first epoch."
            )

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the plateau's state until there is one.

        Raises:
            OsteonError: the checkpoint is of another run.
        """
        self.check_own(checkpoint)
        self.plateau_state = checkpoint.get("plateau")

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Keep what the heads say of the batch."""
        self._collect(batch)

    def on_validation_epoch_end(self) -> None:
        """Score the table of all ranks and log it."""
        scores = self.score(self._gather())
        for name, value in scores.items():
            self.log(name, value, prog_bar=name == MONITOR, rank_zero_only=False)

    def predict_step(self, batch: Batch, batch_idx: int, dataloader_idx: int = 0) -> None:
        """Keep what the heads say of the batch, the mean over the views where there are several."""
        self._keep(batch, averaged(self.model, batch.images, self.views, self._covariates(batch)))

    def on_predict_epoch_end(self) -> None:
        """Make the table of all ranks; read it from `predicted`."""
        self.predicted = self._gather()

    def configure_optimizers(self) -> Any:
        """Return the optimiser with its schedule by step; a plateau is stepped by `on_train_epoch_end`."""
        optimizer = build_optimizer(self.model, self.recipe.optimizer)
        epochs = self.trainer.max_epochs or 1
        schedules = build_schedules(optimizer, self.recipe.scheduler, self.recipe.steps_an_epoch, epochs, MONITOR)
        self.plateau = next((found["scheduler"] for found in schedules if "monitor" in found), None)
        if self.plateau is not None and self.plateau_state is not None:
            self.plateau.load_state_dict(self.plateau_state)
        return [optimizer], [found for found in schedules if "monitor" not in found]

    def _collect(self, batch: Batch) -> None:
        self._keep(batch, self.model.decode(self.model(batch.images, self._covariates(batch))))

    def _keep(self, batch: Batch, decoded: dict[str, dict[str, np.ndarray]]) -> None:
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

    def _everywhere(self, counts: dict[str, Tensor]) -> dict[str, Tensor]:
        """Add up the counts of all ranks, in one message."""
        if self.trainer.world_size == 1:
            return counts
        total = torch.stack(list(counts.values()))
        dist.all_reduce(total)
        return dict(zip(counts, total.unbind(), strict=True))
