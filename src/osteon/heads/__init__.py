"""Heads: what is asked of an image. One file a kind; `build_head` makes the one a task's spec names."""

from collections.abc import Sequence

from osteon.config.heads import (
    BinarySpec,
    DetectionSpec,
    HeadSpec,
    MulticlassSpec,
    MultilabelSpec,
    OrdinalSpec,
    RegressionSpec,
)
from osteon.errors import OsteonError
from osteon.heads.base import Emphasis, Head, LossSum
from osteon.heads.binary import BinaryHead
from osteon.heads.detection import DetectionHead, check_pyramid
from osteon.heads.multiclass import MulticlassHead
from osteon.heads.multilabel import MultilabelHead
from osteon.heads.ordinal import CumulativeHead, DistanceHead, GradeHead, JointHead
from osteon.heads.regression import BinsHead, RegressionHead
from osteon.manifest.target import INDEXED, Target

__all__ = [
    "BinaryHead",
    "BinsHead",
    "CumulativeHead",
    "DetectionHead",
    "DistanceHead",
    "Emphasis",
    "GradeHead",
    "Head",
    "JointHead",
    "LossSum",
    "MulticlassHead",
    "MultilabelHead",
    "RegressionHead",
    "build_head",
    "check_pyramid",
]

# Kinds of target that a head answers beside its own: grades can also be read as plain classes, or as a number.
ALSO = {"multiclass": ("ordinal",), "regression": ("ordinal",), "detection": ("boxes",)}


def build_head(
    spec: HeadSpec,
    vector_width: int,
    channels: Sequence[int],
    strides: Sequence[float],
    target: Target,
    size: tuple[int, int] = (0, 0),
) -> Head:
    """Make the head that `spec` names.

    Args:
        spec: kind and parameters.
        vector_width: width of the backbone's vector.
        channels: channels of each map of the pyramid, fine to coarse (heads on maps).
        strides: pixels of the input a step on each map (heads on maps).
        target: what the head is to answer; its kind must be one that the head answers.
        size: (height, width) of the images in pixels (heads on maps).

    Raises:
        OsteonError: head and target do not fit, or the target has fewer than two classes or no scale.
    """
    _check_kinds(spec.kind, target)
    match spec:
        case BinarySpec():
            return BinaryHead(vector_width, spec.dropout, spec.label_smoothing)
        case MulticlassSpec():
            return MulticlassHead(vector_width, len(target.classes), spec.dropout, spec.label_smoothing)
        case MultilabelSpec():
            return MultilabelHead(vector_width, len(target.classes), spec.dropout, spec.label_smoothing)
        case OrdinalSpec():
            return _ordinal(spec, vector_width, len(target.classes))
        case RegressionSpec():
            return _regression(spec, vector_width, target)
        case DetectionSpec():
            return DetectionHead(spec, channels, strides, size, target.classes)


def scale(target: Target) -> tuple[float | None, float | None]:
    """Return least and greatest value of a target that is answered with a number; grades count from 0."""
    return (0.0, len(target.classes) - 1.0) if target.kind == "ordinal" else (target.low, target.high)


def _ordinal(spec: OrdinalSpec, width: int, grades: int) -> Head:
    if spec.loss == "cumulative":
        return CumulativeHead(width, grades, spec.dropout)
    if spec.loss == "distance":
        return DistanceHead(width, grades, spec.dropout)
    if spec.loss == "joint":
        return JointHead(width, grades, spec.dropout)
    return GradeHead(width, grades, spec.dropout, spec.label_smoothing)


def _regression(spec: RegressionSpec, width: int, target: Target) -> Head:
    low, high = scale(target)
    if spec.bins is None:
        return RegressionHead(width, low, high, spec.dropout, spec.loss, spec.delta)
    if low is None or high is None:
        raise OsteonError(
            f"head.bins: found {spec.bins}, but nobody has said from where to where the target reaches "
            f"({target.meaning}). Give it low and high in its dataset, or set head.bins=null."
        )
    return BinsHead(width, low, high, spec.bins, spec.dropout)


def _check_kinds(kind: str, target: Target) -> None:
    if target.kind not in (kind, *ALSO.get(kind, ())):
        raise OsteonError(
            f"head: kind {kind!r} cannot answer a {target.kind} target ({target.meaning}). "
            f"Use the {target.kind} head, or declare the target as {kind} in its dataset."
        )
    if target.kind in INDEXED and len(target.classes) < 2:
        raise OsteonError(
            f"head: a {target.kind} target needs at least two classes, found {list(target.classes)} "
            f"({target.meaning}). Name them in the dataset's target, in index order."
        )
