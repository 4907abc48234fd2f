"""The one LightningModule; not a line of it knows a task."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch
from pytorch_lightning import LightningModule
from torch import Tensor
from torch.optim.lr_scheduler import ReduceLROnPlateau

from osteon.config.monitors import MONITOR
from osteon.data import Batch, epoch_of, sample_seed
from osteon.errors import OsteonError
from osteon.model import Model
from osteon.module.freezing import Freezing
from osteon.module.gathering import Collected, emptied, everywhere, gathered
from osteon.module.mixing import Blend, mix
from osteon.module.norms import freeze_norms, hold_norms
from osteon.module.optim import build_optimizer, build_schedules
from osteon.module.recipe import Recipe
from osteon.module.table import PredictionTable
from osteon.module.tta import averaged, views
from osteon.module.weighing import LossWeights


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
        if recipe.hold_norms:
            freeze_norms(model)
        self.weighing = LossWeights(recipe.weights, recipe.training.loss_weights == "uncertainty", recipe.squared)
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
        if self.recipe.hold_norms:
            hold_norms(self.model)

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Reseed torch from (seed, step, rank): dropout then depends on nothing that an interruption could change."""
        torch.manual_seed(sample_seed(self.recipe.seed, self.global_step, self.global_rank))

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the loss of the batch's last part, after the gradients of the others.

        Every part's sum is divided by the count of the whole batch on all ranks, so that the gradients add up to those
        of the batch in one piece, whatever labels each part carries; Lightning's own accumulation averages means.
        """
        self.optimizers(use_pl_optimizer=False).zero_grad()  # type: ignore[union-attr]
        work = self._work(batch)
        counts, images = everywhere(self._counts(blend for blend, _ in work), len(batch), self.trainer.world_size)
        whole = dict.fromkeys(counts, torch.zeros((), device=self.device))
        *before, last = [part for blend, told in work for part in self._parts(blend, told)]
        for part in before:
            loss = self._loss(*part, counts, whole)
            with torch.autocast(self.device.type, enabled=False):
                self.trainer.strategy.backward(loss, None)
        loss = self._loss(*last, counts, whole)
        rest = self.weighing.rest(counts)
        self._log_losses(whole, rest, images)
        for name, count in emptied(batch).items():
            count = count.to(self.device)
            self.log(f"train/{name}", count, on_step=False, on_epoch=True, reduce_fx="sum", sync_dist=True)
        return loss if rest is None else loss + rest

    def _work(self, batch: Batch) -> list[tuple[Blend, Tensor | None]]:
        """Return the batch's pieces, blended, with their covariates: one piece, or one a task (`data.batching`)."""
        mixup, cutmix = self.recipe.training.mixup, self.recipe.training.cutmix
        return [(mix(piece, mixup, cutmix), self._covariates(piece)) for piece in batch.pieces()]

    def _parts(self, blend: Blend, told: Tensor | None) -> list[tuple[Blend, Tensor | None]]:
        """Return a blend in the parts that are worked through one by one, with their covariates."""
        parts, place = list[tuple[Blend, Tensor | None]](), 0
        for part in blend.parts(self.recipe.accumulate):
            parts.append((part, None if told is None else told[place : place + len(part.images)]))
            place += len(part.images)
        return parts

    def _counts(self, blends: Iterable[Blend]) -> dict[str, Tensor]:
        found = [self.model.counts(blend.labels) for blend in blends]
        return {task: torch.stack([counts[task] for counts in found]).sum() for task in found[0]}

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
            total = total + self.weighing.of(task, mean)
            whole[task] = whole[task] + mean.detach()
        return total

    def _log_losses(self, losses: Mapping[str, Tensor], rest: Tensor | None, images: int) -> None:
        """Log the epoch's means over the batches of all processes, each as much as it has images."""
        how: dict[str, Any] = {"on_step": False, "on_epoch": True, "batch_size": images, "sync_dist": True}
        total = torch.stack([self.weighing.of(task, loss).detach() for task, loss in losses.items()]).sum()
        self.log("train/loss", total if rest is None else total + rest.detach(), prog_bar=True, **how)
        if len(losses) > 1:
            for task, loss in losses.items():
                self.log(f"train/{task}/loss", loss, **how)

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
        for task, value in self.weighing.learned().items():
            self.log(f"train/{task}/log_variance", value)

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
        optimizer = build_optimizer(self.model, self.recipe.optimizer, self.weighing.parameters())
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
        parts, self.collected = self.collected, []
        return self.table.build(*gathered(parts, self.trainer.world_size))
