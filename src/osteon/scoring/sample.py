"""The labelled units one number is computed from, and how a metric is computed from them under any weights.

A metric is prepared once for a sample (sorting, counting) and then evaluated for a matrix of cluster weights: ones give
the point estimate, multinomial counts give bootstrap replicates. One code path, so both are the same number.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from osteon.scoring.matching import Boxes

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
# (clusters, replicates) weights -> (replicates,) values, NaN where the metric is undefined.
Evaluate = Callable[[Floats], Floats]


@dataclass(frozen=True)
class Sample:
    """Labelled units.

    Attributes:
        target: (n,) class indices; 1 is positive in a binary sample. All 0 where the target is a number, or boxes.
        score: (n,) probability of the positive class, or (n, classes).
        call: (n,) the class called at the operating point.
        cluster: (n,) codes 0..clusters-1 of the patients; clusters are what is resampled.
        classes: number of classes; 1 where the target is a number.
        truth: (n,) the target as a number, in its unit or as a grade; empty for classes without an order.
        value: (n,) the number predicted, beside `truth`; of grades the expectation.
        label: (n,) which finding a row is about, where a sample holds several; else empty.
        cut: the grade from which on a unit counts as positive in `auroc_at_cut`; 0 where there is none.
        boxes: of the units, which are images; none for other heads.
    """

    target: Codes
    score: Floats
    call: Codes
    cluster: Codes
    classes: int = 2
    truth: Floats = field(default_factory=lambda: np.empty(0))
    value: Floats = field(default_factory=lambda: np.empty(0))
    label: Codes = field(default_factory=lambda: np.empty(0, np.intp))
    cut: int = 0
    boxes: Boxes = field(default_factory=Boxes)

    @property
    def clusters(self) -> int:
        """Number of clusters."""
        return int(self.cluster.max()) + 1 if len(self.cluster) else 0

    @property
    def independent(self) -> bool:
        """Whether every cluster has exactly one unit, so that formulas for independent units hold."""
        return self.clusters == len(self.cluster)

    def by_cluster(self, values: Floats) -> Floats:
        """Return the (clusters, columns) sums of (n, columns) values."""
        return np.stack([np.bincount(self.cluster, column, self.clusters) for column in values.T], axis=1)

    def up_to(self, unit: Codes, ends: Codes) -> "Evaluate":
        """Prepare how much weight lies before each end: (clusters, r) weights -> (e, r) sums.

        Summed by patient and stretch between two ends first, as there are far fewer of these than of rows.

        Args:
            unit: (d,) the unit of each row, in the order in which they are counted.
            ends: (e,) places in 0..d; the rows before each are summed.
        """
        from scipy.sparse import csr_array

        stops, place = np.unique(ends, return_inverse=True)
        stretch = np.searchsorted(stops, np.arange(len(unit)), side="right")
        kept = stretch < len(stops)
        shape = (len(stops), self.clusters)
        counts = csr_array((np.ones(kept.sum()), (stretch[kept], self.cluster[unit[kept]])), shape=shape)
        return lambda weights: np.cumsum(counts @ weights, axis=0)[place]

    def one(self) -> Floats:
        """Return the (clusters, 1) weights of the sample as it stands."""
        return np.ones((self.clusters, 1))


@dataclass(frozen=True)
class Moments:
    """A metric that is a formula of sums over units; it also evaluates the sample without each cluster in turn.

    Attributes:
        sums: (k, clusters) sums over each cluster's units.
        formula: (k, r) totals -> (r,) values, NaN where undefined.
    """

    sums: Floats
    formula: Callable[[Floats], Floats]

    def __call__(self, weights: Floats) -> Floats:
        """Return the values under (clusters, r) weights."""
        return self.formula(self.sums @ weights)

    def without(self) -> Floats:
        """Return the (clusters,) values of the sample that lacks one cluster."""
        return self.formula(self.sums.sum(1, keepdims=True) - self.sums)


def ratio(numerator: Floats, denominator: Floats) -> Floats:
    """Divide; NaN, in silence, where the denominator is zero."""
    out = np.full(np.broadcast_shapes(np.shape(numerator), np.shape(denominator)), np.nan)
    np.divide(numerator, denominator, out=out, where=np.asarray(denominator) != 0)
    return out


def mean_of(sample: Sample, values: Floats) -> Evaluate:
    """Return the weighted mean over units of (n,) values."""
    sums = sample.by_cluster(np.column_stack([values, np.ones(len(values))]))
    return Moments(sums.T.copy(), lambda totals: ratio(totals[0], totals[1]))
