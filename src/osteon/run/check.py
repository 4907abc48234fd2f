"""What the schema cannot judge and torch is not needed for: names of backbones and scores."""

from osteon.config import Config
from osteon.config.monitors import check_monitor
from osteon.config.names import RIDGE, check_backbone_name
from osteon.errors import OsteonError


def check_names(config: Config) -> None:
    """Check names against the lists they come from; timm itself is asked only for what the packaged list lacks.

    Raises:
        OsteonError: an unknown backbone, or a monitor that the task's head does not have.
    """
    for name, task in config.tasks.items():
        check_monitor(f"tasks.{name}.monitor", task.monitor, task.head.kind)
    check_backbone_name(config.backbone.name)
    if config.backbone.name == RIDGE:
        _check_floor(config)


def _check_floor(config: Config) -> None:
    """Refuse what ridge regression cannot do, and settings of networks that would do nothing."""
    if config.backbone.pretrained or config.backbone.pretrained_path or config.backbone.options:
        raise OsteonError(
            "backbone=ridge: is no network, so it has no pretrained weights and no options. Leave them out."
        )
