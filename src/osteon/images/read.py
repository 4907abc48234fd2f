"""An image file as one upright uint8 channel, or the reason why not."""

from pathlib import Path

from osteon.images.plain import decode_plain
from osteon.images.radiograph import ImageError, Radiograph, missing

# Part of the cache's key: raise it whenever the same file would give other pixels.
READING_RULE = 1


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

    8-bit values stay as they are; deeper ones are windowed (`osteon.images.window`). Colour becomes luma (ITU-R
    BT.601), transparency lies over black, EXIF orientation is applied.

    Raises:
        ImageError: as `read_image`.
    """
    if not data:
        raise ImageError("empty file")
    if data[128:132] == b"DICM":
        raise ImageError("a DICOM file; this release reads PNG, JPEG, TIFF and other plain images")
    return decode_plain(data, frame)
