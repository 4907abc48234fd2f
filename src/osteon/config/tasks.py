"""What a run may ask: the settings of a task, one clinical question."""

import re
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from osteon.config.heads import HeadSpec
from osteon.config.specs import DatasetSpec
from osteon.config.strict import Fraction, PositiveFloat, Strict

Scalar = str | bool | int | float
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
        also: any name -> a further dataset that declares the same target with the same meaning; its images are the
            task's, too.
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
    also: dict[str, DatasetSpec] = Field(default_factory=dict)

    @property
    def datasets(self) -> tuple[DatasetSpec, ...]:
        """The datasets whose images it asks about."""
        return (self.dataset, *self.also.values())

    @property
    def dataset_names(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(spec.name for spec in self.datasets)

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
        if self.head.kind == "ordinal" and self.pool == "vote" and self.head.call != "likeliest":
            raise ValueError(
                f"head.call {self.head.call!r} does not fit pool 'vote': images vote for the likeliest grade"
            )
        if len(set(self.dataset_names)) < len(self.dataset_names):
            raise ValueError(f"also names a dataset twice, found {', '.join(self.dataset_names)}")
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
