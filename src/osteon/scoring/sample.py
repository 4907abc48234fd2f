"""The labelled units one number is computed from, and how a metric is computed from them under any weights.

A metric is prepared once for a sample (sorting, counting) and then evaluated for a matrix of cluster weights: ones give
the point estimate, multinomial counts give bootstrap replicates. One code path, so both are the same number.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
# (clusters, replicates) weights -> (replicates,) values, NaN where the metric is undefined.
Evaluate = Callable[[Floats], Floats]


@dataclass(frozen=True)
class Sample:
    """Labelled units.

    Attributes:
        target: (n,) class indices; 1 is positive in a binary sample.
        score: (n,) probability of the positive class, or (n, classes).
        call: (n,) the class called at the operating point.
        cluster: (n,) codes 0..clusters-1 of the patients; clusters are what is resampled.
        classes: number of classes.
    """

    target: Codes
    score: Floats
    call: Codes
    cluster: Codes
    classes: int = 2

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

    def one(self) -> Floats:
        """Return the (clusters, 1) weights of the sample as it stands."""
        return np.ones((self.clusters, 1))


def ratio(numerator: Floats, denominator: Floats) -> Floats:
    """Divide; NaN, in silence, where the denominator is zero."""
    out = np.full(np.broadcast_shapes(np.shape(numerator), np.shape(denominator)), np.nan)
    np.divide(numerator, denominator, out=out, where=np.asarray(denominator) != 0)
    return out


def mean_of(sample: Sample, values: Floats) -> Evaluate:
    """Return the weighted mean over units of (n,) values."""
    sums = sample.by_cluster(np.column_stack([values, np.ones(len(values))]))

    def evaluate(weights: Floats) -> Floats:
        total, count = sums.T @ weights
        return ratio(total, count)

    return evaluate
