"""Colour objects to one channel: luma (ITU-R BT.601), as plain images get it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from osteon.images.dicom.header import Header
from osteon.images.dicom.levels import Levels, levels
from osteon.images.dicom.lookup import Lookup, lookup
from osteon.images.dicom.syntaxes import Samples
from osteon.images.radiograph import ImageError
from osteon.images.window import window

_WEIGHTS = np.array([0.299, 0.587, 0.114])
_STRIP = 64  # rows at a time, so that floats of a large image never lie in memory together


def luma(samples: Samples) -> tuple[NDArray[np.uint8], str]:
    """Return (H, W) uint8 of a colour image, and how in words; more than 8 bit are windowed by percentiles."""
    words, layout = samples.words, samples.layout
    if words.dtype.kind != "u" or layout.signed:
        raise ImageError(f"{layout.photometric} with values that are no unsigned integers")
    if layout.shift or layout.stored < 8 * words.dtype.itemsize:
        words = (words >> layout.shift) & ((1 << layout.stored) - 1)
    first = np.ascontiguousarray(words[..., 0])
    if words.dtype == np.uint8 and layout.stored == 8:
        grey = first if samples.luma_first else np.asarray(Image.fromarray(np.ascontiguousarray(words)).convert("L"))
        return grey, "luma, 8 bit as stored"
    grey, said = window(first if samples.luma_first else _deep(words))
    return grey, f"luma, {said}"


def _deep(words: NDArray[Any]) -> NDArray[Any]:
    found = np.empty(words.shape[:2], words.dtype)
    for row in range(0, len(words), _STRIP):
        found[row : row + _STRIP] = np.rint(words[row : row + _STRIP] @ _WEIGHTS)
    return found


def palette(samples: Samples, header: Header) -> tuple[NDArray[np.uint8], str]:
    """Return (H, W) uint8 of indices into a palette, and how in words (PS3.3 C.7.6.3.1.5).

    Raises:
        ImageError: a colour's table is missing, segmented or unreadable.
    """
    found: Levels = levels(samples.words, samples.layout)
    tables = [_table(header, colour, found.values) for colour in ("Red", "Green", "Blue")]
    top = max(table.top for table in tables)
    colours = np.stack([table.entries[table.places(found.values)] for table in tables], axis=1)
    return found.paint(np.rint(colours @ _WEIGHTS * (255.0 / top)).astype(np.uint8)), "palette, luma"


def _table(header: Header, colour: str, values: NDArray[np.float64]) -> Lookup:
    stem = f"{colour}PaletteColorLookupTable"
    table = lookup(header, f"{stem}Descriptor", f"{stem}Data", values)
    if table is None:
        raise ImageError(f"PALETTE COLOR whose {colour.lower()} table is missing, segmented or unreadable")
    return table
