"""Stored values read back bit for bit through a reader that shows 8 bits: two modality tables, one a byte."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteon.images.read import decode
from tests.images.dicom.writing import Choices, Lut, write


def read_back(stored: NDArray[Any], choices: Choices, frame: int = 0) -> NDArray[np.int64]:
    """Return the stored values, sign included, that the reader sees in a file written with these choices.

    One table hands on the low byte of a stored value, another its high byte; an exact window of 0 to 255 shows both as
    they are. No polarity, rescale or padding may be among the choices.
    """
    low, high = (_byte(stored, choices, place, frame) for place in (0, 1))
    words = low + 256 * high
    sign = 1 << choices.stored - 1
    return np.asarray((words ^ sign) - sign if choices.signed else words)


def _byte(stored: NDArray[Any], choices: Choices, place: int, frame: int) -> NDArray[np.int64]:
    first = -(1 << choices.stored - 1) if choices.signed else 0
    index = np.arange(first, first + (1 << choices.stored)) & ((1 << choices.stored) - 1)
    byte = index >> 8 * place & 255
    factor = 255 // max(
        int(byte.max()), 1
    )  # over all the greys: a window that leaves most of them unused is not believed
    table = Lut(first, 8, np.asarray(byte * factor, np.uint16))
    window = {"WindowCenter": 127.5, "WindowWidth": 255, "VOILUTFunction": "LINEAR_EXACT"}
    # A byte of one value throughout is a constant image, which no window shows: there is nothing to read back.
    if len(np.unique(table.entries[(stored - first).ravel()])) < 2:
        return np.full(stored.shape[1:] if choices.frames else stored.shape, byte[stored.flat[0] - first])
    written = write(stored, replace(choices, modality=table, tags={**choices.tags, **window}))
    return decode(written, frame).pixels.astype(np.int64) // factor
