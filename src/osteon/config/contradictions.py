"""What cannot be asked for together: training options beside each other, and beside a task's head."""

from collections import defaultdict
from collections.abc import Mapping

from osteon.config.heads import HeadSpec, OrdinalSpec
from osteon.config.schema import Config, Optimizer
from osteon.config.tasks import Task
from osteon.config.training import BLENDED, Measure, Training
from osteon.errors import OsteonError, nearest


def check_training(config: Config) -> None:
    """Refuse training options that contradict each other, or that a task's head cannot take.

    Raises:
        OsteonError: names the keys, what was found, and what to change.
    """
    training, tasks = config.training, config.tasks
    _check_names(training, tasks)
    for name, task in tasks.items():
        _check_focal(training, name, task)
        _check_head(training, name, task)
    _check_both(training, tasks)
    _check_joint(config)
    _check_covariates(config)
    _check_depth(training, config.optimizer, config.trainer.max_epochs)
    if config.scheduler.warmup_epochs > config.trainer.max_epochs:
        raise OsteonError(
            f"scheduler.warmup_epochs: found {config.scheduler.warmup_epochs:g} in a run of "
            f"{config.trainer.max_epochs} epochs, which would end before the learning rate is up. Lower it."
        )


def _check_names(training: Training, tasks: Mapping[str, Task]) -> None:
    for name in training.imbalance_of:
        if name not in tasks:
            raise OsteonError(f"training.imbalance_of: no task {name!r} in this run.{nearest(name, list(tasks))}")
    for name in tasks:
        told = training.imbalance_of.get(name, training.imbalance)
        if isinstance(told, list) and "none" in told and len(told) > 1:
            raise OsteonError(f"training.imbalance: found {told} for task {name}; 'none' stands alone. Drop it.")
    if len(set(training.tta)) < len(training.tta):
        raise OsteonError(f"training.tta: found {training.tta}; name each kind of view once.")


def _check_head(training: Training, name: str, task: Task) -> None:
    """Refuse what is not defined for a task's head."""
    for measure in training.measures(name):
        if fault := _unfit(measure, task.head):
            raise OsteonError(
                f"training.imbalance: found {measure!r}, but the {task.head.kind} head of task {name} {fault}. Say "
                f"training.imbalance_of.{name}=none."
            )
    asked = {"mixup": training.mixup > 0, "cutmix": training.cutmix > 0, "tta": bool(training.tta)}
    key = next((key for key, wanted in asked.items() if wanted), None)
    if key and task.head.kind not in BLENDED:
        raise OsteonError(
            f"training.{key}: found {getattr(training, key)!r}, but the {task.head.kind} head of task {name} does not "
            f"give one answer an image. Expected heads of kind {' or '.join(sorted(BLENDED))}; leave it at its default."
        )


def _unfit(measure: Measure, head: HeadSpec) -> str:
    """Say why a measure against imbalance cannot be taken for a head; empty where it can."""
    if head.kind in ("binary", "multiclass"):
        return ""
    if head.kind == "multilabel":
        return "has several labels a row, which cannot all be drawn evenly" if measure == "sampler" else ""
    if not isinstance(head, OrdinalSpec):
        return "does not tell classes apart"
    if measure == "focal" and head.loss != "softmax":
        return f"has loss={head.loss}, for which nobody has defined a focal form"
    if measure == "pos_weight" and head.loss == "cumulative":
        return "has loss=cumulative: a row has a part in every threshold and no one class to be weighed by"
    return ""


def _check_focal(training: Training, name: str, task: Task) -> None:
    """Refuse a focal loss of smoothed targets, or one that weighs classes twice: nobody has defined them."""
    measures, smoothing = training.measures(name), getattr(task.head, "label_smoothing", 0.0)
    if "focal" not in measures:
        return
    if smoothing:
        raise OsteonError(
            f"tasks.{name}.head.label_smoothing: found {smoothing} beside a focal loss, which is defined for hard "
            f"targets. Set tasks.{name}.head.label_smoothing=0.0, or training.imbalance=none."
        )
    of_two = task.head.kind in ("binary", "multilabel")
    if training.focal_alpha is not None and (not of_two or "pos_weight" in measures):
        raise OsteonError(
            f"training.focal_alpha: found {training.focal_alpha}; it weighs the positive class of two, once. "
            f"Task {name} has a {task.head.kind} head and {' + '.join(measures)}. Set training.focal_alpha=null."
        )


def _check_both(training: Training, tasks: Mapping[str, Task]) -> None:
    """Refuse a second measure on the same rows: drawing a class more often and weighing it more counts it twice."""
    if training.allow_both:
        return
    drawn = {one for name, task in tasks.items() if "sampler" in training.measures(name) for one in task.dataset_names}
    found: dict[str, set[str]] = defaultdict(set)
    for name, task in tasks.items():
        found[name] |= set(training.measures(name)) | ({"sampler"} if drawn & {*task.dataset_names} else set())
        if len(found[name]) > 1 and training.measures(name):
            raise OsteonError(
                f"training.imbalance: {' and '.join(sorted(found[name]))} both act on the rows of task {name}, so rare "
                "classes count twice. Choose one, or say training.allow_both=true."
            )


def _check_joint(config: Config) -> None:
    """Refuse settings of joint training that name no task, or that would do nothing."""
    training, data, tasks = config.training, config.data, list(config.tasks)
    if training.choose_by not in ("mean", *tasks):
        raise OsteonError(
            f"training.choose_by: no task {training.choose_by!r} in this run.{nearest(training.choose_by, tasks)} "
            f"Expected mean or one of: {', '.join(tasks)}."
        )
    asked = {
        "training.loss_weights": training.loss_weights != "fixed" and training.loss_weights,
        "data.sampling": data.sampling != "proportional" and data.sampling,
        "data.batching": data.batching != "mixed" and data.batching,
    }
    for key, found in asked.items():
        if found and len(tasks) == 1:
            raise OsteonError(f"{key}: found {found}, which is between tasks, and this run has one. Leave it out.")


def _check_covariates(config: Config) -> None:
    """Refuse what would change an input without a word: mirrored sides, and covariates of blended images."""
    if "laterality" in config.joined and config.augment.horizontal_flip > 0:
        raise OsteonError(
            "covariates: laterality is an input, and augment.horizontal_flip mirrors images. Set it to 0."
        )
    if "laterality" in config.joined and "flip" in config.training.tta:
        raise OsteonError("covariates: laterality is an input, and training.tta flips images. Drop flip.")
    if config.joined and (config.training.mixup > 0 or config.training.cutmix > 0):
        raise OsteonError(
            f"training: mixup and cutmix blend images of two patients, whose covariates ({', '.join(config.joined)}) "
            "cannot be blended. Use covariates=[], or mixup=0 and cutmix=0."
        )


def _check_depth(training: Training, optimizer: Optimizer, epochs: int) -> None:
    if training.unfreeze == "head" and optimizer.layer_decay is not None:
        raise OsteonError(
            f"optimizer.layer_decay: found {optimizer.layer_decay}, but with training.unfreeze=head no layer of the "
            "backbone learns. Set optimizer.layer_decay=null, or training.unfreeze=all."
        )
    if training.unfreeze == "gradual" and training.unfreeze_epochs >= epochs:
        raise OsteonError(
            f"training.unfreeze_epochs: the first layers would be freed after {training.unfreeze_epochs} epochs, but "
            f"the run has {epochs}. Lower it, or set training.unfreeze=head."
        )
