"""Where curves go: `metrics.csv` always, Weights & Biases if asked."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pytorch_lightning.callbacks import Callback
from pytorch_lightning.loggers import CSVLogger, Logger, WandbLogger
from pytorch_lightning.utilities import rank_zero_only

from osteon.config import Config
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
        OsteonError: W&B is to be online, and no key is found or it cannot be reached.
    """
    loggers: list[Logger] = [CSVLogger(folder, name="", version="")]
    if config.logger.wandb is None or getattr(rank_zero_only, "rank", 0) != 0:
        yield loggers
        return
    with kept_below(folder):
        logger = open_run(config, folder, source, redact, resumed_from)
        failed = True
        try:
            yield [*loggers, logger]
            failed = False
        finally:
            logger.experiment.finish(exit_code=int(failed))


def curves(config: Config, loggers: list[Logger]) -> list[Callback]:
    """Return the callbacks that log to W&B what Lightning does not; none without W&B."""
    clipped = config.trainer.gradient_clip is not None
    return [Curves(logger, clipped) for logger in loggers if isinstance(logger, WandbLogger)]
