"""How the pixels of a file are laid out, as its header says it, checked before anything is allocated."""

from dataclasses import dataclass

from osteon.images.dicom.header import Header
from osteon.images.plain import MAX_PIXELS
from osteon.images.radiograph import ImageError

GREY = ("MONOCHROME1", "MONOCHROME2")
COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_422", "YBR_PARTIAL_420", "YBR_ICT", "YBR_RCT")
_ALLOCATED = (1, 8, 16, 32, 64)
MAX_DEEP = 12_000_000  # samples of more than 16 bit: their distinct values are found by sorting


@dataclass(frozen=True)
class Layout:
    """One frame's layout (PS3.3 C.7.6.3).

    Attributes:
        rows: height.
        columns: width.
        samples: 1 (grey, palette) or 3 (colour).
        frames: frames in the file.
        photometric: one of `GREY`, `COLOUR` or `PALETTE COLOR`.
        allocated: bits a sample takes in native data.
        stored: bits of it that count.
        shift: bits below them.
        signed: whether they are a two's complement.
        planar: whether native colour is stored plane by plane.
        said: what had to be assumed, in words.
    """

    rows: int
    columns: int
    samples: int
    frames: int
    photometric: str
    allocated: int
    stored: int
    shift: int
    signed: bool
    planar: bool
    said: tuple[str, ...]


def layout(header: Header, frame: int) -> Layout:
    """Read and check the layout.

    Raises:
        ImageError: a tag that nothing can stand for is missing or senseless, the image is too large, or lacks the
            frame.
    """
    said: list[str] = []
    rows, columns = _needed(header, "Rows", "0028,0010"), _needed(header, "Columns", "0028,0011")
    frames = max(1, header.whole("NumberOfFrames") or 1)
    if not 0 <= frame < frames:
        raise ImageError(f"frame {frame} was asked for, the file has {frames} (counted from 0)")
    photometric, samples = _colours(header, said)
    if rows * columns * samples > MAX_PIXELS:
        raise ImageError(f"too large: {columns} x {rows} x {samples}, at most {MAX_PIXELS:,} pixels are read")
    allocated = _needed(header, "BitsAllocated", "0028,0100")
    if allocated not in _ALLOCATED:
        raise ImageError(f"BitsAllocated (0028,0100) is {allocated}, expected one of {', '.join(map(str, _ALLOCATED))}")
    if allocated > 16 and rows * columns * samples > MAX_DEEP:
        raise ImageError(f"too large: {columns} x {rows} x {samples} of {allocated} bit, at most {MAX_DEEP:,} are read")
    stored, shift = _bits(header, allocated, said)
    signed = header.whole("PixelRepresentation")
    if signed not in {0, 1}:
        said.append("PixelRepresentation missing, unsigned assumed")
    planar = header.whole("PlanarConfiguration") == 1
    return Layout(
        rows, columns, samples, frames, photometric, allocated, stored, shift, signed == 1, planar, tuple(said)
    )


def _needed(header: Header, keyword: str, tag: str) -> int:
    found = header.whole(keyword)
    if found is None or found < 1:
        raise ImageError(f"{keyword} ({tag}) is {'missing' if found is None else found}, expected a number above 0")
    return found


def _colours(header: Header, said: list[str]) -> tuple[str, int]:
    photometric, samples = header.text("PhotometricInterpretation"), header.whole("SamplesPerPixel")
    if not photometric:
        photometric = "RGB" if samples == 3 else "MONOCHROME2"
        said.append(f"PhotometricInterpretation missing, {photometric} assumed")
    if photometric not in (*GREY, *COLOUR, "PALETTE COLOR"):
        raise ImageError("PhotometricInterpretation (0028,0004) is none that is read: grey, palette, RGB or YBR")
    expected = 3 if photometric in COLOUR else 1
    if samples is None:
        said.append(f"SamplesPerPixel missing, {expected} assumed")
    elif samples != expected:
        raise ImageError(f"SamplesPerPixel (0028,0002) is {samples}, {photometric} has {expected}")
    return photometric, expected


def _bits(header: Header, allocated: int, said: list[str]) -> tuple[int, int]:
    """Return the bits that count and the bits below them."""
    stored, high = header.whole("BitsStored"), header.whole("HighBit")
    if stored is None or not 1 <= stored <= allocated:
        stored = allocated
        said.append(f"BitsStored missing or senseless, {allocated} assumed")
    if high is None or not stored - 1 <= high < allocated:
        high = stored - 1
        said.append(f"HighBit missing or senseless, {high} assumed")
    return stored, high - stored + 1
