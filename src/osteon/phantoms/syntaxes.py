"""One frame of unsigned 16-bit values in the bytes of a transfer syntax, without loss and alike on every call."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteon.errors import OsteonError

RLE, JPEG_LOSSLESS, JPEG_LS, JPEG_2000 = (f"1.2.840.10008.1.2.{end}" for end in ("5", "4.70", "4.80", "4.90"))


def encode(values: NDArray[np.uint16], bits: int, syntax: str) -> bytes | None:
    """Encode a frame.

    Args:
        values: (height, width), below 2**bits.
        bits: stored.
        syntax: transfer syntax UID.

    Returns:
        The code stream, or None where the syntax stores values as they are.

    Raises:
        OsteonError: the encoder refused.
    """
    if syntax == JPEG_2000:
        from imagecodecs import jpeg2k_encode

        return bytes(jpeg2k_encode(values, codecformat="j2k", reversible=True, level=0, bitspersample=bits))
    if syntax == JPEG_LS:
        return _jpeg_ls(values, bits)
    return _by_gdcm(values, bits, syntax) if syntax in (RLE, JPEG_LOSSLESS) else None


def _jpeg_ls(values: NDArray[np.uint16], bits: int) -> bytes:
    from pydicom.pixels.encoders.base import JPEGLSLosslessEncoder

    about: dict[str, Any] = {"rows": values.shape[0], "columns": values.shape[1], "number_of_frames": 1}
    about |= {"samples_per_pixel": 1, "photometric_interpretation": "MONOCHROME2", "pixel_representation": 0}
    plain = values.astype("<u2").tobytes()
    return JPEGLSLosslessEncoder.encode(plain, encoding_plugin="pyjpegls", bits_allocated=16, bits_stored=bits, **about)


def _by_gdcm(values: NDArray[np.uint16], bits: int, syntax: str) -> bytes:
    import gdcm

    writer = gdcm.ImageWriter()  # owns the image: one made alone is freed twice, and the process aborts
    image = writer.GetImage()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((values.shape[1], values.shape[0], 1))
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(gdcm.PhotometricInterpretation.MONOCHROME2))
    image.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.ExplicitVRLittleEndian))
    image.SetPixelFormat(gdcm.PixelFormat(1, 16, bits, bits - 1, 0))
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetByteStringValue(values.astype("<u2").tobytes())
    image.SetDataElement(element)
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(syntax)))
    change.SetInput(image)
    if not change.Change():
        raise OsteonError(f"gdcm cannot encode a film of {bits} bits as {syntax}; expected a lossless code stream.")
    fragments = change.GetOutput().GetDataElement().GetSequenceOfFragments()
    text: str = fragments.GetFragment(0).GetByteValue().GetBuffer()
    return text.encode("utf-8", "surrogateescape")
