"""Trackers on this machine, TensorBoard and MLflow in a sqlite file: Lightning's own loggers, each an extra."""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd
from filelock import FileLock
from pytorch_lightning.loggers import Logger, MLFlowLogger, TensorBoardLogger

from osteon.config import Config, MLflow
from osteon.errors import OsteonError
from osteon.files import write_text
from osteon.run.tracking.opening import group
from osteon.run.tracking.tables import summary

Redact = Callable[[Mapping[str, Any]], Mapping[str, Any]]
RUN_ID = "mlflow_run.txt"  # in the run folder, so that a resumed run goes on in the same MLflow run


def open_trackers(config: Config, folder: Path, source: str, redact: Redact, resumed: bool) -> list[Logger]:
    """Return the local trackers that are asked for, told the settings of the run without private places.

    Raises:
        OsteonError: MLflow's file cannot be used.
    """
    settings, found = config.logger, list[Logger]()
    said = dict(redact(config.model_dump(mode="json", exclude={"resume", "logger"}))) | {"source": source}
    if settings.tensorboard is not None:
        place = Path(settings.tensorboard.folder or folder / "tensorboard").expanduser().absolute()
        inside = folder.name if settings.tensorboard.folder else ""  # a folder for several runs keeps them apart
        found.append(TensorBoardLogger(place, name="", version=inside))
        found[-1].log_hyperparams(said)
    if settings.mlflow is not None:
        found.append(_mlflow(settings.mlflow, config, folder, source, resumed))
        if not resumed:
            found[-1].log_hyperparams(said)
    return found


def _mlflow(settings: MLflow, config: Config, folder: Path, source: str, resumed: bool) -> MLFlowLogger:
    import mlflow.store.db.utils  # noqa: F401  first, as it sets levels of its own

    for name in ("mlflow", "alembic"):  # that a store is made, and how
        logging.getLogger(name).setLevel(logging.WARNING)
    kept = folder / RUN_ID
    before = kept.read_text(encoding="utf-8").strip() if resumed and kept.is_file() else None
    # MLflow would note the user and the script's path.
    tags = {"mlflow.user": "", "mlflow.source.name": "osteon", "source": source, "tasks": "+".join(config.tasks)}
    try:
        Path(settings.file).parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{settings.file}.lock"):  # two jobs that start at once would both make its tables, and fail
            logger = MLFlowLogger(
                settings.experiment or group(config), settings.name or folder.name, f"sqlite:///{settings.file}", tags,
                artifact_location=str(Path(settings.file).with_suffix(".files")), run_id=before,
            )  # fmt: skip
            write_text(kept, f"{logger.run_id}\n")
    except OsteonError:
        raise
    except Exception as fault:  # MLflow's, SQLAlchemy's
        line = " ".join(str(fault).split())[:200]
        raise OsteonError(f"logger.mlflow.file: {settings.file} cannot be used ({line}). Name another.") from fault
    return logger


def log_summary(loggers: Sequence[Logger], scores: pd.DataFrame) -> None:
    """Log the overall scores of val and test to the local trackers."""
    # MLflow takes no "@" in a name.
    found = {name.replace("@", "."): value for name, value in summary(scores).items()}
    for logger in loggers:
        if isinstance(logger, TensorBoardLogger | MLFlowLogger):
            logger.log_metrics(found)


def close_trackers(loggers: Sequence[Logger], failed: bool) -> None:
    """End the local trackers' runs: Lightning says that they are finished when training is."""
    for logger in loggers:
        if isinstance(logger, TensorBoardLogger | MLFlowLogger):
            with suppress(OSError):
                logger.finalize("failed" if failed else "success")
