"""Checks that every head makes of the targets that it is given."""

import numpy as np
import numpy.typing as npt

from osteon.errors import OsteonError
from osteon.heads.base import Floats

ABSENT = -1  # of a class index


def whole_numbers(values: npt.ArrayLike, below: int, kind: str) -> Floats:
    """Return targets (N,) as float64, NaN kept, after checking that the others are whole, from 0 to `below` - 1.

    Raises:
        OsteonError: another value; names the kind of head and the first rows at fault.
    """
    found = _column(values, kind)
    _refuse(found, ~np.isin(found, np.arange(below)), f"outside 0 to {below - 1}", kind)
    return found


def class_indices(values: npt.ArrayLike, classes: int, kind: str) -> npt.NDArray[np.int64]:
    """Return class indices int64 (N,) from targets that `whole_numbers` has checked; NaN becomes -1."""
    found = whole_numbers(values, classes, kind)
    return np.where(np.isnan(found), ABSENT, found).astype(np.int64)


def numbers(values: npt.ArrayLike, low: float | None, high: float | None, kind: str) -> Floats:
    """Return targets (N,) as float64, NaN kept, after checking that the others lie from `low` to `high`, if known.

    Raises:
        OsteonError: another value; names the kind of head and the first rows at fault.
    """
    found = _column(values, kind)
    least, most = -np.inf if low is None else low, np.inf if high is None else high
    outside = ~np.isfinite(found) | (found < least) | (found > most)
    _refuse(found, outside, f"outside {least:g} to {most:g}", kind)
    return found


def _column(values: npt.ArrayLike, kind: str) -> Floats:
    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 1:
        raise OsteonError(f"{kind} head: targets must be one value an image, found an array of shape {found.shape}.")
    return found


def _refuse(found: Floats, wrong: npt.NDArray[np.bool_], how: str, kind: str) -> None:
    fault = wrong & ~np.isnan(found)
    if fault.any():
        rows = ", ".join(f"row {row}: {found[row]:g}" for row in np.flatnonzero(fault)[:5])
        raise OsteonError(
            f"{kind} head: {int(fault.sum())} target(s) {how} ({rows}). "
            "Correct the table; leave a cell empty where nobody looked."
        )
