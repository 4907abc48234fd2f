"""The schema of a composed config and its errors."""

from osteon.config.check import check_config, check_launch, checked
from osteon.config.contradictions import check_training
from osteon.config.data import Data, Phantom
from osteon.config.heads import BinarySpec, HeadSpec, MulticlassSpec, MultilabelSpec, OrdinalSpec, RegressionSpec
from osteon.config.launching import Ablation, Launch, Launching, Search
from osteon.config.loggers import Logger, MLflow, TensorBoard, Wandb
from osteon.config.schema import Augment, Backbone, Callbacks, Config, Optimizer, Scheduler, Trainer
from osteon.config.specs import BoxFilesSpec, DatasetSpec, FracAtlasSpec, GrazPedWriSpec, MuraSpec, TableSpec
from osteon.config.strict import Strict
from osteon.config.targets import TargetSpec
from osteon.config.tasks import Task
from osteon.config.training import Training

__all__ = [
    "Ablation",
    "Augment",
    "Backbone",
    "BinarySpec",
    "BoxFilesSpec",
    "Callbacks",
    "Config",
    "Data",
    "DatasetSpec",
    "FracAtlasSpec",
    "GrazPedWriSpec",
    "HeadSpec",
    "Launch",
    "Launching",
    "Logger",
    "MLflow",
    "MulticlassSpec",
    "MultilabelSpec",
    "MuraSpec",
    "Optimizer",
    "OrdinalSpec",
    "Phantom",
    "RegressionSpec",
    "Scheduler",
    "Search",
    "Strict",
    "TableSpec",
    "TargetSpec",
    "Task",
    "TensorBoard",
    "Trainer",
    "Training",
    "Wandb",
    "check_config",
    "check_launch",
    "check_training",
    "checked",
]
