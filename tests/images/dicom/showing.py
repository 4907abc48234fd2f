"""Images whose every turn and flip looks different, and what the reader shows of them."""

import numpy as np
import pytest

from osteon.images.radiograph import ImageError, Radiograph
from osteon.images.read import decode
from tests.images.dicom.reference import expect
from tests.images.dicom.writing import Choices, write

# LINEAR_EXACT from 0 to 255: eight stored bits come out as they are.
AS_STORED = {"WindowCenter": 127.5, "WindowWidth": 255, "VOILUTFunction": "LINEAR_EXACT"}


BYTES = Choices(8, 8, tags=AS_STORED)


def asymmetric(top: int = 255) -> np.ndarray:
    """Return (13, 29) values of 0 to `top`, with a letter-like blot at the upper left: no turn or flip looks alike."""
    values = np.add.outer(np.arange(13) * 2, np.arange(29)) / (24 + 28) * 0.7 * top
    values[1:4, 1] = values[1, 1:3] = top
    return np.rint(values).astype(np.int64)


def shown(values: np.ndarray, choices: Choices, frame: int = 0) -> Radiograph:
    return decode(write(values, choices), frame)


def fault(data: bytes, frame: int = 0) -> str:
    with pytest.raises(ImageError) as found:
        decode(data, frame)
    return found.value.reason


def matches(values: np.ndarray, choices: Choices) -> Radiograph:
    found = shown(values, choices)
    wanted = expect(values, choices).accepted
    assert len(wanted) == 1
    assert np.abs(found.pixels - wanted[0]).max() <= 1, found.decision
    return found
