"""Traps of grey levels met in real archives or in other frameworks: windows, tables, padding, polarity."""

import io

import numpy as np
import pytest
from PIL import Image

from osteon.images.read import decode
from tests.images.dicom.showing import AS_STORED, BYTES, asymmetric, matches, shown
from tests.images.dicom.writing import Choices, Lut


def test_an_asymmetric_image_is_upright_and_equal_to_its_png() -> None:
    values = asymmetric()
    into = io.BytesIO()
    Image.fromarray(values.astype(np.uint8)).save(into, "PNG")
    assert np.array_equal(shown(values, BYTES).pixels, decode(into.getvalue()).pixels)


@pytest.mark.parametrize("polarity", ["MONOCHROME1", "MONOCHROME2"])
def test_a_window_that_misses_the_data_gives_way_to_percentiles(polarity: str) -> None:
    values = asymmetric(32791) + 32744  # the 16-bit JPEG 2000 of pydicom's own test files
    tags = {"WindowCenter": 2725, "WindowWidth": 5310}
    found = matches(values, Choices(16, 16, photometric=polarity, tags=tags))
    assert np.ptp(found.pixels) == 255
    assert "percentiles" in found.decision


def test_a_voi_table_longer_than_eight_bit_values_does_not_overflow() -> None:
    table = Lut(0, 8, np.clip(np.arange(258), 0, 255).astype(np.uint16))  # 257 does not fit uint8
    values = asymmetric()
    assert np.array_equal(shown(values, Choices(8, 8, voi=(table,))).pixels, values)


def test_a_voi_table_of_signed_eight_bit_values() -> None:
    table = Lut(-128, 8, np.arange(256, dtype=np.uint16))
    values = asymmetric() - 128
    assert np.array_equal(shown(values, Choices(8, 8, signed=True, voi=(table,))).pixels, values + 128)


def test_of_three_windows_the_first_counts() -> None:
    tags = {
        "WindowCenter": [2000, 1800, 2300],
        "WindowWidth": [3000, 1000, 4000],
        "WindowCenterWidthExplanation": ["NORMAL", "HARDER", "SOFTER"],
        "VOILUTFunction": "SIGMOID",
    }
    found = matches(asymmetric(4095), Choices(tags=tags))
    assert "NORMAL" not in found.decision


def test_of_three_voi_tables_the_first_counts_also_before_a_window() -> None:
    curves = [(np.linspace(0, 1, 3447) ** power * 4095).astype(np.uint16) for power in (0.7, 1.0, 1.5)]
    tables = tuple(Lut(625, 12, curve) for curve in curves)  # the descriptor of a mammograph's NORMAL, HARDER, SOFTER
    tags = {"WindowCenter": [700, 800, 900], "WindowWidth": [100, 100, 100], "VOILUTFunction": "SIGMOID"}
    matches(asymmetric(4095), Choices(voi=tables, tags=tags))


def test_a_first_window_without_width_gives_way_to_the_second() -> None:
    matches(asymmetric(4095), Choices(tags={"WindowCenter": [2000, 1800], "WindowWidth": [0, 3000]}))


def test_a_missing_photometric_interpretation_is_assumed_and_said() -> None:
    found = shown(asymmetric(), Choices(8, 8, tags={**AS_STORED, "PhotometricInterpretation": None}))
    assert np.array_equal(found.pixels, asymmetric())
    assert "MONOCHROME2" in found.decision
    assert "assumed" in found.decision


def test_a_modality_table_is_not_rescaled_again() -> None:
    table = Lut(0, 16, (np.arange(4096) * 8).astype(np.uint16))
    tags = {"RescaleSlope": 1, "RescaleIntercept": 0, "WindowCenter": 16000, "WindowWidth": 30000}
    matches(asymmetric(4095), Choices(photometric="MONOCHROME1", modality=table, tags=tags))


def test_a_rescale_slope_of_minus_ten() -> None:
    tags = {"RescaleSlope": -10, "RescaleIntercept": 40950, "WindowCenter": 20000, "WindowWidth": 40000}
    matches(asymmetric(4095), Choices(tags=tags))


@pytest.mark.parametrize(("said", "top"), [(16, 255), (16, 4095), (8, 4095)])
def test_a_voi_table_whose_descriptor_lies_is_neither_black_nor_wrapped(said: int, top: int) -> None:
    table = Lut(0, 16, np.linspace(0, top, 4096).astype(np.uint16), said_bits=said)
    found = shown(asymmetric(4095), Choices(voi=(table,))).pixels.astype(int)
    assert found.max() > 200, "black"
    order = np.argsort(asymmetric(4095).ravel(), kind="stable")
    assert (np.diff(found.ravel()[order]) >= 0).all(), "wrapped"
    assert len(np.unique(found)) > 50, "saturated"


@pytest.mark.parametrize("polarity", ["MONOCHROME1", "MONOCHROME2"])
def test_padding_is_black_and_outside_the_percentiles(polarity: str) -> None:
    values = asymmetric(1000) + 500
    values[:, -8:] = 4095
    found = matches(values, Choices(photometric=polarity, tags={"PixelPaddingValue": 4095}))
    assert not found.pixels[:, -8:].any()
    assert np.ptp(found.pixels[:, :-8]) == 255
    assert "padding" in found.decision


@pytest.mark.parametrize(
    ("photometric", "shape", "inverted"),
    [
        ("MONOCHROME1", None, True),
        ("MONOCHROME1", "INVERSE", True),
        ("MONOCHROME1", "IDENTITY", False),
        ("MONOCHROME2", None, False),
        ("MONOCHROME2", "INVERSE", True),
        ("MONOCHROME2", "IDENTITY", False),
    ],
)
def test_inversion_happens_once(photometric: str, shape: str | None, inverted: bool) -> None:
    tags = {**AS_STORED, **({"PresentationLUTShape": shape} if shape else {})}
    found = shown(asymmetric(), Choices(8, 8, photometric=photometric, tags=tags)).pixels
    assert np.array_equal(found, 255 - asymmetric() if inverted else asymmetric())


def test_a_constant_image_is_constant() -> None:
    found = shown(np.full((5, 6), 700), Choices(tags={"WindowCenter": 100, "WindowWidth": 50})).pixels
    assert np.ptp(found) == 0


def test_a_window_of_width_one_is_a_threshold() -> None:
    values = asymmetric(4095)
    found = shown(values, Choices(tags={"WindowCenter": 1500, "WindowWidth": 1})).pixels
    assert set(np.unique(found)) <= {0, 255} or np.ptp(found) == 255
