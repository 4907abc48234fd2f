"""The closed choice of a head, and the parameters each of them takes."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from osteon.config.strict import Fraction, Strict

Smoothing = Annotated[float, Field(ge=0.0, lt=1.0)]  # share of a target spread evenly over all classes


class _Logits(Strict):
    dropout: Fraction = 0.0
    label_smoothing: Smoothing = 0.0


class BinarySpec(_Logits):
    """One logit; the probability that the target is 1."""

    kind: Literal["binary"]


class MulticlassSpec(_Logits):
    """One logit a class; classes exclude each other."""

    kind: Literal["multiclass"]


class OrdinalSpec(_Logits):
    """Classes that rise, such as grades; answers with a probability of each and the expected grade.

    Attributes:
        loss: `cumulative`: one score and an ordered threshold between each two grades (CORAL, Cao 2020); `distance`:
            one logit a grade, and a probability costs by its distance from the truth (Chen 2019); `joint`: one logit a
            grade, the cross entropy and the squared error of the expected grade (Antony 2017); `softmax`: the cross
            entropy alone, the grades' order forgotten.
        call: which grade is called: the `likeliest`, the `median` or the `expected` one, rounded; see
            `osteon.scoring.grades.called`.
        label_smoothing: `softmax` only.
    """

    kind: Literal["ordinal"]
    loss: Literal["cumulative", "distance", "joint", "softmax"] = "cumulative"
    call: Literal["likeliest", "median", "expected"] = "likeliest"

    @model_validator(mode="after")
    def _smoothed(self) -> Self:
        if self.label_smoothing and self.loss != "softmax":
            raise ValueError(f"label_smoothing is defined for loss=softmax only, found loss={self.loss}")
        return self


class RegressionSpec(Strict):
    """A number in the target's unit.

    Attributes:
        loss: of the error in standard deviations of the train labels: `l1`, `l2` (squared) or `huber`.
        delta: `huber` only: the error, in standard deviations, from which it costs as `l1` does (Huber 1964).
        bins: null, or the number of values evenly spaced from the target's low to its high that a softmax is spread
            over; the answer is their expectation, and the loss is the cross entropy, whatever `loss` says.
    """

    kind: Literal["regression"]
    loss: Literal["l1", "l2", "huber"] = "l1"
    delta: Annotated[float, Field(gt=0.0)] = 1.0
    bins: Annotated[int, Field(ge=2, le=4096)] | None = None
    dropout: Fraction = 0.0


class MultilabelSpec(_Logits):
    """One logit a label; labels may come together, and each may be unknown for itself."""

    kind: Literal["multilabel"]


class DetectionSpec(Strict):
    """Bounding boxes on the pyramid of maps (FCOS).

    Attributes:
        finest: px a step of the finest map: boxes much smaller than it are missed. 4 costs three times the time of 8.
        levels: maps in all, each half the one before; the last takes the largest boxes.
        width: channels of every map.
        convs: convolutions before each answer.
        score_threshold: boxes of a lower score are not kept.
        nms: IoU from which the lower of two boxes of one class is dropped.
        most: boxes kept an image.
    """

    kind: Literal["detection"]
    finest: Literal[4, 8, 16] = 8
    levels: Annotated[int, Field(ge=1, le=7)] = 5
    width: Annotated[int, Field(ge=64, le=1024, multiple_of=32)] = 256
    convs: Annotated[int, Field(ge=1, le=8)] = 4
    score_threshold: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.05
    nms: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.6
    most: Annotated[int, Field(ge=1, le=1000)] = 100


HeadSpec = Annotated[
    BinarySpec | MulticlassSpec | OrdinalSpec | RegressionSpec | MultilabelSpec | DetectionSpec,
    Field(discriminator="kind"),
]
