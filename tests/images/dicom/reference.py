"""What DICOM PS3.3 C.7.6.3, C.11.1, C.11.2 and C.11.6 make of stored values, slowly, in float64.

Written from the standard, and from the house rules where the standard leaves a choice: the first VOI table before the
first sane window, percentiles 0.5-99.5 where there is none or where it misses the data, padding black.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.images.dicom.writing import Choices, Lut

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
FULL = 255.0


@dataclass(frozen=True)
class Expected:
    """Grey levels in float64.

    Attributes:
        standard: through the file's own window or table, or None where it has none.
        percentiles: through percentiles.
        share: of the pixels that are not padding, how many lie where the window or table varies.
        distinct: how many grey levels the standard image shows off the padding.
        spread: share of the greys from its 0.5th to its 99.5th percentile there, or from darkest to brightest where
            these are one.
    """

    standard: Floats | None
    percentiles: Floats
    share: float
    distinct: int
    spread: float

    @property
    def accepted(self) -> list[Floats]:
        """One image where the rule is clear; both where the window hits only a few pixels."""
        if self.standard is None or self.share == 0 or self.distinct < 2 or self.spread < 0.1:
            return [self.percentiles]
        clear = self.share >= 0.1 and self.distinct > 3 and self.spread > 0.15
        return [self.standard] if clear else [self.standard, self.percentiles]


def expect(stored: NDArray[Any], choices: Choices) -> Expected:
    """Return what a reader shall show of (H, W) stored values (sign included) written with these choices."""
    tags = choices.tags
    photometric = tags.get("PhotometricInterpretation", choices.photometric) or "MONOCHROME2"
    shape = tags.get("PresentationLUTShape")
    inverse = shape == "INVERSE" or (photometric == "MONOCHROME1" and shape != "IDENTITY")
    padded = padding(stored, tags)
    values = modality(stored, choices)
    real = values[~padded]
    found = voi(values, choices)
    percentiles = between_percentiles(values, real)
    standard, varying = found if found else (None, np.zeros(values.shape, bool))
    share = float(varying[~padded].mean()) if real.size else 0.0
    distinct = len(np.unique(np.rint(standard[~padded]))) if standard is not None else 0
    finish = [None if grey is None else finished(grey, inverse, padded) for grey in (standard, percentiles)]
    assert finish[1] is not None
    return Expected(finish[0], finish[1], share, distinct, spread(standard, padded))


def spread(grey: Floats | None, padded: Bools) -> float:
    """Return what share of the greys the middle 99 % of an image span; 0 where nothing is left."""
    if grey is None or padded.all():
        return 0.0
    low, high = percentile(grey[~padded], 0.5), percentile(grey[~padded], 99.5)
    return float((high - low) if high > low else np.ptp(grey[~padded])) / FULL


def finished(grey: Floats, inverse: bool, padded: Bools) -> Floats:
    """Return grey levels after C.7.6.3.1.2 (MONOCHROME1) or C.11.6.1.2 (INVERSE), padding black."""
    return np.asarray(np.where(padded, 0.0, FULL - grey if inverse else grey), np.float64)


def padding(stored: NDArray[Any], tags: Any) -> Bools:
    """Return where C.7.5.1.1.2 says padding: the value, or all from the value to the limit, both included."""
    value = tags.get("PixelPaddingValue")
    if value is None:
        return np.zeros(stored.shape, bool)
    limit = tags.get("PixelPaddingRangeLimit", value)
    low, high = min(value, limit), max(value, limit)
    return np.asarray((stored >= low) & (stored <= high))


def modality(stored: NDArray[Any], choices: Choices) -> Floats:
    """Return C.11.1: the modality table, else slope and intercept; a slope of zero or none is the identity."""
    if choices.modality:
        return through(choices.modality, stored.astype(np.float64))
    slope = choices.tags.get("RescaleSlope")
    if not slope:
        return stored.astype(np.float64)
    return stored.astype(np.float64) * float(slope) + float(choices.tags.get("RescaleIntercept", 0.0))


def through(lut: Lut, values: Floats) -> Floats:
    """Return a table's entries: values before the first take the first, beyond the last take the last."""
    result = np.empty(values.shape, np.float64)
    for place, value in np.ndenumerate(values):
        index = min(max(round(float(value)) - lut.first, 0), len(lut.entries) - 1)
        result[place] = float(lut.entries[index])
    return result


def voi(values: Floats, choices: Choices) -> tuple[Floats, Bools] | None:
    """Return grey levels of 0..255 and where the function varies, or None without a usable window or table."""
    if choices.voi:
        lut = choices.voi[0]
        inside = (values >= lut.first) & (values < lut.first + len(lut.entries))
        return through(lut, values) / (2**lut.bits - 1) * FULL, np.asarray(inside)
    function = choices.tags.get("VOILUTFunction") or "LINEAR"
    for centre, width in zip(*_pairs(choices.tags), strict=False):
        if width >= 1 if function == "LINEAR" else width > 0:
            grey = np.vectorize(lambda x, c=centre, w=width: level(x, c, w, function), otypes=[float])(values)
            return grey, np.asarray(np.abs(values - centre) < width / 2)
    return None


def level(value: float, centre: float, width: float, function: str) -> float:
    """Return one grey level of C.11.2.1.2.1 (LINEAR), C.11.2.1.3.1 (SIGMOID) or C.11.2.1.3.2 (LINEAR_EXACT)."""
    if function == "SIGMOID":
        exponent = -4.0 * (value - centre) / width
        return FULL / (1.0 + math.exp(exponent)) if exponent < 700 else 0.0
    if function == "LINEAR":
        centre, width = centre - 0.5, width - 1.0
    if value <= centre - width / 2:
        return 0.0
    if value > centre + width / 2:
        return FULL
    return ((value - centre) / width + 0.5) * FULL


def between_percentiles(values: Floats, real: Floats) -> Floats:
    """Return levels between the 0.5th and the 99.5th percentile of the real values, else minimum and maximum."""
    if not real.size:
        return np.zeros(values.shape)
    low, high = percentile(real, 0.5), percentile(real, 99.5)
    if high <= low:
        low, high = float(real.min()), float(real.max())
    if high <= low:
        return np.zeros(values.shape)
    return np.asarray(np.clip((values - low) / (high - low), 0.0, 1.0) * FULL)


def percentile(values: Floats, share: float) -> float:
    """Return a percentile by linear interpolation between order statistics (Hyndman and Fan 1996, type 7)."""
    ordered = sorted(values.ravel().tolist())
    place = share / 100.0 * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return float(ordered[below] + (place - below) * (ordered[above] - ordered[below]))


def luma(colour: NDArray[Any]) -> Floats:
    """Return ITU-R BT.601 luma of (..., 3) red, green, blue."""
    red, green, blue = np.moveaxis(colour.astype(np.float64), -1, 0)
    return np.asarray(0.299 * red + 0.587 * green + 0.114 * blue)


def rgb_of_ybr(colour: NDArray[Any]) -> Floats:
    """Return (..., 3) red, green, blue of YBR_FULL values (PS3.3 C.7.6.3.1.2)."""
    luminance, blue, red = np.moveaxis(colour.astype(np.float64), -1, 0)
    mixed = [
        luminance + 1.402 * (red - 128),
        luminance - 0.344136 * (blue - 128) - 0.714136 * (red - 128),
        luminance + 1.772 * (blue - 128),
    ]
    return np.clip(np.stack(mixed, -1), 0, 255)


def _pairs(tags: Any) -> tuple[list[float], list[float]]:
    found = []
    for keyword in ("WindowCenter", "WindowWidth"):
        value = tags.get(keyword)
        several = isinstance(value, list | tuple)
        found.append([] if value is None else [float(one) for one in (value if several else [value])])
    return found[0], found[1]
