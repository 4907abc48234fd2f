"""Where curves go: `metrics.csv` always; Weights & Biases, TensorBoard and MLflow if asked."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from pytorch_lightning.callbacks import Callback
from pytorch_lightning.loggers import CSVLogger, Logger, WandbLogger
from pytorch_lightning.utilities import rank_zero_only

from osteon.config import Config
from osteon.launched import Pruned
from osteon.run.trackers import close_trackers, open_trackers
from osteon.run.tracking.curves import Curves
from osteon.run.tracking.opening import kept_below, open_run


@contextmanager
def open_loggers(
    config: Config,
    folder: Path,
    source: str = "phantom",
    redact: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict,
    resumed_from: str | None = None,
) -> Iterator[list[Logger]]:
    """Yield the loggers of a run, and end its W&B run whatever happens: two runs of one process are two there as well.

    Args:
        config: settings of the run.
        folder: the run folder; nothing is written elsewhere.
        source: `real` or `phantom`.
        redact: takes the config as plain containers, and returns it without private places.
        resumed_from: id of the W&B run that this one goes on from (`tracking.last_run`).

    Raises:
        OsteonError: W&B is to be online, and no key is found or it cannot be reached; the file of a local tracker
            cannot be used.
    """
    loggers: list[Logger] = [CSVLogger(folder, name="", version="")]
    if getattr(rank_zero_only, "rank", 0) != 0:
        yield loggers
        return
    loggers += open_trackers(config, folder, source, redact, config.resume is not None)
    with ExitStack() as staged:
        if config.logger.wandb is not None:
            staged.enter_context(kept_below(folder))
            loggers.append(open_run(config, folder, source, redact, resumed_from))
        failed = True
        try:
            yield loggers
            failed = False
        except Pruned:
            failed = False
            raise
        finally:
            _close(loggers, failed)


def _close(loggers: list[Logger], failed: bool) -> None:
    close_trackers(loggers, failed)
    for logger in loggers:
        if isinstance(logger, WandbLogger):
            logger.experiment.finish(exit_code=int(failed))


def curves(config: Config, loggers: list[Logger]) -> list[Callback]:
    """Return the callbacks that log to W&B what Lightning does not; none without W&B."""
    clipped = config.trainer.gradient_clip is not None
    return [Curves(logger, clipped) for logger in loggers if isinstance(logger, WandbLogger)]
