"""Numbers by which scores are grouped become a few named bands, the same in every split and run."""

import itertools

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteon.predictions import TaskFacts

# Manifest columns with bands of their own: children, and adults by the years in which bone wears and thins.
EDGES: dict[str, tuple[float, ...]] = {"age_years": (18.0, 45.0, 65.0)}
# The column of units that holds the band of a number to be predicted.
TARGET = "target_band"
NAMES = {TARGET: "target"}
MOST = 4


def banded(
    values: pd.Series, edges: tuple[float, ...], low: float | None = 0.0, high: float | None = None
) -> pd.Series:
    """Return the band of each value as text, `None` where the value is missing.

    A band holds its lower edge and not its upper one, but the last holds both.

    Args:
        values: (n,) numbers.
        edges: one to three rising numbers between bands.
        low: where the first band begins; None: it is "under" the first edge.
        high: where the last band ends; None: it is the last edge "and over".

    Returns:
        Such as "0 to 18", "18 to 45", "65 and over".
    """
    places = np.searchsorted(np.asarray(edges), values.to_numpy(np.float64), side="right")
    first = f"under {edges[0]:g}" if low is None else f"{low:g} to {edges[0]:g}"
    last = f"{edges[-1]:g} and over" if high is None else f"{edges[-1]:g} to {high:g}"
    middle = [f"{one:g} to {other:g}" for one, other in itertools.pairwise(edges)]
    names = np.array([first, *middle, last], dtype=object)
    found = pd.Series(names[places], index=values.index, dtype=object)
    return found.where(values.notna(), None)


def by_column(name: str, values: pd.Series) -> pd.Series:
    """Return a grouping column as it is, or its bands where it is a number that has some (`EDGES`)."""
    if name not in EDGES or not pd.api.types.is_numeric_dtype(values):
        return values
    return banded(values, EDGES[name])


def by_target(target: NDArray[np.float64], facts: TaskFacts) -> pd.Series | None:
    """Return the quarter of its scale that each true number lies in; None where the scale is not known.

    Bone age from 0 to 240 months: 0 to 60, 60 to 120, 120 to 180, 180 to 240.
    """
    if facts.head != "regression" or facts.low is None or facts.high is None:
        return None
    edges = tuple(float(edge) for edge in np.linspace(facts.low, facts.high, MOST + 1)[1:-1])
    return banded(pd.Series(target), edges, facts.low, facts.high)


def order(name: str) -> tuple[float, str]:
    """Return a key that sorts group names: by the number they begin with, then those that begin with none."""
    word = name.partition(" ")[0]
    try:
        return float(word), name
    except ValueError:
        return (-np.inf if word == "under" else np.inf), name
