"""Every head with targets that fit it and an independent formula of its loss: what the contract is held against."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from scipy.special import log_expit, log_softmax, softmax
from torch import Tensor

from osteon.config import HeadSpec, MulticlassSpec, MultilabelSpec, OrdinalSpec, RegressionSpec
from osteon.config.heads import BinarySpec
from osteon.heads import Head, build_head
from osteon.manifest.target import Target

Floats = npt.NDArray[np.float64]
WIDTH = 12
GRADES = Target("Kellgren-Lawrence grade", "ordinal", ("0", "1", "2", "3", "4"))
CLASSES = Target("make of the implant", "multiclass", ("a", "b", "c"))
MONTHS = Target("bone age", "regression", unit="months", low=0.0, high=240.0)
LABELS = Target("findings", "multilabel", ("fracture", "dislocation", "metal"))


@dataclass(frozen=True)
class Case:
    """A head, its target, and the loss of a labelled row (multilabel: of its cells) by hand from its output.

    Attributes:
        cost: (output row in float64, target row) -> loss, summed over the row.
    """

    spec: HeadSpec
    target: Target
    cost: Callable[[Floats, Floats], float]

    def head(self, width: int = WIDTH) -> Head:
        """Return the head, fitted to what `values` draws where it needs that."""
        torch.manual_seed(3)
        head = build_head(self.spec, width, [1], [4.0], self.target)
        if self.target.kind == "regression":
            head.fit(np.array([30.0, 90.0, 150.0]))  # mean 90, sd 40 sqrt(1.5)
        return head

    def values(self, rows: int, seed: int = 0) -> Floats:
        """Return manifest targets, (rows,) or (rows, labels), of every kind there is."""
        rng = np.random.default_rng(seed)
        if self.target.kind == "regression":
            return np.asarray(rng.uniform(0, 240, rows).round(1), dtype=np.float64)
        if self.target.kind == "multilabel":
            return rng.integers(0, 2, (rows, 3)).astype(np.float64)
        return rng.integers(0, len(self.target.classes) or 2, rows).astype(np.float64)

    def encoded(self, rows: int, seed: int = 0) -> Tensor:
        """Return the same as the batch holds it: float32."""
        return torch.from_numpy(np.asarray(self.head().encode(self.values(rows, seed)))).float()


def bernoulli(output: Floats, target: Floats) -> float:
    return float(-(target * log_expit(output) + (1 - target) * log_expit(-output)).sum())


def cross_entropy(output: Floats, target: Floats) -> float:
    return float(-log_softmax(output)[int(target)])


def cumulative(output: Floats, target: Floats) -> float:
    return bernoulli(output, (np.arange(4) < target).astype(np.float64))


def distance(output: Floats, target: Floats) -> float:
    # The rows of the published 5 x 5 matrix, raised by one, nothing on the diagonal.
    published = np.array([[1, 3, 5, 7, 9], [3, 1, 3, 5, 7], [5, 3, 1, 3, 5], [7, 5, 3, 1, 3], [9, 7, 5, 3, 1]]) + 1.0
    np.fill_diagonal(published, 0.0)
    return float(((softmax(output) * published[int(target)]) ** 2).sum())


def joint(output: Floats, target: Floats) -> float:
    return cross_entropy(output, target) + float((softmax(output) @ np.arange(5) - target) ** 2)


def deviation(output: Floats, target: Floats) -> float:
    return float(output[0] - (target - 90.0) / np.sqrt(2400.0))


def huber(output: Floats, target: Floats) -> float:
    wrong = abs(deviation(output, target))
    return float(0.5 * wrong**2 if wrong <= 0.5 else 0.5 * (wrong - 0.25))


def two_hot(output: Floats, target: Floats) -> float:
    scale = np.linspace(0.0, 240.0, 25)  # ten months apart
    share = np.clip(1.0 - np.abs(scale - target) / 10.0, 0.0, None)
    return float(-(share * log_softmax(output)).sum())


CASES: dict[str, Case] = {
    "binary": Case(BinarySpec(kind="binary"), Target("fracture"), bernoulli),
    "multiclass": Case(MulticlassSpec(kind="multiclass"), CLASSES, cross_entropy),
    "grades as classes": Case(MulticlassSpec(kind="multiclass"), GRADES, cross_entropy),
    "cumulative": Case(OrdinalSpec(kind="ordinal"), GRADES, cumulative),
    "distance": Case(OrdinalSpec(kind="ordinal", loss="distance"), GRADES, distance),
    "joint": Case(OrdinalSpec(kind="ordinal", loss="joint"), GRADES, joint),
    "softmax": Case(OrdinalSpec(kind="ordinal", loss="softmax"), GRADES, cross_entropy),
    "l1": Case(RegressionSpec(kind="regression"), MONTHS, lambda output, target: abs(deviation(output, target))),
    "l2": Case(RegressionSpec(kind="regression", loss="l2"), MONTHS, lambda output, y: deviation(output, y) ** 2),
    "huber": Case(RegressionSpec(kind="regression", loss="huber", delta=0.5), MONTHS, huber),
    "bins": Case(RegressionSpec(kind="regression", bins=25), MONTHS, two_hot),
    "multilabel": Case(MultilabelSpec(kind="multilabel"), LABELS, bernoulli),
}
