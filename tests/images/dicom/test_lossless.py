"""One image in every lossless syntax by several encoders: the reader sees the same values, bit for bit."""

import io
import warnings
from collections.abc import Callable

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.encaps import generate_frames
from pydicom.pixels import get_decoder
from pydicom.uid import JPEG2000, UID, JPEG2000Lossless, JPEGLossless, JPEGLosslessSV1, JPEGLSLossless

from tests.images.dicom.encoders import LOSSLESS
from tests.images.dicom.probes import read_back
from tests.images.dicom.writing import NATIVE, Choices, write

FORMATS = ((8, False), (10, False), (12, False), (15, False), (16, False), (8, True), (12, True), (16, True))
EVEN, ODD = (22, 34), (21, 33)  # gdcm cannot pack 8-bit images of odd size


def ramp(bits: int, signed: bool, shape: tuple[int, int]) -> NDArray[np.int64]:
    """Return noise over a slope that reaches both ends of the range, no two rows or columns alike."""
    rng = np.random.default_rng(bits)
    top = (1 << bits) - 1
    slope = np.add.outer(np.linspace(0, 0.6, shape[0]), np.linspace(0, 0.4, shape[1]))
    values = np.clip(np.rint((slope + rng.normal(0, 0.05, shape)) * top), 0, top).astype(np.int64)
    values[0, 0], values[-1, -1] = 0, top
    return values - (1 << bits - 1) if signed else values


def chosen(bits: int, signed: bool, name: str) -> Choices:
    syntax, encoder = LOSSLESS[name]
    return Choices(allocated=8 if bits == 8 else 16, stored=bits, signed=signed, syntax=syntax, encoder=encoder)


@pytest.mark.parametrize(("bits", "signed"), FORMATS)
@pytest.mark.parametrize("name", LOSSLESS)
def test_the_reader_sees_every_stored_bit(name: str, bits: int, signed: bool) -> None:
    shape = EVEN if "gdcm" in name else ODD
    values = ramp(bits, signed, shape)
    assert np.array_equal(read_back(values, chosen(bits, signed, name)), values)


@pytest.mark.parametrize(("bits", "signed"), FORMATS)
@pytest.mark.parametrize("syntax", NATIVE, ids=lambda uid: uid.name)
def test_uncompressed_stored_bits(syntax: UID, bits: int, signed: bool) -> None:
    values = ramp(bits, signed, ODD)
    for high, junk in ((None, 0), (None, 0xFFFF), (15 if bits > 8 else 7, 0x5A5A)):
        choices = Choices(8 if bits == 8 else 16, bits, high, signed, syntax=syntax, junk=junk)
        assert np.array_equal(read_back(values, choices), values)


@pytest.mark.parametrize("name", LOSSLESS)
def test_a_frame_of_several_fragments_is_one_image(name: str) -> None:
    values = ramp(12, False, EVEN)
    choices = chosen(12, False, name)
    split = Choices(**{**vars(choices), "split": 3})
    if name.startswith("RLE"):
        pytest.skip("RLE: one fragment a frame (PS3.5 A.4.2)")
    assert np.array_equal(read_back(values, split), values)


Decoder = Callable[[bytes, bytes], NDArray[np.generic]]


def plugin(name: str) -> Decoder:
    """Return one of pydicom's decoders by the name of its plugin."""

    def decode(data: bytes, _: bytes) -> NDArray[np.generic]:
        dataset = dcmread(io.BytesIO(data))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return get_decoder(dataset.file_meta.TransferSyntaxUID).as_array(dataset, decoding_plugin=name)[0]

    return decode


def code(function: Callable[[bytes], NDArray[np.generic]]) -> Decoder:
    return lambda _, codestream: function(codestream)


DECODERS: dict[str, dict[str, Decoder]] = {
    JPEGLosslessSV1: {"gdcm": plugin("gdcm"), "ljpeg": code(imagecodecs.ljpeg_decode)},
    JPEGLossless: {"gdcm": plugin("gdcm"), "libjpeg-turbo": code(imagecodecs.jpeg8_decode)},
    JPEGLSLossless: {
        "gdcm": plugin("gdcm"),
        "pyjpegls": plugin("pyjpegls"),
        "imagecodecs": code(imagecodecs.jpegls_decode),
    },
    JPEG2000Lossless: {"gdcm": plugin("gdcm"), "imagecodecs": code(imagecodecs.jpeg2k_decode)},
    JPEG2000: {"gdcm": plugin("gdcm"), "imagecodecs": code(imagecodecs.jpeg2k_decode)},
}


@pytest.mark.parametrize(("bits", "signed"), [one for one in FORMATS if not one[1] or one[0] == 16])
@pytest.mark.parametrize("name", [name for name in LOSSLESS if LOSSLESS[name][0] in DECODERS])
def test_independent_decoders_agree_bit_for_bit(name: str, bits: int, signed: bool) -> None:
    values = ramp(bits, signed, EVEN)
    choices = chosen(bits, signed, name)
    data = write(values, choices)
    codestream = next(generate_frames(dcmread(io.BytesIO(data)).PixelData, number_of_frames=1))
    kept = (1 << bits) - 1
    for label, decoder in DECODERS[choices.syntax].items():
        found = np.asarray(decoder(data, codestream)).astype(np.int64) & kept
        assert np.array_equal(found, values & kept), label
