"""The schema of a composed config: every key a run may have, its type and its range."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, PositiveInt, model_validator

from osteon.config.specs import DatasetSpec, Fraction, HeadSpec, Strict

Scalar = str | bool | int | float
Size = PositiveInt | Annotated[list[PositiveInt], Field(min_length=2, max_length=2)]
NonNegativeFloat = Annotated[float, Field(ge=0.0)]
PositiveFloat = Annotated[float, Field(gt=0.0)]
Count = Annotated[int, Field(ge=0)]


class Task(Strict):
    """One clinical question: dataset + target + head + unit of evaluation.

    Attributes:
        unit: what is scored; `study` is (patient, exam), `joint` is (patient, exam, laterality).
        pool: how the probabilities of a unit's images become the unit's.
        truth: how the targets of a unit's images become the unit's; `same` refuses a conflict.
        monitor: the validation score that chooses the checkpoint.
        protocol_threshold: the published protocol's operating point; positive is strictly above it.
        threshold_rule: rule of the second operating point, fitted on val and frozen.
        groups: manifest columns by whose values the scores are reported too.
        where: manifest column -> value(s); other rows are left out.
    """

    meaning: str
    dataset: DatasetSpec
    target: str
    head: HeadSpec
    unit: Literal["image", "study", "joint", "patient"] = "image"
    pool: Literal["mean", "max", "noisy_or", "vote"] = "mean"
    truth: Literal["same", "any", "max"] = "same"
    monitor: str = "auroc"
    protocol_threshold: Fraction = 0.5
    threshold_rule: Annotated[str, Field(pattern=r"^(youden|max_kappa|sens_0?\.\d+)$")] = "youden"
    groups: list[str] = Field(default_factory=list)
    where: dict[str, Scalar | list[Scalar]] = Field(default_factory=dict)
    loss_weight: PositiveFloat = 1.0


class Data(Strict):
    """Where images come from, how they are cached, split and batched. `root: null` means drawn phantoms."""

    root: str | None
    roots: dict[str, str]
    cache_dir: str
    image_size: Size | None
    batch_size: PositiveInt
    workers: Count
    max_rejected: Fraction
    split_seed: Count
    val_fraction: Annotated[float, Field(gt=0.0, lt=1.0)]
    test_fraction: Annotated[float, Field(gt=0.0, lt=1.0)]
    fold: Count | None
    folds: Annotated[int, Field(ge=2)] | None

    @model_validator(mode="after")
    def _folds(self) -> Self:
        if (self.fold is None) != (self.folds is None):
            raise ValueError("fold and folds belong together: data.fold=0 data.folds=5")
        if self.fold is not None and self.folds is not None and self.fold >= self.folds:
            raise ValueError(f"fold counts from 0 to {self.folds - 1}, found {self.fold}")
        if self.val_fraction + self.test_fraction >= 1.0:
            raise ValueError("val_fraction and test_fraction leave nothing to train on")
        return self


class Phantom(Strict):
    """Size of the drawn dataset that stands in where no data root is given."""

    patients: Annotated[int, Field(ge=20)]
    size: Annotated[int, Field(ge=64, le=2048)]
    image_size: Size
    seed: Count


class Backbone(Strict):
    """Any timm model. `pretrained: null` means true with real data and false with phantoms."""

    name: str
    pretrained: bool | None
    pretrained_path: str | None
    options: dict[str, Any]


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
    """What updates the weights. `lr` is for the batch size as given; no rule rescales it."""

    kind: Literal["adamw", "adam", "sgd"]
    lr: PositiveFloat
    weight_decay: NonNegativeFloat
    betas: Annotated[list[Annotated[float, Field(ge=0.0, lt=1.0)]], Field(min_length=2, max_length=2)]
    momentum: Fraction


class Scheduler(Strict):
    """How the learning rate moves, in epochs."""

    kind: Literal["constant", "cosine", "step", "plateau"]
    warmup_epochs: NonNegativeFloat
    step_epochs: PositiveInt
    factor: Annotated[float, Field(gt=0.0, lt=1.0)]
    patience: Count


class Trainer(Strict):
    """Lengths, devices and arithmetic. `auto` uses bf16 and channels_last where the hardware has them."""

    max_epochs: PositiveInt
    accelerator: Literal["auto", "cpu", "gpu", "mps"]
    devices: PositiveInt
    precision: Literal["auto", "32-true", "bf16-mixed", "16-mixed"]
    channels_last: bool | None
    gradient_clip: PositiveFloat | None
    deterministic: bool
    limit_batches: PositiveInt | None


class Wandb(Strict):
    """Weights & Biases. `auto` is online where a key is configured, offline otherwise; never a prompt."""

    project: str
    entity: str | None
    name: str | None
    group: str | None
    tags: list[str]
    mode: Literal["auto", "online", "offline"]


class Logger(Strict):
    """Where curves go beside `metrics.csv`, which is always written."""

    wandb: Wandb | None


class Callbacks(Strict):
    """What happens beside the training step. `early_stopping` counts epochs without a better monitor."""

    progress_bar: bool
    early_stopping: PositiveInt | None


class Config(Strict):
    """A composed, validated run."""

    seed: Annotated[int, Field(ge=0, lt=2**32)]
    tasks: Annotated[dict[str, Task], Field(min_length=1)]
    dataset: DatasetSpec | None = None
    data: Data
    phantom: Phantom
    backbone: Backbone
    augment: Augment
    optimizer: Optimizer
    scheduler: Scheduler
    trainer: Trainer
    logger: Logger
    callbacks: Callbacks
    bootstrap: Annotated[int, Field(ge=100)]
