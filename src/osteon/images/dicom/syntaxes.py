"""Transfer syntaxes: the bytes of one frame to its samples as stored, with the decoder that each syntax needs."""

import struct
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteon.images.dicom.codestream import Codestream, head_of
from osteon.images.dicom.fragments import frame_bytes
from osteon.images.dicom.layout import Layout
from osteon.images.dicom.reading import BIG_ENDIAN, DEFLATED, IMPLICIT, Element, File
from osteon.images.radiograph import ImageError

NATIVE = {"", IMPLICIT, "1.2.840.10008.1.2.1", BIG_ENDIAN, DEFLATED}
RLE = "1.2.840.10008.1.2.5"
# JPEG of every process, JPEG-LS, JPEG 2000, HTJ2K: what lies in the frames tells which.
_STREAMS = {f"1.2.840.10008.1.2.4.{number}" for number in (*range(50, 67), 70, 80, 81, 90, 91, 201, 202, 203)}
_LOSSLESS = {f"1.2.840.10008.1.2.4.{number}" for number in (57, 65, 70, 80, 90, 201, 202)}
_TYPES = {8: "u1", 16: "u2", 32: "u4"}


@dataclass(frozen=True)
class Samples:
    """Decoded samples.

    Attributes:
        words: (H, W) or (H, W, 3); unsigned words of 8, 16 or 32 bit, or floats.
        layout: as it holds for them: a codestream can have other bits than the header says.
        name: the compression in words.
        luma_first: whether the first of three components is the luma.
    """

    words: NDArray[Any]
    layout: Layout
    name: str
    luma_first: bool


def samples_of(file: File, element: Element, layout: Layout, frame: int, extended: bytes) -> Samples:
    """Decode one frame.

    Raises:
        ImageError: truncated, damaged, of another size than the header says, or of a syntax without a decoder.
    """
    luma = layout.photometric.startswith("YBR") and layout.photometric not in {"YBR_ICT", "YBR_RCT"}
    if file.syntax in NATIVE and element.length is not None:
        layout = _as_long_as_it_is(layout, element.value)
        return Samples(_native(file, element, layout, frame), layout, "", luma)
    if file.syntax not in {RLE, *NATIVE, *_STREAMS}:
        raise ImageError(f"transfer syntax {_named(file.syntax)}, which no decoder here reads; store it in another")
    data = frame_bytes(element.value, frame, layout.frames, extended)
    if file.syntax == RLE:
        return Samples(_run_lengths(data, layout), layout, "RLE", luma)
    return _stream(data, layout, file.syntax in _LOSSLESS, luma)


def _named(syntax: str) -> str:
    from pydicom.uid import UID

    return UID(syntax).name if syntax.startswith("1.2.840.10008.") else "of a vendor's own"


def _across(layout: Layout) -> int:
    """Return the samples of a native frame."""
    return layout.rows * layout.columns * (2 if _is_halved(layout) else layout.samples)


def _is_halved(layout: Layout) -> bool:
    """Tell whether two pixels share their colours in native data (4:2:2)."""
    return layout.samples == 3 and layout.photometric.endswith("422")


def _as_long_as_it_is(layout: Layout, value: memoryview) -> Layout:
    """Compare native data with the header; a tenth more than it states, and no padding, is another image.

    Raises:
        ImageError: too short, or too long.
    """
    needed = -(-_across(layout) * layout.allocated * layout.frames // 8)
    whole = layout.rows * layout.columns * layout.samples * layout.allocated * layout.frames // 8
    found = len(value)
    if found < needed:
        raise ImageError(f"truncated: {found:,} bytes of pixel data of {needed:,}")
    if layout.photometric.endswith("422") and whole <= found <= whole + 1:
        return replace(layout, photometric="YBR_FULL", said=(*layout.said, "stored 4:4:4, not 4:2:2"))
    if found > needed + max(needed // 10, 2) and bytes(value[needed:]).strip(b"\0\xff"):
        raise ImageError(f"{found:,} bytes of pixel data where rows, columns, bits and frames make {needed:,}")
    return layout


def _native(file: File, element: Element, layout: Layout, frame: int) -> NDArray[Any]:
    """Return a view of the frame wherever there is nothing to rearrange."""
    across = _across(layout)
    if layout.allocated == 1:
        bits = np.frombuffer(element.value, np.uint8, -(-across * (frame + 1) // 8))
        flat: NDArray[Any] = np.unpackbits(bits, bitorder="little")[across * frame : across * (frame + 1)]
        return flat.reshape(layout.rows, layout.columns)
    order = "<" if file.little else ">"
    kind = {"float": "f4", "double": "f8"}.get(element.kind) or _TYPES.get(layout.allocated)
    if kind is None or int(kind[1]) * 8 != layout.allocated:
        raise ImageError(f"BitsAllocated (0028,0100) is {layout.allocated}, which the pixel data are not made of")
    flat = np.frombuffer(element.value, order + kind, across, across * frame * layout.allocated // 8)
    if not file.little:
        flat = flat.view(">u2").astype("<u2").view("u1") if kind == "u1" and element.vr == "OW" else flat
        flat = flat.astype(flat.dtype.newbyteorder("="))
    return _arranged(np.require(flat, requirements="A"), layout, _is_halved(layout))


def _arranged(flat: NDArray[Any], layout: Layout, halved: bool) -> NDArray[Any]:
    rows, columns = layout.rows, layout.columns
    if halved:  # Y Y Cb Cr: the luma is all that is asked for
        return np.repeat(flat.reshape(-1, 4)[:, :2].reshape(rows, columns, 1), 3, axis=2)
    if layout.samples == 1:
        return flat.reshape(rows, columns)
    return flat.reshape(3, rows, columns).transpose(1, 2, 0) if layout.planar else flat.reshape(rows, columns, 3)


def _run_lengths(data: bytes, layout: Layout) -> NDArray[Any]:
    """Decode RLE: a segment a byte plane, the highest byte of the first sample first (PS3.5 annex G)."""
    from imagecodecs import packbits_decode

    width, pixels = layout.allocated // 8, layout.rows * layout.columns
    if len(data) < 64 or layout.allocated not in _TYPES:
        raise ImageError("truncated: an RLE frame without its header" if len(data) < 64 else "RLE of odd BitsAllocated")
    count, *starts = struct.unpack_from("<16I", data)
    if count != width * layout.samples:
        raise ImageError(f"damaged: an RLE frame of {count} segments, expected {width * layout.samples}")
    starts = [*starts[:count], len(data)]
    planes = np.zeros((layout.samples, pixels, width), np.uint8)
    for number in range(count):
        plane = bytearray(pixels + 2)  # an even segment may decode to a byte of padding
        done = len(packbits_decode(data[starts[number] : starts[number + 1]], out=plane))
        if done < pixels:
            raise ImageError(f"truncated: an RLE segment of {done:,} bytes of {pixels:,}")
        planes[number // width, :, width - 1 - number % width] = np.frombuffer(plane, np.uint8, pixels)
    words = planes.view(f"<u{width}").reshape(layout.samples, layout.rows, layout.columns)
    return words[0] if layout.samples == 1 else words.transpose(1, 2, 0)


def _stream(data: bytes, layout: Layout, lossless: bool, luma: bool) -> Samples:
    head = head_of(data)
    expected, found = (layout.rows, layout.columns), (head.rows, head.columns)
    if expected != found or head.samples != layout.samples:
        raise ImageError(
            f"damaged: the compressed frame has {found[0]} x {found[1]} x {head.samples}, "
            f"the header says {expected[0]} x {expected[1]} x {layout.samples}"
        )
    try:
        words, luma = _decoded(data, head, luma)
    except RuntimeError as fault:  # what every decoder of imagecodecs raises
        raise ImageError(f"damaged or truncated: {head.name} data that their decoder refuses") from fault
    if words.shape[:2] != expected or words.ndim != (2 if layout.samples == 1 else 3) or words.dtype.kind not in "iu":
        raise ImageError("damaged: a compressed frame that decodes to another shape than it states")
    return Samples(words.view(f"u{words.dtype.itemsize}"), _bits(head, layout, lossless), head.name, luma)


def _decoded(data: bytes, head: Codestream, luma: bool) -> tuple[NDArray[Any], bool]:
    import imagecodecs

    if head.name == "JPEG-LS":
        return imagecodecs.jpegls_decode(data), luma
    if head.name in {"JPEG 2000", "HTJ2K"}:  # OpenJPEG reads both, and refuses what is truncated
        return imagecodecs.jpeg2k_decode(data), luma
    if head.samples == 1:
        return imagecodecs.jpeg8_decode(data), luma
    # The components as they are: what the stream says of them goes before the header, as everywhere.
    colours = head.colours or ("YCBCR" if luma else "RGB")
    return imagecodecs.jpeg8_decode(data, colorspace=colours, outcolorspace=colours), colours == "YCBCR"


def _bits(head: Codestream, layout: Layout, lossless: bool) -> Layout:
    """Return which bits of the decoded words count.

    Whole words, unused bits and all, can only have been compressed without loss: they are masked as native ones are.
    Else values are what the stream says, and a sign lies in its uppermost bit or, if lower, the header's.
    """
    whole = lossless and head.bits == layout.allocated and not head.signed
    if whole:
        return layout
    if head.signed and layout.signed:
        width = 8 * -(-head.bits // 8) if head.bits <= 16 else 32  # the decoder has extended the sign
    elif layout.signed:
        width = min(head.bits, layout.stored)
    else:
        width = head.bits
    return replace(layout, stored=width, shift=0)
