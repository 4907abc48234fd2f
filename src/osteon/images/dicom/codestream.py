"""The head of a compressed frame: what its decoder would allocate, known before the decoder is called."""

import struct
from dataclasses import dataclass

from osteon.images.radiograph import ImageError

_NAMES = {0xC0: "JPEG", 0xC1: "JPEG Extended", 0xC2: "JPEG progressive", 0xC3: "JPEG lossless", 0xF7: "JPEG-LS"}
_BARE = {0x01, *range(0xD0, 0xD9)}  # markers without a length
_RGB = (b"RGB", b"rgb")
_MOST_SCANS = 100  # a hostile progressive file repeats scans without end


@dataclass(frozen=True)
class Codestream:
    """What a compressed frame says of itself.

    Attributes:
        name: `JPEG`, `JPEG Extended`, `JPEG progressive`, `JPEG lossless`, `JPEG-LS`, `JPEG 2000`, `HTJ2K`.
        rows: height.
        columns: width.
        samples: components.
        bits: precision of a sample.
        signed: whether samples are signed (JPEG 2000 only).
        colours: `RGB` or `YCBCR` where the stream says what its three components are, else empty.
    """

    name: str
    rows: int
    columns: int
    samples: int
    bits: int
    signed: bool = False
    colours: str = ""


def head_of(data: bytes) -> Codestream:
    """Read the head of a frame.

    Raises:
        ImageError: it is no JPEG, JPEG-LS or JPEG 2000, has no end, or is damaged.
    """
    try:
        if data[:2] == b"\xff\xd8":
            return _jpeg(data)
        start = data.find(b"\xff\x4f\xff\x51", 0, 4096)
        if start >= 0:
            return _jpeg2000(data, start)
    except (struct.error, IndexError) as fault:
        raise ImageError("truncated: a compressed frame ends in its head") from fault
    raise ImageError("damaged: a compressed frame that is no JPEG, JPEG-LS or JPEG 2000")


def _jpeg(data: bytes) -> Codestream:
    # Decoders fill up what is missing with grey and say nothing; what pads the end is of zeros, FF, FC or blanks.
    if not data.rstrip(b"\0\xff\xfc \r\n").endswith(b"\xff\xd9"):
        raise ImageError("truncated: a JPEG frame without its end")
    if data.count(b"\xff\xda") > _MOST_SCANS:
        raise ImageError(f"damaged: a JPEG of more than {_MOST_SCANS} scans")
    place, colours = 2, ""
    while True:
        while data[place] != 0xFF or data[place + 1] == 0xFF:
            place += 1
        marker = data[place + 1]
        if marker in _BARE:
            place += 2
            continue
        if marker in {0xD9, 0xDA}:
            raise ImageError("damaged: a JPEG without the size of its image")
        if marker in _NAMES or (0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}):
            return _held(_frame(data, place + 4, marker, colours), len(data))
        (length,) = struct.unpack_from(">H", data, place + 2)
        colours = _colours(marker, data[place + 4 : place + 2 + length], colours)
        place += 2 + length


def _frame(data: bytes, place: int, marker: int, colours: str) -> Codestream:
    if marker not in _NAMES:
        raise ImageError(f"JPEG process {marker - 0xC0} (SOF), which no free decoder reads")
    bits, rows, columns, samples = struct.unpack_from(">BHHB", data, place)
    ids = data[place + 6 : place + 6 + 3 * samples : 3]
    return Codestream(_NAMES[marker], rows, columns, samples, bits, colours="RGB" if ids in _RGB else colours)


def _held(head: Codestream, length: int) -> Codestream:
    """Refuse a JPEG too short for its image: a sample, or a block where it is lossy, takes a bit at the least."""
    codes = head.rows * head.columns if head.name == "JPEG lossless" else -(-head.rows // 8) * -(-head.columns // 8)
    if head.name != "JPEG-LS" and 8 * length < codes:
        raise ImageError(f"truncated: {length:,} bytes cannot hold a JPEG of {head.rows} x {head.columns}")
    return head


def _colours(marker: int, segment: bytes, before: str) -> str:
    """Return what an application segment says of the colours: JFIF is YCbCr, Adobe's last byte tells."""
    if marker == 0xE0 and segment.startswith(b"JFIF"):
        return "YCBCR"
    if marker == 0xEE and segment.startswith(b"Adobe") and len(segment) >= 12:
        return "YCBCR" if segment[11] == 1 else "RGB"
    return before


def _jpeg2000(data: bytes, start: int) -> Codestream:
    """Read SIZ, which follows SOC at once (ISO 15444-1, A.5.1); a CAP segment behind it means HTJ2K."""
    length, _, x1, y1, x0, y0 = struct.unpack_from(">HHIIII", data, start + 4)
    samples, precision = struct.unpack_from(">HB", data, start + 40)
    depths = {data[start + 42 + 3 * component] for component in range(samples)}
    if len(depths) != 1:
        raise ImageError("damaged: JPEG 2000 components of different depth")
    name = "HTJ2K" if data[start + 4 + length : start + 6 + length] == b"\xff\x50" else "JPEG 2000"
    return Codestream(name, y1 - y0, x1 - x0, samples, (precision & 0x7F) + 1, precision > 127)
