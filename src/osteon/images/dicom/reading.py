"""The bytes of a DICOM file to its header and the element that holds the pixels."""

import io
import re
import struct
import warnings
import zlib
from dataclasses import dataclass

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag

from osteon.images.plain import MAX_PIXELS
from osteon.images.radiograph import ImageError

# What pydicom finds odd in a header is judged and said here; its warnings would name values of patients on stderr.
warnings.filterwarnings("ignore", module=r"pydicom(\..*)?")

IMPLICIT, BIG_ENDIAN, DEFLATED = "1.2.840.10008.1.2", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"
# All that is ever looked at: everything else, private or personal, is skipped unread.
KEYWORDS = (
    "SOPClassUID", "BodyPartExamined", "ViewPosition", "ViewCodeSequence", "ImageLaterality", "Laterality",
    "FrameLaterality", "PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing", "SamplesPerPixel",
    "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames", "Rows", "Columns", "BitsAllocated",
    "BitsStored", "HighBit", "PixelRepresentation", "PixelPaddingValue", "PixelPaddingRangeLimit", "WindowCenter",
    "WindowWidth", "VOILUTFunction", "RescaleIntercept", "RescaleSlope", "ModalityLUTSequence", "VOILUTSequence",
    "PresentationLUTShape", "RedPaletteColorLookupTableDescriptor", "GreenPaletteColorLookupTableDescriptor",
    "BluePaletteColorLookupTableDescriptor", "RedPaletteColorLookupTableData", "GreenPaletteColorLookupTableData",
    "BluePaletteColorLookupTableData", "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
    "ExtendedOffsetTable",
)  # fmt: skip
TAGS: list[BaseTag | int] = [BaseTag(tag_for_keyword(keyword) or 0) for keyword in KEYWORDS]
_PIXELS = {0x7FE00008: "float", 0x7FE00009: "double", 0x7FE00010: "integer"}
_LONG = {b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"UN", b"UT", b"UC", b"UR", b"SQ", b"SV", b"UV"}
_UNDEFINED = 0xFFFFFFFF
_LARGE, _ITEMS = 1 << 20, 50_000  # bytes of a header that is worth counting in, and items in it
_VR = re.compile(rb"[A-Z]{2}")


@dataclass(frozen=True)
class Element:
    """The pixel data element.

    Attributes:
        kind: `integer`, `float` (32 bit) or `double`.
        vr: `OB`, `OW` ...; empty where the file does not say.
        value: the bytes of the value that the file holds.
        length: the bytes that it states; None where it leaves the length open (compressed data).
    """

    kind: str
    vr: str
    value: memoryview
    length: int | None


@dataclass(frozen=True)
class File:
    """A file taken apart.

    Attributes:
        syntax: transfer syntax UID; empty where the file names none.
        little: byte order of header and native pixels.
        dataset: the header, reduced to `KEYWORDS`.
        element: the pixel data; None where there is none.
    """

    syntax: str
    little: bool
    dataset: Dataset
    element: Element | None


def take_apart(data: bytes) -> File:
    """Read the header up to the pixel data.

    Raises:
        ImageError: deflated data are damaged or larger than any radiograph.
    """
    syntax, start = _meta(data, 132 if data[128:132] == b"DICM" else 0)
    if syntax == DEFLATED:
        data, start = _inflate(data[start:]), 0
    implicit, little = _form(syntax, data[start : start + 6])
    _check_items(data, start, little)
    stream = io.BytesIO(data)
    stream.seek(start)
    # Pixels come last of what is looked at; what follows them (0x7FE0 is a sorted group) is padding and signatures.
    dataset = read_dataset(stream, implicit, little, stop_when=_at_pixels, specific_tags=TAGS)
    return File(syntax, little, dataset, _element(data, stream.tell(), little))


def _check_items(data: bytes, start: int, little: bool) -> None:
    """Refuse a header of more items than any sequence has: each costs pydicom a kilobyte and a dataset."""
    before, item = (b"\xe0\x7f", b"\xfe\xff\x00\xe0") if little else (b"\x7f\xe0", b"\xff\xfe\xe0\x00")
    end = data.find(before, start)
    if (end if end >= 0 else len(data)) - start > _LARGE and data.count(
        item, start, end if end >= 0 else None
    ) > _ITEMS:
        raise ImageError(f"damaged: a header of more than {_ITEMS:,} items of sequences")


def _at_pixels(tag: BaseTag, _: str | None, __: int) -> bool:
    return int(tag) in _PIXELS


def _meta(data: bytes, start: int) -> tuple[str, int]:
    """Return the transfer syntax and where the dataset begins; group 0002 is explicit little endian in every file."""
    syntax = ""
    while data[start : start + 2] == b"\x02\0" and start + 12 <= len(data):
        element, vr, length = struct.unpack_from("<H2sH", data, start + 2)
        value = start + 8
        if vr in _LONG:
            length, value = struct.unpack_from("<I", data, start + 8)[0], start + 12
        elif not _VR.fullmatch(vr):
            length = struct.unpack_from("<I", data, start + 4)[0]
        if element == 0x0010:
            text = data[value : value + min(length, 64)].rstrip(b"\0 ").decode("ascii", "replace")
            syntax = text if re.fullmatch(r"[0-9.]{5,64}", text) else ""
        start = value + length
    return syntax, start


def _form(syntax: str, head: bytes) -> tuple[bool, bool]:
    """Return whether VRs are left out, and whether the byte order is little endian."""
    if syntax:
        return syntax == IMPLICIT, syntax != BIG_ENDIAN
    return not _VR.fullmatch(head[4:6]), head[:1] != b"\0"


def _inflate(data: bytes) -> bytes:
    limit = 2 * MAX_PIXELS + (64 << 20)
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        found = inflater.decompress(data, limit)
    except zlib.error as fault:
        raise ImageError("damaged: a deflated DICOM that cannot be inflated") from fault
    if inflater.unconsumed_tail:
        raise ImageError(f"too large: a deflated DICOM of more than {limit:,} bytes")
    if not inflater.eof:
        raise ImageError("truncated: a deflated DICOM without its end")
    return found


def _element(data: bytes, place: int, little: bool) -> Element | None:
    order = "<" if little else ">"
    if len(data) < place + 8:
        return None
    group, number = struct.unpack_from(order + "HH", data, place)
    kind = _PIXELS.get(group << 16 | number)
    if kind is None:
        return None
    vr, value = data[place + 4 : place + 6], place + 8
    if vr in _LONG and len(data) >= place + 12:  # a length never reads as one of these: they would make it odd
        length, value = struct.unpack_from(order + "I", data, place + 8)[0], place + 12
    elif _VR.fullmatch(vr):
        length = struct.unpack_from(order + "H", data, place + 6)[0]
    else:
        length, vr = struct.unpack_from(order + "I", data, place + 4)[0], b""
    stated = None if length == _UNDEFINED else length
    end = len(data) if stated is None else value + stated
    return Element(kind, vr.decode("ascii"), memoryview(data)[value:end], stated)
