"""The validation scores of every epoch, to the launcher of a sweep; it may answer that this run is not worth more."""

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback

from osteon import launched


class Reporting(Callback):
    """Reports `val/...` after every validation; stops training where the launcher says so.

    Attributes:
        pruned: the epoch after which the run was stopped, None where it was not.
    """

    def __init__(self) -> None:
        self.pruned: int | None = None

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Report from the first process; all of them hear the answer."""
        found = {name: float(value) for name, value in trainer.callback_metrics.items() if name.startswith("val/")}
        stop = trainer.is_global_zero and launched.report(trainer.current_epoch, found)
        if trainer.world_size > 1:
            stop = bool(trainer.strategy.broadcast(stop))
        if stop and trainer.current_epoch + 1 < (trainer.max_epochs or 0):  # the last epoch has nothing left to save
            self.pruned = trainer.current_epoch
            trainer.should_stop = True


def check_going_on(trainer: pl.Trainer) -> None:
    """End a run that was told to stop, after its last checkpoint and before anything is predicted.

    Raises:
        Pruned: names the epoch.
    """
    for callback in trainer.callbacks:  # type: ignore[attr-defined]
        if isinstance(callback, Reporting) and callback.pruned is not None:
            raise launched.Pruned(f"pruned after epoch {callback.pruned}: other trials do better")
