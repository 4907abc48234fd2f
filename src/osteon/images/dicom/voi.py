"""Values of interest to greys (PS3.3 C.11.2): a VOI LUT, else a window, else percentiles."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osteon.images.dicom.header import Header
from osteon.images.dicom.lookup import Lookup, lookup
from osteon.images.window import edges

LEAST_INSIDE = 0.01
_CLEAR = 5  # times as many inside a sample leave no doubt of the whole
LEAST_SPREAD = (
    1 / 8
)  # of the greys, from the 0.5th to the 99.5th percentile: a window of 16 bit makes 12-bit data black
_FUNCTIONS = {"": "linear", "LINEAR": "linear", "LINEAR_EXACT": "linear exact", "SIGMOID": "sigmoid"}


@dataclass(frozen=True)
class Greys:
    """What a rule makes of values.

    Attributes:
        shades: (L,) float64 within 0..1.
        inside: (L,) bool, values strictly within the window, or where the LUT varies.
        said: the rule in words.
    """

    shades: NDArray[np.float64]
    inside: NDArray[np.bool_]
    said: str


def greys(values: NDArray[np.float64], counts: NDArray[np.int64], header: Header) -> tuple[NDArray[np.float64], str]:
    """Map values onto 0..1 by the first rule there is: VOI LUT, window, percentiles.

    A rule misses where fewer than 1 % of the pixels lie strictly between its ends, or what it makes of all but the
    darkest and brightest 0.5 % spans less than an eighth of the greys: then percentiles stand in for it. A window is
    skipped where its width cannot be (below 1 for LINEAR, 0 or less for the others).

    Args:
        values: (L,) finite.
        counts: (L,) pixels of each value.
        header: of the frame.

    Returns:
        (L,) float64, and the rule in words.
    """
    rule = _by_lookup(values, header) or _by_window(values, header)
    if rule is None:
        return _by_percentiles(values, counts)
    share = counts[rule.inside].sum() / counts.sum()
    low, high, _ = edges(rule.shades, counts)
    if len(values) == 1 or (share >= LEAST_INSIDE and high - low >= LEAST_SPREAD):
        return rule.shades, rule.said
    shades, said = _by_percentiles(values, counts)
    return shades, f"{rule.said} misses the values, so {said}"


def clearly_windowed(
    values: NDArray[np.float64], counts: NDArray[np.int64], header: Header
) -> tuple[NDArray[np.float64], str] | None:
    """Return what `greys` does where its first rule is a window that hits a sample of the pixels without any doubt.

    Args:
        values: (L,) finite, all that can occur.
        counts: (L,) pixels of each in the sample; may be 0.
        header: of the frame.
    """
    rule = _by_window(values, header)
    seen = counts > 0
    if rule is None or seen.sum() < 2:
        return None
    low, high, _ = edges(rule.shades[seen], counts[seen])
    clear = counts[rule.inside].sum() >= _CLEAR * LEAST_INSIDE * counts.sum() and high - low >= 2 * LEAST_SPREAD
    return (rule.shades, rule.said) if clear else None


def _by_percentiles(values: NDArray[np.float64], counts: NDArray[np.int64]) -> tuple[NDArray[np.float64], str]:
    low, high, rule = edges(values, counts)
    if high <= low:
        return np.zeros(len(values)), f"constant {low:g}"
    return np.clip((values - low) / (high - low), 0.0, 1.0), f"window {low:g} to {high:g} ({rule})"


def _by_lookup(values: NDArray[np.float64], header: Header) -> Greys | None:
    for item in header.items("VOILUTSequence")[:1]:
        table = lookup(item, "LUTDescriptor", "LUTData", values)
        if table is not None:
            return _looked_up(values, table)
    return None


def _looked_up(values: NDArray[np.float64], table: Lookup) -> Greys:
    found = table.entries[table.places(values)]
    inside = (found != table.entries[0]) & (found != table.entries[-1])
    return Greys(found / table.top, inside, "; ".join(filter(None, ("VOI LUT", table.said))))


def _by_window(values: NDArray[np.float64], header: Header) -> Greys | None:
    function = _FUNCTIONS.get(header.text("VOILUTFunction"), "linear")
    windows = zip(header.numbers("WindowCenter"), header.numbers("WindowWidth"), strict=False)
    for center, width in windows:
        if np.isfinite([center, width]).all() and (width >= 1 if function == "linear" else width > 0):
            return _windowed(values, center, width, function)
    return None


def _windowed(values: NDArray[np.float64], center: float, width: float, function: str) -> Greys:
    said = f"window {center:g}/{width:g} {function}"
    if function == "sigmoid":
        shades = 1.0 / (1.0 + np.exp(np.clip(-4.0 * ((values - center) / width), -700.0, 700.0)))
        return Greys(shades, np.abs(values - center) < width / 2.0, said)
    if function == "linear":  # from the middle of the first value to the middle of the last (C.11.2.1.2.1)
        center, width = center - 0.5, width - 1.0
    low = center - width / 2.0
    shades = np.clip((values - low) / width, 0.0, 1.0) if width else (values > low).astype(np.float64)
    return Greys(shades, (shades > 0.0) & (shades < 1.0), said)
