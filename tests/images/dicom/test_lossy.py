"""Lossy syntaxes against another decoder, and colour in every compressed syntax against the colour that went in."""

import io
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import imagecodecs
import jpeg_ls
import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.encaps import generate_frames
from pydicom.uid import (
    JPEG2000,
    UID,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLSLossless,
    RLELossless,
)

from osteon.images.read import decode
from tests.images.dicom.encoders import LOSSY, rle
from tests.images.dicom.reference import expect, luma
from tests.images.dicom.writing import Choices, Values, write

DECODERS: dict[UID, Callable[[bytes], np.ndarray]] = {
    JPEGBaseline8Bit: lambda code: np.asarray(Image.open(io.BytesIO(code))),
    JPEGExtended12Bit: imagecodecs.jpeg8_decode,
    JPEG2000: imagecodecs.jpeg2k_decode,
}
DCMDJPEG = shutil.which("dcmdjpeg")


def slope(top: int) -> np.ndarray:
    rng = np.random.default_rng(3)
    values = np.add.outer(np.arange(40) / 40 * 0.6, np.arange(56) / 56 * 0.4) + rng.normal(0, 0.01, (40, 56))
    return np.rint(np.clip(values, 0, 1) * top).astype(np.int64)


def lossy(name: str) -> tuple[np.ndarray, Choices]:
    syntax, encoder, choices = LOSSY[name]
    top = (1 << choices.stored) - 1
    window = {"WindowCenter": top / 2, "WindowWidth": top, "VOILUTFunction": "LINEAR_EXACT"}
    return slope(top), replace(choices, syntax=syntax, encoder=encoder, tags=window)


@pytest.mark.parametrize("name", LOSSY)
def test_a_lossy_image_is_near_what_went_in_and_as_another_decoder_sees_it(name: str) -> None:
    values, choices = lossy(name)
    data = write(values, choices)
    found = decode(data).pixels
    plain = replace(choices, encoder=None)
    assert np.abs(found - expect(values, plain).accepted[0]).mean() < 1.5
    code = next(generate_frames(dcmread(io.BytesIO(data)).PixelData, number_of_frames=1))
    if choices.syntax in DECODERS:
        seen = DECODERS[choices.syntax](code).astype(np.int64)
        assert np.abs(found - expect(seen, plain).accepted[0]).max() <= 1


@pytest.mark.skipif(DCMDJPEG is None, reason="dcmdjpeg (Debian: dcmtk) is not installed")
@pytest.mark.parametrize("name", [name for name in LOSSY if LOSSY[name][0] in {JPEGBaseline8Bit, JPEGExtended12Bit}])
def test_a_jpeg_is_decoded_as_by_dcmtk(name: str, tmp_path: Path) -> None:
    values, choices = lossy(name)
    source, plain = tmp_path / "a.dcm", tmp_path / "b.dcm"
    source.write_bytes(write(values, choices))
    subprocess.run([str(DCMDJPEG), "-q", str(source), str(plain)], check=True)
    away = np.abs(decode(source.read_bytes()).pixels.astype(int) - decode(plain.read_bytes()).pixels)
    assert away.max() <= 1


def picture() -> np.ndarray:
    """Return (24, 32, 3) smooth colour whose channels are unlike each other."""
    rows, columns = np.mgrid[:24, :32]
    return np.stack([rows * 9 + 20, columns * 7 + 10, 240 - rows * 4 - columns * 3], -1).astype(np.uint8)


def by_pillow(**options: object) -> Callable[[Values, Choices], bytes]:
    def encode(values: Values, _: Choices) -> bytes:
        into = io.BytesIO()
        Image.fromarray(values.astype(np.uint8)).save(into, **options)  # type: ignore[arg-type]
        return into.getvalue()

    return encode


def jpeg_rgb(values: Values, _: Choices) -> bytes:
    """Return JPEG whose components are red, green and blue: its Adobe marker says that nothing was transformed."""
    return bytes(imagecodecs.jpeg8_encode(values.astype(np.uint8), level=98, colorspace="RGB", outcolorspace="RGB"))


def lossless_rgb(values: Values, _: Choices) -> bytes:
    code = imagecodecs.jpeg8_encode(values.astype(np.uint8), lossless=True, colorspace="RGB", outcolorspace="RGB")
    return bytes(code)


def jpegls(mode: int) -> Callable[[Values, Choices], bytes]:
    def encode(values: Values, _: Choices) -> bytes:
        return bytes(jpeg_ls.encode_array(values.astype(np.uint8), interleave_mode=mode))

    return encode


def jpeg2k(mct: bool) -> Callable[[Values, Choices], bytes]:
    def encode(values: Values, _: Choices) -> bytes:
        return bytes(
            imagecodecs.jpeg2k_encode(values.astype(np.uint8), level=0, codecformat="j2k", reversible=True, mct=mct)
        )

    return encode


COLOUR = {
    "JPEG 4:4:4, YBR_FULL": (JPEGBaseline8Bit, "YBR_FULL", by_pillow(format="JPEG", quality=98, subsampling=0), 3),
    "JPEG 4:2:2": (JPEGBaseline8Bit, "YBR_FULL_422", by_pillow(format="JPEG", quality=98, subsampling=1), 6),
    "JPEG 4:2:0": (JPEGBaseline8Bit, "YBR_FULL_422", by_pillow(format="JPEG", quality=98, subsampling=2), 6),
    "JPEG of RGB": (JPEGBaseline8Bit, "RGB", jpeg_rgb, 4),
    "JPEG lossless of RGB": (JPEGLossless, "RGB", lossless_rgb, 1),
    "RLE": (RLELossless, "RGB", rle, 1),
    "RLE of YBR_FULL": (RLELossless, "YBR_FULL", rle, 1),
    "JPEG-LS by line": (JPEGLSLossless, "RGB", jpegls(1), 1),
    "JPEG-LS by sample": (JPEGLSLossless, "RGB", jpegls(2), 1),
    "JPEG 2000, RCT": (JPEG2000Lossless, "YBR_RCT", jpeg2k(True), 1),
    "JPEG 2000, RCT but RGB stated": (JPEG2000Lossless, "RGB", jpeg2k(True), 1),
    "JPEG 2000, RGB": (JPEG2000Lossless, "RGB", jpeg2k(False), 1),
}


@pytest.mark.parametrize("name", COLOUR)
def test_colour_becomes_luma_in_every_compressed_syntax(name: str) -> None:
    syntax, photometric, encoder, tolerance = COLOUR[name]
    values = picture()
    if name == "RLE of YBR_FULL":
        values = np.clip(values, 100, 156)
    choices = Choices(8, 8, photometric=photometric, syntax=syntax, encoder=encoder)
    found = decode(write(values.astype(np.int64), choices)).pixels
    wanted = values[..., 0].astype(float) if name == "RLE of YBR_FULL" else luma(values)
    assert np.abs(found - wanted).max() <= tolerance
