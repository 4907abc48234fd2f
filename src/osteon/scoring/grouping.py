"""Rows that belong together, sorted once: their first, least, highest, sum and mean, for millions of rows."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True)
class Grouping:
    """Which of n rows belong together.

    Attributes:
        ids: the g ids, in order of first appearance.
        codes: (n,) the index of each row's id.
        order: (n,) the rows group by group, each group's in their own order; None where they lie so already.
        starts: (g,) where each group begins in that order.
    """

    ids: pd.Index
    codes: Codes
    order: Codes | None
    starts: Codes

    @property
    def sizes(self) -> Codes:
        """Number of rows of each group, (g,)."""
        return np.diff(self.starts, append=len(self.codes))

    @property
    def first(self) -> Codes:
        """The first row of each group, (g,)."""
        return self.starts if self.order is None else self.order[self.starts]

    def lowest(self, values: Floats) -> Floats:
        """Return the (..., g) least of (..., n) values; NaN counts only where a group has nothing else."""
        return self._reduced(np.fmin, values)

    def highest(self, values: Floats) -> Floats:
        """Return the (..., g) highest of (..., n) values; NaN counts only where a group has nothing else."""
        return self._reduced(np.fmax, values)

    def sum(self, values: Floats) -> Floats:
        """Return the (..., g) sums of (..., n) values, added in the order of the rows."""
        flat = values.reshape(-1, len(self.codes))
        found = np.empty((len(flat), len(self.ids)))
        for row, out in zip(flat, found, strict=True):
            out[:] = np.bincount(self.codes, row, len(self.ids))
        return found.reshape(*values.shape[:-1], -1)

    def mean(self, values: Floats) -> Floats:
        """Return the (..., g) means of (..., n) values, each between the least and the highest of its group.

        Equal values have themselves as mean: 3 x 0.1 / 3 is not 0.1, and thresholds are strict.
        """
        mean = self.sum(values) / self.sizes
        # Of two values no sum is rounded across the lower or the higher one.
        many = self.sizes > 2
        if many.any():
            rows = values if self.order is None else values[..., self.order]
            part, sizes = rows[..., np.repeat(many, self.sizes)], self.sizes[many]
            starts = np.cumsum(sizes) - sizes
            low, high = (reduce.reduceat(part, starts, axis=-1) for reduce in (np.minimum, np.maximum))
            mean[..., many] = np.clip(mean[..., many], low, high)
        return mean

    def alike(self, values: Floats | Codes) -> bool:
        """Return whether all (n,) values of each group are the same; NaN is unlike all."""
        return bool((values == values[self.first][self.codes]).all())

    def _reduced(self, reduce: np.ufunc, values: Floats) -> Floats:
        rows = values if self.order is None else values[..., self.order]
        found: Floats = reduce.reduceat(rows, self.starts, axis=-1)
        return found


def grouped_by(column: pd.Series) -> Grouping:
    """Group the rows of a column by its values, none of which is missing."""
    codes, ids = pd.factorize(column)
    order = None if (np.diff(codes) >= 0).all() else np.argsort(codes, kind="stable")
    sizes = np.bincount(codes, minlength=len(ids))
    return Grouping(pd.Index(ids), codes, order, (np.cumsum(sizes) - sizes).astype(np.intp))
