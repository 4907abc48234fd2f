"""The schema of a composed config and its errors."""

from osteon.config.check import check_config
from osteon.config.schema import (
    Augment,
    Backbone,
    Callbacks,
    Config,
    Data,
    Logger,
    Optimizer,
    Phantom,
    Scheduler,
    Task,
    Trainer,
    Wandb,
)
from osteon.config.specs import (
    BinarySpec,
    DatasetSpec,
    FracAtlasSpec,
    HeadSpec,
    MulticlassSpec,
    MuraSpec,
    Strict,
    TableSpec,
    TargetSpec,
)
from osteon.config.training import Training, check_training

__all__ = [
    "Augment",
    "Backbone",
    "BinarySpec",
    "Callbacks",
    "Config",
    "Data",
    "DatasetSpec",
    "FracAtlasSpec",
    "HeadSpec",
    "Logger",
    "MulticlassSpec",
    "MuraSpec",
    "Optimizer",
    "Phantom",
    "Scheduler",
    "Strict",
    "TableSpec",
    "TargetSpec",
    "Task",
    "Trainer",
    "Training",
    "Wandb",
    "check_config",
    "check_training",
]
