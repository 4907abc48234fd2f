"""What the schema cannot judge and torch is not needed for: names of backbones and scores."""

from importlib.util import find_spec
from pathlib import Path

from osteon.config import Config
from osteon.config.monitors import check_monitor
from osteon.config.names import RIDGE, check_backbone_name
from osteon.errors import OsteonError


def check_names(config: Config) -> None:
    """Check names against the lists they come from; timm itself is asked only for what the packaged list lacks.

    Raises:
        OsteonError: an unknown backbone, or a monitor that the task's head does not have.
    """
    _check_trackers(config)
    _check_start(config)
    for name, task in config.tasks.items():
        check_monitor(f"tasks.{name}.monitor", task.monitor, task.head.kind)
    check_backbone_name(config.backbone.name)
    if config.backbone.name == RIDGE:
        _check_floor(config)


def _check_trackers(config: Config) -> None:
    """Refuse a tracker whose library is not installed."""
    for name, asked in (("tensorboard", config.logger.tensorboard), ("mlflow", config.logger.mlflow)):
        if asked is not None and find_spec(name) is None:
            raise OsteonError(f"logger={name}: is not installed. Run: pip install 'osteon[{name}]'")


def _check_start(config: Config) -> None:
    """Refuse two places to start from, and a run to start from that is not there."""
    if config.init_from is None:
        return
    if config.backbone.pretrained or config.backbone.pretrained_path:
        raise OsteonError(
            "init_from: the backbone starts from that run or from pretrained weights, not from both. Leave out "
            "backbone.pretrained and backbone.pretrained_path."
        )
    if not (Path(config.init_from) / "model.pt").is_file() and not config.init_from.endswith(".pt"):
        raise OsteonError(
            f"init_from: {config.init_from} holds no model.pt. Name the folder of a finished run: init_from=runs/<run>"
        )


def _check_floor(config: Config) -> None:
    """Refuse what ridge regression cannot do, and settings of networks that would do nothing."""
    for name, task in config.tasks.items():
        if task.head.kind == "detection":
            raise OsteonError(
                f"backbone=ridge: draws no boxes, which is what {name!r} asks for. It answers whole images: take a "
                "task of theirs on the same images as the floor, or another backbone."
            )
    if config.backbone.pretrained or config.backbone.pretrained_path or config.backbone.options:
        raise OsteonError(
            "backbone=ridge: is no network, so it has no pretrained weights and no options. Leave them out."
        )
    if config.trainer.devices not in (1, "auto") or config.init_from or config.backbone.norm == "frozen":
        raise OsteonError(
            "backbone=ridge: is no network; it is fitted in one process, from nothing. Leave out trainer.devices, "
            "init_from and backbone.norm."
        )
