"""Traps of uncompressed colour: palettes, planes, YBR."""

import numpy as np
import pytest
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
)

from osteon.images.read import decode
from tests.images.dicom.showing import asymmetric, shown
from tests.images.dicom.writing import Choices, describe, serialise


@pytest.mark.parametrize("bits", [8, 16])
def test_palette_colour_becomes_luma_through_its_tables(bits: int) -> None:
    values = asymmetric()
    curves = [np.arange(256), 255 - np.arange(256), np.arange(256) // 2]
    scale = 1 if bits == 8 else 257
    tags = {}
    for name, curve in zip(("Red", "Green", "Blue"), curves, strict=True):
        tags[f"{name}PaletteColorLookupTableDescriptor"] = [256, 0, bits]
        tags[f"{name}PaletteColorLookupTableData"] = (curve * scale).astype(f"<u{bits // 8}").tobytes()
    found = shown(values, Choices(8, 8, photometric="PALETTE COLOR", tags=tags)).pixels
    red, green, blue = (curve[values] for curve in curves)
    assert np.abs(found - (0.299 * red + 0.587 * green + 0.114 * blue)).max() <= 1


def colours() -> np.ndarray:
    rows, columns = np.mgrid[:12, :16]
    return np.stack([rows * 20, columns * 16, (rows + columns) * 8 + 20], -1)


def luma(red: np.ndarray, green: np.ndarray, blue: np.ndarray) -> np.ndarray:
    return 0.299 * red + 0.587 * green + 0.114 * blue


@pytest.mark.parametrize("planar", [0, 1])
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian])
def test_rgb_in_both_planar_configurations(planar: int, syntax: object) -> None:
    found = shown(colours(), Choices(8, 8, photometric="RGB", planar=planar, syntax=syntax))  # type: ignore[arg-type]
    assert np.abs(found.pixels - luma(*np.moveaxis(colours(), -1, 0))).max() <= 1


def test_ybr_full_luma_is_its_first_channel() -> None:
    values = np.clip(colours(), 100, 156)  # inside the gamut: the way through RGB loses nothing
    found = shown(values, Choices(8, 8, photometric="YBR_FULL")).pixels
    assert np.abs(found - values[..., 0].astype(float)).max() <= 2


def test_ybr_full_422_uncompressed_shares_its_chroma_between_two_pixels() -> None:
    rows, columns = 6, 8
    grey = np.add.outer(np.arange(rows) * 5, np.arange(columns) * 4) + 100
    code = np.empty((rows, columns // 2, 4), np.uint8)
    code[..., 0], code[..., 1], code[..., 2], code[..., 3] = grey[:, ::2], grey[:, 1::2], 130, 125
    choices = Choices(8, 8, photometric="YBR_FULL_422")
    dataset = describe(np.zeros((rows, columns, 3), np.int64), choices)
    dataset.PixelData = code.tobytes()
    assert np.abs(decode(serialise(dataset, choices)).pixels - grey.astype(float)).max() <= 2
