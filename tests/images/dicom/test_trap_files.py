"""Traps of how files are built: preamble, word sizes, byte order, frames, fragments, ends that come early."""

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
)

from osteon.images.read import decode
from tests.images.dicom.encoders import jpeg2k
from tests.images.dicom.reference import expect
from tests.images.dicom.showing import AS_STORED, BYTES, asymmetric, fault, matches, shown
from tests.images.dicom.writing import Choices, describe, serialise, write


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian])
def test_a_dataset_without_preamble(syntax: object) -> None:
    values = asymmetric()
    found = shown(values, Choices(8, 8, tags=AS_STORED, preamble=False, syntax=syntax))  # type: ignore[arg-type]
    assert np.array_equal(found.pixels, values)


@pytest.mark.parametrize(("keyword", "dtype"), [("FloatPixelData", np.float32), ("DoubleFloatPixelData", np.float64)])
def test_float_pixel_data(keyword: str, dtype: type) -> None:
    values = asymmetric() / 255.0
    choices = Choices(allocated=8 * np.dtype(dtype).itemsize)
    dataset = describe(values, choices)
    setattr(dataset, keyword, values.astype(dtype).tobytes())
    for tag in ("BitsStored", "HighBit", "PixelRepresentation"):
        delattr(dataset, tag)
    found = decode(serialise(dataset, choices)).pixels
    assert np.abs(found - expect(values, choices).percentiles).max() <= 1


def test_float_pixel_data_that_is_not_finite_still_shows_the_rest() -> None:
    values = asymmetric() / 255.0
    values[5, 5], values[6, 6] = np.nan, np.inf
    choices = Choices(allocated=32)
    dataset = describe(values, choices)
    dataset.FloatPixelData = values.astype(np.float32).tobytes()
    assert np.ptp(decode(serialise(dataset, choices)).pixels) > 200


def test_frames_are_counted_from_zero_and_one_beyond_is_refused() -> None:
    frames = np.stack([asymmetric(), 255 - asymmetric(), asymmetric() // 2])
    data = write(frames, Choices(8, 8, frames=3, tags=AS_STORED))
    for index in range(3):
        assert np.array_equal(decode(data, index).pixels, frames[index])
    for beyond in (3, -1, 10**9):
        assert "3" in fault(data, beyond)
    assert "1" in fault(write(asymmetric(), BYTES), 1)


def test_overlay_bits_above_the_high_bit_are_masked() -> None:
    values = asymmetric(4095)
    tags = {"WindowCenter": 2048, "WindowWidth": 4096}
    junk = np.where(np.arange(values.size).reshape(values.shape) % 3 == 0, 0xF000, 0)
    dirty = Choices(stored=16, high=15)
    dataset = describe(values, Choices(tags=tags))
    dataset.WindowCenter, dataset.WindowWidth = 2048, 4096
    dataset.PixelData = (values | junk).astype("<u2").tobytes()
    found = decode(serialise(dataset, dirty)).pixels
    assert np.array_equal(found, shown(values, Choices(tags=tags)).pixels)
    assert np.abs(found - expect(values, Choices(tags=tags)).accepted[0]).max() <= 1


def test_overlay_bits_below_the_stored_bits_are_shifted_out() -> None:
    choices = Choices(stored=12, high=15, junk=0xF, tags={"WindowCenter": 2048, "WindowWidth": 4096})
    matches(asymmetric(4095), choices)


@pytest.mark.parametrize("syntax", [DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("allocated", [8, 16, 32])
def test_deflated_big_endian_and_implicit_at_every_word_size(syntax: object, allocated: int) -> None:
    choices = Choices(allocated, min(allocated, 12), syntax=syntax, tags=AS_STORED)  # type: ignore[arg-type]
    assert np.array_equal(shown(asymmetric(), choices).pixels, asymmetric())


@pytest.mark.parametrize("signed", [False, True])
def test_thirty_two_bits(signed: bool) -> None:
    values = asymmetric() * 10_000_000 - (1_200_000_000 if signed else 0)
    choices = Choices(32, 32, signed=signed)
    found = shown(values, choices)
    assert np.abs(found.pixels - expect(values, choices).percentiles).max() <= 1
    windowed = Choices(32, 32, signed=signed, tags={"WindowCenter": float(values.mean()), "WindowWidth": 2e9})
    matches(values, windowed)


def test_one_bit_images() -> None:
    values = (asymmetric() > 90).astype(np.int64)
    assert np.array_equal(shown(values, Choices(1, 1)).pixels, values * 255)


def test_truncated_pixels_are_refused_with_byte_counts() -> None:
    reason = fault(write(asymmetric(4095), Choices())[:-100])
    assert "truncated" in reason
    assert str(13 * 29 * 2) in reason.replace(",", "")
    assert str(13 * 29 * 2 - 100) in reason.replace(",", "")


def test_an_odd_fragment_and_a_byte_of_padding() -> None:
    """Archives hold codestreams of odd length; pydicom saves them again with the byte that makes them even behind."""
    values, codes = asymmetric(), []

    def encoder(grey: np.ndarray, choices: Choices) -> bytes:
        codes.append(jpeg2k(grey, choices).rstrip(b"\0"))
        return codes[-1]

    data = write(values, Choices(8, 8, tags=AS_STORED, syntax=JPEG2000Lossless, encoder=encoder))
    start = data.index(codes[0])
    code = codes[0] if len(codes[0]) % 2 else codes[0][:-2] + b"\0\xff\xd9"  # a stray byte before the end marker
    item = len(code).to_bytes(4, "little") + code + b"\0"
    odd = data[: start - 4] + item + b"\xfe\xff\xdd\xe0\0\0\0\0"
    assert np.array_equal(decode(odd).pixels, values)


def test_a_file_without_pixels_is_refused_with_its_kind() -> None:
    choices = Choices()
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.11.1", "1.2.3"
    reason = fault(serialise(dataset, choices))
    assert "without pixel data" in reason
    assert "resentation" in reason or "1.2.840.10008.5.1.4.1.1.11.1" in reason


def test_an_icon_is_not_taken_for_the_image() -> None:
    icon = describe(np.zeros((2, 3), np.int64), Choices(8, 8))
    icon.PixelData = bytes(range(6))
    found = shown(asymmetric(), Choices(8, 8, tags={**AS_STORED, "IconImageSequence": Sequence([icon])}))
    assert np.array_equal(found.pixels, asymmetric())


def test_a_window_and_a_rescale_in_functional_groups() -> None:
    shared = Dataset()
    voi, values = Dataset(), Dataset()
    voi.WindowCenter, voi.WindowWidth, voi.VOILUTFunction = 2047.5, 4095, "LINEAR_EXACT"
    values.RescaleSlope, values.RescaleIntercept, values.RescaleType = 1, 0, "US"
    shared.FrameVOILUTSequence, shared.PixelValueTransformationSequence = Sequence([voi]), Sequence([values])
    tags = {"SharedFunctionalGroupsSequence": Sequence([shared])}
    stored = asymmetric(3000) + 300
    found = shown(stored[None], Choices(frames=1, tags=tags)).pixels
    assert np.abs(found - stored / 4095 * 255).max() <= 1


def test_a_huge_image_is_refused_before_memory_is_taken() -> None:
    data = write(asymmetric(), Choices(8, 8, tags={"Rows": 65535, "Columns": 65535}))
    assert fault(data)
