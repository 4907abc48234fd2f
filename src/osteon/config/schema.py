"""The schema of a composed config: every key a run may have, its type and its range."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PositiveInt, field_validator, model_validator

from osteon.config.data import Data, Phantom
from osteon.config.loggers import Logger
from osteon.config.specs import DatasetSpec
from osteon.config.strict import Count, Fraction, PositiveFloat, Strict
from osteon.config.tasks import Task
from osteon.config.training import Training

NonNegativeFloat = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]


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
        limit_batches: batches an epoch of training, for a smoke test; validation takes every image, so that each task
            and class has its rows.
        compile: whether the backbone is compiled (torch.compile): the first steps take minutes, the others less.
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
    compile: bool = False
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
