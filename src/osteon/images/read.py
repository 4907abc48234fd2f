"""An image file as one upright uint8 channel, or the reason why not."""

import re
import struct
from collections.abc import Callable
from pathlib import Path

from osteon.errors import OsteonError
from osteon.images.plain import decode_plain
from osteon.images.radiograph import ImageError, Radiograph, missing

# Part of the cache's key: raise it whenever the same file would give other pixels.
READING_RULE = 2


def read_image(path: Path, frame: int = 0) -> Radiograph:
    """Read one frame of an image file.

    Raises:
        ImageError: the file is missing, empty, truncated, too large, not an image, or lacks the frame.
    """
    try:
        data = path.read_bytes()
    except OSError as fault:
        raise ImageError(missing(fault), path) from fault
    try:
        return decode(data, frame)
    except ImageError as fault:
        raise ImageError(fault.reason, path) from fault


def decode(data: bytes, frame: int = 0) -> Radiograph:
    """Decode the bytes of an image file; the format is told from its content, never from its name.

    Of a plain image, 8-bit values stay as they are; deeper ones are windowed (`osteon.images.window`). Colour becomes
    luma (ITU-R BT.601), transparency lies over black, EXIF orientation is applied. DICOM: `osteon.images.dicom`.

    Raises:
        ImageError: as `read_image`.
    """
    if not data:
        raise ImageError("empty file")
    if looks_like_dicom(data):
        return _dicom_reader()(data, frame)
    return decode_plain(data, frame)


def _dicom_reader() -> Callable[[bytes, int], Radiograph]:
    """Import the reader where the first DICOM file asks for it: plain images never wait for it."""
    try:
        from osteon.images.dicom import decode_dicom
    except (ImportError, AttributeError) as fault:  # AttributeError: a folder `dl` hides what gdcm looks for
        raise OsteonError(
            f"DICOM files cannot be read: pydicom cannot be imported ({fault}). Install Osteon anew, and start where "
            "no file or folder is named like a Python module (dl, gdcm, pydicom)."
        ) from fault
    return decode_dicom


def looks_like_dicom(data: bytes) -> bool:
    """Whether bytes are a DICOM file: by the preamble, else by a first element of group 0002 or 0008 (PS3.10, 7.1)."""
    if data[128:132] == b"DICM":
        return True
    if len(data) < 16 or data[:2] not in {b"\x02\0", b"\x08\0", b"\0\x08"}:
        return False
    element, length = struct.unpack_from("<HI" if data[0] else ">HI", data, 2)
    explicit = re.fullmatch(rb"[A-Z]{2}", data[4:6]) is not None
    return element <= 0x1200 and (explicit or (length % 2 == 0 and length <= 256))
