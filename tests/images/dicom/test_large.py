"""A large film is shown through its window from a sample of its pixels: the same picture as from all of them."""

from typing import Any

import numpy as np
import pytest

from osteon.images import decode, dicom
from osteon.images.dicom.levels import _WORTH
from tests.images.dicom.test_decode import film

SHAPE = (1100, 1000)
assert SHAPE[0] * SHAPE[1] > _WORTH


def noisy() -> np.ndarray:
    """Values of 12 bit, each of them somewhere, the rare ones where no sample is drawn."""
    rng = np.random.default_rng(0)
    values = np.clip(rng.normal(1500, 400, SHAPE), 100, 3500).astype(np.uint16)
    values[1, 1::2][: 4096 // 16] = np.arange(0, 4096, 16)
    return values


@pytest.mark.parametrize(
    "tags",
    [
        {"WindowCenter": 1500, "WindowWidth": 2000},
        {"WindowCenter": 1500, "WindowWidth": 2000, "PhotometricInterpretation": "MONOCHROME1"},
        {"WindowCenter": 0, "WindowWidth": 900, "RescaleSlope": -1, "RescaleIntercept": 1500, "PixelRepresentation": 1},
        {"WindowCenter": 1500, "WindowWidth": 800, "VOILUTFunction": "SIGMOID", "PresentationLUTShape": "INVERSE"},
        {"WindowCenter": 3400, "WindowWidth": 300},
        {"WindowCenter": 32768, "WindowWidth": 65536},
        {"WindowCenter": 1500, "WindowWidth": 2000, "PixelPaddingValue": 1500},
        {},
    ],
    ids=["plain", "inverted", "rescaled", "sigmoid", "hits few", "too wide", "padded", "no window"],
)
def test_the_sample_changes_no_pixel(tags: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    values = noisy() & 0x7FF if tags.get("PixelRepresentation") else noisy()
    data = film(values, **tags)
    quick = decode(data)
    monkeypatch.setattr(dicom, "_windowed", lambda *_: None)
    whole = decode(data)
    assert quick.decision == whole.decision
    assert np.array_equal(quick.pixels, whole.pixels)
