"""What the schema cannot judge and torch is not needed for: names of backbones, metrics and rules."""

from osteon.config import Config
from osteon.config.names import check_backbone_name
from osteon.errors import OsteonError


def check_names(config: Config) -> None:
    """Check names against the lists they come from; timm itself is asked only for what the packaged list lacks.

    Raises:
        OsteonError: an unknown backbone, or a monitor or rule that the task's head does not have.
    """
    check_backbone_name(config.backbone.name)
    if config.trainer.devices > 1:
        raise OsteonError("trainer.devices: more than one process is not supported yet; use trainer.devices=1.")
    from osteon.scoring.metrics import metric
    from osteon.scoring.thresholds import check_rule

    for name, task in config.tasks.items():
        try:
            metric(task.monitor, task.head.kind)
            check_rule(task.threshold_rule)
        except OsteonError as fault:
            raise OsteonError(f"tasks.{name}: {fault}") from None
