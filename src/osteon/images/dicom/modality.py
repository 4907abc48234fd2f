"""Stored values to the modality's own (PS3.3 C.11.1), and which of them are padding (C.7.5.1.1.2)."""

import numpy as np
from numpy.typing import NDArray

from osteon.images.dicom.header import Header
from osteon.images.dicom.levels import LARGEST, Levels
from osteon.images.dicom.lookup import lookup


def modality(values: NDArray[np.float64], header: Header) -> tuple[NDArray[np.float64], str]:
    """Apply the modality LUT, else slope and intercept, once.

    Args:
        values: (L,) stored values.
        header: of the frame.

    Returns:
        (L,) values, and what was done in words; empty where there is nothing to do.
    """
    for item in header.items("ModalityLUTSequence")[:1]:
        known = np.nan_to_num(values)
        table = lookup(item, "LUTDescriptor", "LUTData", known)
        if table is not None:
            return np.where(np.isnan(values), np.nan, table.entries[table.places(known)]), "modality LUT"
        return values, "modality LUT unreadable, left out"
    slope, intercept = header.number("RescaleSlope"), header.number("RescaleIntercept")
    if slope is None and intercept is None:
        return values, ""
    if not slope:  # zero, or missing beside an intercept: an image of one value is what nobody meant
        return values, "rescale slope zero or missing, values as stored"
    offset = intercept or 0.0
    scaled = values * slope + offset
    if not (np.abs(scaled[np.isfinite(values)]) < LARGEST).all():
        return values, "rescale out of range, values as stored"
    return scaled, "" if (slope, offset) == (1.0, 0.0) else f"rescale {slope:g}, {offset:g}"


def padding(levels: Levels, header: Header, bits: int, signed: bool) -> tuple[NDArray[np.bool_], str]:
    """Find the levels that stand for no tissue.

    A padding value that does not fit into the stored bits is compared with the whole word.

    Returns:
        (L,) bool, and what was found in words. Nothing is padding where all would be.
    """
    none = np.zeros(len(levels.values), bool)
    value, limit = header.whole("PixelPaddingValue"), header.whole("PixelPaddingRangeLimit")
    if value is None:
        return none, ""
    ends = sorted(_signed(end, signed) for end in (value, value if limit is None else limit))
    found = (levels.values >= ends[0]) & (levels.values <= ends[1])
    if levels.words.dtype.itemsize == 2 and not -(1 << bits - 1) <= _signed(value, signed) < 1 << bits:
        found |= levels.present == value & 0xFFFF
    if found.all():
        return none, "padding value ignored: no other is there"
    share = levels.counts[found].sum() / levels.counts.sum()
    return found, f"padding black ({share:.1%})" if share else ""


def _signed(value: int, signed: bool) -> int:
    """Read a number of 16 bit, whose VR need not agree with the sign of the pixels."""
    word = value & 0xFFFF
    return word - 65_536 if signed and word > 32_767 else word
