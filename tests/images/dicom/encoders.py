"""Encoders of every compressed syntax, several for each lossless one, each named by its library."""

import io
import os
import tempfile
from dataclasses import replace
from pathlib import Path

import gdcm
import imagecodecs
import jpeg_ls
import numpy as np
from PIL import Image
from pydicom import dcmread
from pydicom.encaps import generate_frames
from pydicom.pixels import get_encoder
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from tests.images.dicom.writing import Choices, Encoder, Values, words, write


def placed(values: Values, choices: Choices) -> np.ndarray:
    """Return the unsigned words that a codec packs: two's complement in the stored bits, nothing above them."""
    whole = np.ascontiguousarray(words(values, replace(choices, junk=0, high=None)))
    return whole.astype(np.uint8 if choices.allocated == 8 else np.uint16)


def rle(values: Values, choices: Choices) -> bytes:
    """Return PS3.5 annex G: one PackBits segment a byte plane, the most significant first, each row by itself."""
    grey = placed(values, choices)
    planes = grey.astype(grey.dtype.newbyteorder(">")).view(np.uint8).reshape(*values.shape, grey.itemsize)
    if values.ndim == 2:
        planes = planes[:, :, None]
    segments = []
    for sample in range(planes.shape[2]):
        for byte in range(planes.shape[3]):
            code = b"".join(bytes(imagecodecs.packbits_encode(row.tobytes())) for row in planes[:, :, sample, byte])
            segments.append(code + b"\0" * (len(code) % 2))
    starts = [64 + sum(len(one) for one in segments[:place]) for place in range(len(segments))]
    return np.array([len(segments), *starts, *[0] * (15 - len(starts))], "<u4").tobytes() + b"".join(segments)


def rle_pydicom(values: Values, choices: Choices) -> bytes:
    plane = placed(values, choices)
    return get_encoder(RLELossless).encode(
        plane,
        rows=plane.shape[0],
        columns=plane.shape[1],
        samples_per_pixel=1,
        number_of_frames=1,
        bits_allocated=choices.allocated,
        bits_stored=choices.allocated,
        photometric_interpretation=choices.photometric,
        pixel_representation=0,
        encoding_plugin="pydicom",
    )


def ljpeg(values: Values, choices: Choices) -> bytes:
    return bytes(imagecodecs.ljpeg_encode(placed(values, choices), bitspersample=choices.stored))


def jpeg_predictor(predictor: int) -> Encoder:
    """Return a JPEG lossless encoder with one of the seven predictors of ISO 10918-1 table H.1."""

    def encode(values: Values, choices: Choices) -> bytes:
        return bytes(
            imagecodecs.jpeg8_encode(
                placed(values, choices), lossless=True, predictor=predictor, bitspersample=choices.stored
            )
        )

    return encode


def jpegls_pyjpegls(values: Values, choices: Choices) -> bytes:
    return bytes(jpeg_ls.encode_array(placed(values, choices)))


def jpegls_near(values: Values, choices: Choices) -> bytes:
    return bytes(jpeg_ls.encode_array(placed(values, choices), lossy_error=2))


def jpegls_imagecodecs(values: Values, choices: Choices) -> bytes:
    return bytes(imagecodecs.jpegls_encode(placed(values, choices)))


def jpeg2k(values: Values, choices: Choices) -> bytes:
    return bytes(
        imagecodecs.jpeg2k_encode(
            placed(values, choices), level=0, codecformat="j2k", reversible=True, bitspersample=choices.stored
        )
    )


def jpeg2k_pillow(values: Values, choices: Choices) -> bytes:
    into = io.BytesIO()
    Image.fromarray(placed(values, choices)).save(into, "JPEG2000", no_jp2=True, irreversible=False)
    return into.getvalue()


def jpeg2k_lossy(values: Values, choices: Choices) -> bytes:
    code = imagecodecs.jpeg2k_encode(
        placed(values, choices), level=60, codecformat="j2k", reversible=False, bitspersample=choices.stored
    )
    return bytes(code)


def htj2k(values: Values, choices: Choices) -> bytes:
    return bytes(imagecodecs.htj2k_encode(placed(values, choices), reversible=True))


def jpeg_extended(values: Values, choices: Choices) -> bytes:
    return bytes(imagecodecs.jpeg8_encode(placed(values, choices), level=98, bitspersample=12))


def jpeg_baseline(values: Values, choices: Choices) -> bytes:
    into = io.BytesIO()
    Image.fromarray(placed(values, choices)).save(into, "JPEG", quality=98)
    return into.getvalue()


def by_gdcm(syntax: UID) -> Encoder:
    """Return an encoder that lets gdcm transcode a whole file and hands back its one frame."""

    def encode(values: Values, choices: Choices) -> bytes:
        plain = write(values, Choices(choices.allocated, choices.stored, signed=choices.signed))
        return transcoded(plain, syntax)

    return encode


def transcoded(plain: bytes, syntax: UID) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "a.dcm"), Path(folder, "b.dcm")
        source.write_bytes(plain)
        reader = gdcm.ImageReader()
        reader.SetFileName(os.fspath(source))
        assert reader.Read()
        change = gdcm.ImageChangeTransferSyntax()
        change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(str(syntax))))
        change.SetInput(reader.GetImage())
        assert change.Change(), syntax
        writer = gdcm.ImageWriter()
        writer.SetFileName(os.fspath(target))
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        assert writer.Write()
        return next(generate_frames(dcmread(target).PixelData, number_of_frames=1))


# Every lossless syntax with each encoder at hand. JPEG predictors are those of .57; .70 is predictor 1.
LOSSLESS: dict[str, tuple[UID, Encoder]] = {
    "RLE by annex G": (RLELossless, rle),
    "RLE pydicom": (RLELossless, rle_pydicom),
    "JPEG lossless .70 imagecodecs.ljpeg": (JPEGLosslessSV1, ljpeg),
    "JPEG lossless .70 gdcm": (JPEGLosslessSV1, by_gdcm(JPEGLosslessSV1)),
    "JPEG lossless .57 gdcm": (JPEGLossless, by_gdcm(JPEGLossless)),
    **{f"JPEG lossless .57 predictor {n}": (JPEGLossless, jpeg_predictor(n)) for n in range(1, 8)},
    "JPEG-LS pyjpegls": (JPEGLSLossless, jpegls_pyjpegls),
    "JPEG-LS imagecodecs": (JPEGLSLossless, jpegls_imagecodecs),
    "JPEG-LS gdcm": (JPEGLSLossless, by_gdcm(JPEGLSLossless)),
    "JPEG 2000 imagecodecs": (JPEG2000Lossless, jpeg2k),
    "JPEG 2000 Pillow": (JPEG2000Lossless, jpeg2k_pillow),
    "JPEG 2000 gdcm": (JPEG2000Lossless, by_gdcm(JPEG2000Lossless)),
    "JPEG 2000 .91, in fact lossless": (JPEG2000, jpeg2k),
    "HTJ2K": (HTJ2KLossless, htj2k),
    "HTJ2K RPCL": (HTJ2KLosslessRPCL, htj2k),
    "HTJ2K .203, in fact lossless": (HTJ2K, htj2k),
}
LOSSY: dict[str, tuple[UID, Encoder, Choices]] = {
    "JPEG baseline": (JPEGBaseline8Bit, jpeg_baseline, Choices(allocated=8, stored=8)),
    "JPEG extended, 8 bit": (JPEGExtended12Bit, jpeg_baseline, Choices(allocated=8, stored=8)),
    "JPEG extended, 12 bit": (JPEGExtended12Bit, jpeg_extended, Choices(stored=12)),
    "JPEG-LS near-lossless": (JPEGLSNearLossless, jpegls_near, Choices(stored=12)),
    "JPEG 2000 lossy": (JPEG2000, jpeg2k_lossy, Choices(stored=12)),
}
