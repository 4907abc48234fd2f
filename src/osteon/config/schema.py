"""The schema of a composed config: every key a run may have, its type and its range."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PositiveInt, field_validator, model_validator

from osteon.config.heads import HeadSpec
from osteon.config.specs import DatasetSpec, Fraction, Strict
from osteon.config.training import Training

Scalar = str | bool | int | float
Size = PositiveInt | Annotated[list[PositiveInt], Field(min_length=2, max_length=2)]
NonNegativeFloat = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
PositiveFloat = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]


# How a threshold is found on val: of one answer an image or exam, and of boxes (`fp_<x>`: x false ones an image).
BOX_RULES = r"^(max_f1|fp_\d*\.?\d+)$"
RULES = rf"^(youden|max_kappa|(sens|spec)_0?\.\d+)$|{BOX_RULES}"


WholeUnit = Literal["image", "study"]


class Whole(Strict):
    """One answer of all boxes of an image, or of an exam: the highest score of a box; true where any box is.

    Attributes:
        classes: kinds of boxes that count; empty: all.
        target: a binary target of the dataset that says whether an image is positive, in place of its true boxes;
            null: it is where it has one. An exam is where any image of it is.
        units: what is scored.
    """

    classes: list[str] = Field(default_factory=list)
    target: str | None = None
    units: Annotated[list[WholeUnit], Field(min_length=1)] = Field(default_factory=lambda: list[WholeUnit](["image"]))


class Task(Strict):
    """One clinical question: dataset + target + head + unit of evaluation.

    Attributes:
        target: the dataset's column; for the multilabel head a list of binary ones, its labels.
        unit: what is scored; `study` is (patient, exam), `joint` is (patient, exam, laterality).
        pool: how the probabilities of a unit's images become the unit's.
        truth: how the targets of a unit's images become the unit's; `same` refuses a conflict.
        monitor: the validation score that chooses the checkpoint.
        protocol_threshold: the published protocol's operating point; positive is strictly above it.
        threshold_rule: rule of the second operating point, fitted on val and frozen.
        groups: manifest columns by whose values the scores are reported too.
        where: manifest column -> value(s); other rows are left out.
        covariates: manifest columns that join the image as input; the run's own `covariates` stands above it.
        cut: ordinal head: the grade (counted from 0) from which on a unit counts as positive in `auroc_at_cut`; null:
            no such score.
        hit: detection head: when a box counts as found outside the average precision: `iou_<x>`, or `centre` (the
            centre of the predicted box lies in the true one).
        whole: detection head: which boxes make an image, or an exam, positive; null: no such score.
    """

    meaning: str
    dataset: DatasetSpec
    target: str | list[str]
    head: HeadSpec
    unit: Literal["image", "study", "joint", "patient"] = "image"
    pool: Literal["mean", "max", "noisy_or", "vote"] = "mean"
    truth: Literal["same", "any", "max"] = "same"
    monitor: str = "auroc"
    protocol_threshold: Fraction = 0.5
    threshold_rule: Annotated[str, Field(pattern=RULES)] = "youden"
    groups: list[str] = Field(default_factory=list)
    where: dict[str, Scalar | list[Scalar]] = Field(default_factory=dict)
    loss_weight: PositiveFloat = 1.0
    covariates: list[str] = Field(default_factory=list)
    cut: Annotated[int, Field(ge=1)] | None = None
    hit: Annotated[str, Field(pattern=r"^(iou_0?\.\d+|centre)$")] = "iou_0.5"
    whole: Whole | None = None

    @property
    def targets(self) -> tuple[str, ...]:
        """The target columns: one, or the labels of a multilabel head."""
        return (self.target,) if isinstance(self.target, str) else tuple(self.target)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        """Hold target, pooling and cut against the head."""
        kind, several = self.head.kind, not isinstance(self.target, str)
        if several != (kind == "multilabel"):
            raise ValueError(f"target {self.target!r} does not fit a {kind} head; a list is what multilabel takes")
        if several and (not self.targets or len(set(self.targets)) < len(self.targets)):
            raise ValueError(f"target must list different columns, found {self.target}")
        if kind == "regression" and self.pool != "mean":
            raise ValueError(f"pool {self.pool!r} is of probabilities; numbers are pooled by mean")
        if self.cut is not None and kind != "ordinal":
            raise ValueError(f"cut {self.cut} lies between grades; a {kind} head has none")
        self._fits_boxes()
        return self

    def _fits_boxes(self) -> None:
        boxes, rule = self.head.kind == "detection", self.threshold_rule
        if boxes != bool(re.match(BOX_RULES, rule)):
            expected = "max_f1 or fp_<x>" if boxes else "youden, max_kappa, sens_<x> or spec_<x>"
            raise ValueError(f"threshold_rule {rule!r} is not of a {self.head.kind} head; expected {expected}")
        if not boxes and self.whole is not None:
            raise ValueError(f"whole makes one answer of an image's boxes; a {self.head.kind} head has none")
        if boxes and (self.unit != "image" or self.covariates):
            raise ValueError("boxes are scored image by image, from the image alone: unit=image, covariates=[]")


class Data(Strict):
    """Where images come from, how they are cached, split and batched. `root: null` means drawn phantoms.

    `key_file` holds the secret that ids and paths of private sets are hashed with. `split_file` is a split that others
    can reuse (`osteon data split`). With `canonical_laterality` images of the other side are mirrored; images whose
    side is unknown stay as they are.

    Attributes:
        batch_size: images a step, over all processes together; it must divide evenly among them.
        fold: which of `folds` is the test set; null with `folds` given: every fold is trained, one after the other.
        sampling: how often rows are drawn where several tasks are trained together: `proportional` to their numbers,
            `balanced` (every task alike), or between the two by `temperature` (rows ** (1 / temperature)).
        batching: `mixed`: a batch holds rows of all tasks; `per_task`: it is worked through in one part a task, each
            part alone in its batch norm, and the gradients are added up.
    """

    root: str | None
    roots: dict[str, str]
    cache_dir: str
    key_file: str
    image_size: Size | None
    batch_size: PositiveInt
    workers: Count
    max_rejected: Fraction
    split_seed: Count
    val_fraction: Annotated[float, Field(gt=0.0, lt=1.0)]
    test_fraction: Annotated[float, Field(gt=0.0, lt=1.0)]
    fold: Count | None
    folds: Annotated[int, Field(ge=2)] | None
    split_file: str | None = None
    canonical_laterality: Literal["L", "R"] | None = None
    sampling: Literal["proportional", "balanced", "temperature"] = "proportional"
    temperature: Annotated[float, Field(ge=1.0, le=100.0)] = 2.0
    batching: Literal["mixed", "per_task"] = "mixed"

    @field_validator("root", "cache_dir", "key_file", "split_file")
    @classmethod
    def _absolute(cls, typed: str | None) -> str | None:
        """Anchor a place where the run is started, so that it can be resumed from elsewhere."""
        return str(Path(typed).expanduser().absolute()) if typed else typed

    @field_validator("roots")
    @classmethod
    def _all_absolute(cls, typed: dict[str, str]) -> dict[str, str]:
        return {name: str(Path(place).expanduser().absolute()) if place else place for name, place in typed.items()}

    @model_validator(mode="after")
    def _folds(self) -> Self:
        if self.fold is not None and self.folds is None:
            raise ValueError("fold needs folds: data.fold=0 data.folds=5")
        if self.fold is not None and self.folds is not None and self.fold >= self.folds:
            raise ValueError(f"fold counts from 0 to {self.folds - 1}, found {self.fold}")
        if self.val_fraction + self.test_fraction >= 1.0:
            raise ValueError("val_fraction and test_fraction leave nothing to train on")
        return self


class Phantom(Strict):
    """The drawn dataset that stands in where no data root is given, and the faults put into it on purpose.

    Attributes:
        label_noise: share of labels that are wrong.
        missing: share of labels that are blank.
        shortcut: how well a lead tag on the film tells the label (-1 to 1); null: no tag.
        hardware: share of studies with metal, drawn apart from the label; null: as the set has it.
        cast: the same of casts.
    """

    patients: Annotated[int, Field(ge=20)]
    size: Annotated[int, Field(ge=64, le=2048)]
    image_size: Size
    seed: Count
    label_noise: Fraction = 0.0
    missing: Fraction = 0.0
    shortcut: Annotated[float, Field(ge=-1.0, le=1.0)] | None = None
    hardware: Fraction | None = None
    cast: Fraction | None = None


class Backbone(Strict):
    """Any timm model. `pretrained: null` means true with real data and false with phantoms.

    Attributes:
        norm: `learned`, or `frozen`: batch norm keeps the statistics and weights that it came with, so that no row of
            a batch has a part in another's features.
    """

    name: str
    pretrained: bool | None
    pretrained_path: str | None
    options: dict[str, Any]
    norm: Literal["learned", "frozen"] = "learned"


class Augment(Strict):
    """Random changes of a training image: probabilities (0 to 1), degrees, and fractions of the image."""

    horizontal_flip: Fraction
    vertical_flip: Fraction
    rotate: Annotated[float, Field(ge=0.0, le=180.0)]
    translate: Fraction
    scale: Annotated[float, Field(ge=0.0, lt=1.0)]
    shear: Annotated[float, Field(ge=0.0, le=45.0)]
    brightness: Fraction
    contrast: Fraction
    gamma: Annotated[float, Field(ge=0.0, lt=1.0)]
    noise: Fraction
    blur: Fraction
    erase: Fraction


class Optimizer(Strict):
    """What updates the weights.

    `lr` is for `data.batch_size` images a step, whatever the number of processes; no rule rescales it.

    Attributes:
        layer_decay: factor of the learning rate from each layer to the one below it (Bao 2022); null: none.
        head_lr_factor: the heads' learning rate, as a multiple of `lr`.
    """

    kind: Literal["adamw", "adam", "sgd"]
    lr: PositiveFloat
    weight_decay: NonNegativeFloat
    betas: Annotated[list[Annotated[float, Field(ge=0.0, lt=1.0)]], Field(min_length=2, max_length=2)]
    momentum: Fraction
    layer_decay: Annotated[float, Field(gt=0.0, le=1.0)] | None = None
    head_lr_factor: PositiveFloat = 1.0


class Scheduler(Strict):
    """How the learning rate moves, in epochs."""

    kind: Literal["constant", "cosine", "step", "plateau"]
    warmup_epochs: NonNegativeFloat
    step_epochs: PositiveInt
    factor: Annotated[float, Field(gt=0.0, lt=1.0)]
    patience: Count


class Trainer(Strict):
    """Lengths, devices and arithmetic. `auto` uses bf16 and channels_last where the hardware has them.

    Attributes:
        devices: processes on each machine, one a GPU; `auto`: as many as it has GPUs, or as the cluster has started.
        nodes: machines; more than one only under SLURM or torchrun, which start the processes.
        accumulate: parts that a batch is worked through in, to fit memory; the batch stays `data.batch_size`, and apart
            from batch norm so do the gradients.
        epoch_length: batches an epoch, null for all images once. Epochs go on where the last one stopped, so that every
            image is seen once a pass; validation and checkpoints come once an epoch.
        limit_batches: batches an epoch of training and of validation, for a smoke test.
    """

    max_epochs: PositiveInt
    accelerator: Literal["auto", "cpu", "gpu", "mps"]
    devices: PositiveInt | Literal["auto"]
    precision: Literal["auto", "32-true", "bf16-mixed", "16-mixed"]
    channels_last: bool | None
    gradient_clip: PositiveFloat | None
    accumulate: PositiveInt
    epoch_length: PositiveInt | None
    deterministic: bool
    limit_batches: PositiveInt | None
    nodes: PositiveInt = 1

    @property
    def processes(self) -> int:
        """Processes in all; `devices` must be a number by now, see `osteon.run.processes.place`."""
        assert isinstance(self.devices, int)
        return self.devices * self.nodes

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        if self.epoch_length is not None and self.limit_batches is not None:
            raise ValueError("epoch_length and limit_batches both cut an epoch; give one of them")
        return self


class Wandb(Strict):
    """Weights & Biases. `auto` is online where a key is configured, offline otherwise; never a prompt.

    Attributes:
        name: of the run; null: the run folder's.
        group: runs that are shown as one; null: tasks and backbone, so that seeds and folds fall together.
        tags: beside tasks, backbone, datasets and `real` or `phantom`.
        table_rows: image predictions of val and test that a task's table shows at most, drawn by chance.
        images: most confident mistakes on test, and as many random test images, that are logged with their prediction;
            `auto` is 16 for phantoms and openly licensed sets, 0 for all others. Never for a gated set.
    """

    project: str
    entity: str | None
    name: str | None
    group: str | None
    tags: list[str]
    mode: Literal["auto", "online", "offline"]
    table_rows: Annotated[int, Field(ge=0, le=10_000)] = 1000
    images: Literal["auto"] | Annotated[int, Field(ge=0, le=200)] = "auto"


class TensorBoard(Strict):
    """Event files that `tensorboard --logdir` shows.

    Attributes:
        folder: where; null: `tensorboard` in the run folder.
    """

    folder: str | None


class MLflow(Strict):
    """A run in MLflow's local store; no server is needed.

    Attributes:
        file: the sqlite file of the store.
        experiment: null: tasks and backbone, so that seeds and folds fall together.
        name: of the run; null: the run folder's.
    """

    file: str
    experiment: str | None
    name: str | None

    @field_validator("file")
    @classmethod
    def _absolute(cls, typed: str) -> str:
        return str(Path(typed).expanduser().absolute())


class Logger(Strict):
    """Where curves go beside `metrics.csv`, which is always written."""

    wandb: Wandb | None = None
    tensorboard: TensorBoard | None = None
    mlflow: MLflow | None = None


class Callbacks(Strict):
    """What happens beside the training step.

    Attributes:
        early_stopping: epochs without a better monitor after which training ends.
        ema: decay of an exponential moving average of the weights, a step; validation, checkpoints and result are of
            the average (Polyak 1992).
    """

    progress_bar: bool
    early_stopping: PositiveInt | None
    ema: Annotated[float, Field(gt=0.0, lt=1.0)] | None


class Config(Strict):
    """A composed, validated run.

    Attributes:
        test: whether test is predicted and scored; false where runs are compared to choose one of them.
        init_from: an earlier run, whose backbone this one starts from, and whose heads where they answer alike.
    """

    seed: Annotated[int, Field(ge=0, lt=2**32)]
    tasks: Annotated[dict[str, Task], Field(min_length=1)]
    dataset: DatasetSpec | None = None
    data: Data
    phantom: Phantom
    backbone: Backbone
    augment: Augment
    optimizer: Optimizer
    scheduler: Scheduler
    training: Training = Field(default_factory=Training)
    trainer: Trainer
    logger: Logger
    callbacks: Callbacks
    bootstrap: Annotated[int, Field(ge=100)]
    test: bool = True
    resume: str | None = None
    covariates: list[str] | None = None
    init_from: str | None = None

    @field_validator("init_from")
    @classmethod
    def _absolute(cls, typed: str | None) -> str | None:
        return str(Path(typed).expanduser().absolute()) if typed else typed

    @property
    def joined(self) -> list[str]:
        """Return the columns that join the image: the run's own list, else what its tasks ask for."""
        asked = [name for task in self.tasks.values() for name in task.covariates]
        return list(dict.fromkeys(asked if self.covariates is None else self.covariates))
