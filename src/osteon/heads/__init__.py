"""Heads: what is asked of an image. One file a kind; `build_head` makes the one a task's spec names."""

from collections.abc import Sequence

from osteon.config.specs import BinarySpec, MulticlassSpec
from osteon.errors import OsteonError
from osteon.heads.base import Emphasis, Head, LossSum
from osteon.heads.binary import BinaryHead
from osteon.heads.multiclass import MulticlassHead
from osteon.manifest.target import Target

__all__ = ["BinaryHead", "Emphasis", "Head", "LossSum", "MulticlassHead", "build_head"]


def build_head(
    spec: BinarySpec | MulticlassSpec,
    vector_width: int,
    channels: Sequence[int],
    strides: Sequence[float],
    target: Target,
) -> Head:
    """Make the head that `spec` names.

    Args:
        spec: kind and parameters.
        vector_width: width of the backbone's vector.
        channels: channels of each map of the pyramid, fine to coarse (heads on maps).
        strides: pixels of the input a step on each map (heads on maps).
        target: what the head is to answer; its kind must be the head's.

    Raises:
        OsteonError: head and target are of different kinds, or a multiclass target has fewer than two classes.
    """
    if spec.kind != target.kind:
        raise OsteonError(
            f"head: kind {spec.kind!r} cannot answer a {target.kind} target ({target.meaning}). "
            f"Use the {target.kind} head, or declare the target as {spec.kind} in its dataset."
        )
    if isinstance(spec, BinarySpec):
        return BinaryHead(vector_width, spec.dropout, spec.label_smoothing)
    if len(target.classes) < 2:
        raise OsteonError(
            f"head: a multiclass target needs at least two classes, found {list(target.classes)} ({target.meaning}). "
            "Name them in the dataset's target, in index order."
        )
    return MulticlassHead(vector_width, len(target.classes), spec.dropout, spec.label_smoothing)
