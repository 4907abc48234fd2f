"""Where curves go: `metrics.csv` always, Weights & Biases if asked."""

import os
from pathlib import Path

from pytorch_lightning.loggers import CSVLogger, Logger

from osteon.config import Config, Wandb
from osteon.errors import OsteonError


def build_loggers(config: Config, folder: Path) -> list[Logger]:
    """Return the loggers of a run; W&B is offline unless a key is configured, and never asks.

    Raises:
        OsteonError: W&B is to be online and no key is found.
    """
    loggers: list[Logger] = [CSVLogger(folder, name="", version="")]
    if config.logger.wandb:
        loggers.append(_wandb(config.logger.wandb, config, folder))
    return loggers


def _wandb(settings: Wandb, config: Config, folder: Path) -> Logger:
    from pytorch_lightning.loggers import WandbLogger

    online = settings.mode == "online" or (settings.mode == "auto" and _wandb_key())
    if settings.mode == "online" and not _wandb_key():
        raise OsteonError("logger.wandb.mode=online: no key found. Set WANDB_API_KEY or use logger.wandb.mode=offline.")
    logger = WandbLogger(
        project=settings.project,
        entity=settings.entity,
        name=settings.name or folder.name,
        group=settings.group,
        tags=settings.tags,
        save_dir=folder,
        offline=not online,
        settings={"silent": True, "console": "off"},
    )
    logger.log_hyperparams(config.model_dump(mode="json"))
    return logger


def _wandb_key() -> bool:
    """Tell whether a key is configured; asking wandb itself could open a prompt."""
    if os.environ.get("WANDB_API_KEY"):
        return True
    netrc = Path(os.environ.get("NETRC", "~/.netrc")).expanduser()
    return netrc.is_file() and "api.wandb.ai" in netrc.read_text(encoding="utf-8", errors="ignore")
