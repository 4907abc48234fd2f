"""An image file as one upright uint8 channel, or the reason why not."""

import io
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, UnidentifiedImageError

from osteon.errors import OsteonError
from osteon.images.window import window

# Part of the cache's key: raise it whenever the same file would give other pixels.
READING_RULE = 1
# A stitched full-leg film has 30 megapixels; a file that states more than this is damaged or hostile.
MAX_PIXELS = 100_000_000
# Named one by one, as Pillow would hand an EPS to an external program.
FORMATS = ("PNG", "JPEG", "MPO", "TIFF", "BMP", "JPEG2000", "PPM", "GIF", "WEBP")
_ORIENTATION = 0x0112
_PNG_END = b"IEND\xaeB`\x82"


class ImageError(OsteonError):
    """An image that cannot be used.

    Attributes:
        reason: why, without the file's name: it is stored under the file's content.
    """

    def __init__(self, reason: str, path: Path | None = None) -> None:
        super().__init__(reason if path is None else f"{path}: {reason}")
        self.reason = reason


@dataclass(frozen=True)
class Radiograph:
    """A decoded image.

    Attributes:
        pixels: (H, W) uint8, upright.
        decision: how stored values became pixels, in words.
    """

    pixels: NDArray[np.uint8]
    decision: str

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.pixels.shape[1])


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


def missing(fault: OSError) -> str:
    """Return why a file could not be opened, without its name."""
    return "file is missing" if isinstance(fault, FileNotFoundError) else f"unreadable: {fault.strerror or fault}"


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
    try:
        return _decode_plain(data, frame)
    except ImageError:
        raise
    except UnidentifiedImageError as fault:
        raise ImageError("not an image, or its header is damaged") from fault
    except Exception as fault:  # a damaged file can make a decoder raise anything: it costs one row, not the run
        raise ImageError(f"damaged: {_words(fault)}") from fault


def _decode_plain(data: bytes, frame: int) -> Radiograph:
    ImageFile.LOAD_TRUNCATED_IMAGES = False  # another library may have set it: half an image would pass for whole
    with Image.open(io.BytesIO(data), formats=FORMATS) as image:
        _check_header(image, frame)
        orientation = int(image.getexif().get(_ORIENTATION, 1))
        deep_colour = _is_deep_colour(image, data)
        image.load()
        if image.format == "PNG" and _PNG_END not in data:
            raise ImageError("truncated: the PNG has no end")  # Pillow overlooks up to some 20 lost bytes
        if image.format == "TIFF":
            orientation = 1  # Pillow has turned it while loading
        if deep_colour:
            values, decision = window(_deep_grey(data))
        elif image.mode == "F" or image.mode.startswith("I"):
            values, decision = window(np.asarray(image))
        else:
            values, decision = _grey(image), f"{image.mode}, 8 bit as stored"
    if orientation != 1:
        decision += f", turned by EXIF orientation {orientation}"
    return Radiograph(_upright(values, orientation), decision)


def _check_header(image: Image.Image, frame: int) -> None:
    frames = getattr(image, "n_frames", 1)
    if not 0 <= frame < frames:
        raise ImageError(f"frame {frame} was asked for, the file has {frames} (counted from 0)")
    if frame:
        image.seek(frame)
    width, height = image.size
    if width < 1 or height < 1:
        raise ImageError(f"zero size: {width} x {height}")
    if width * height > MAX_PIXELS:
        raise ImageError(f"too large: {width} x {height}, at most {MAX_PIXELS:,} pixels are read")


def _is_deep_colour(image: Image.Image, data: bytes) -> bool:
    """Whether colour channels have 16 bits, of which Pillow would keep the upper 8: a 12-bit image would go black."""
    if image.format == "PNG":
        return data[24] == 16 and len(image.getbands()) > 1
    if image.format == "TIFF" and len(image.getbands()) > 1:
        bits = getattr(image, "tag_v2", {}).get(258, (8,))
        if max(bits) > 8:
            raise ImageError("a colour TIFF with more than 8 bits a channel; store it with one channel")
    return False


def _deep_grey(data: bytes) -> NDArray[np.uint16]:
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if found is None or found.dtype != np.uint16 or found.ndim != 3:
        raise ImageError("damaged: a 16-bit PNG that OpenCV cannot decode")
    grey = found[..., :3].astype(np.float64) @ np.array([0.114, 0.587, 0.299])  # BGR, ITU-R BT.601
    if found.shape[2] == 4:
        grey *= found[..., 3] / 65535.0
    return np.asarray(np.rint(grey), np.uint16)


def _grey(image: Image.Image) -> NDArray[np.uint8]:
    if image.mode in {"LA", "PA", "La", "RGBA", "RGBa"} or "transparency" in image.info:
        over = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", over.size, (0, 0, 0, 255)), over).convert("RGB")
    if image.mode not in {"L", "1", "RGB"}:
        image = image.convert("RGB")
    return np.array(image.convert("L"), dtype=np.uint8)


def _upright(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Undo one of the eight EXIF orientations; an unknown one changes nothing."""
    if orientation in {5, 6, 7, 8}:
        pixels = pixels.T
    if orientation in {2, 3, 6, 7}:
        pixels = pixels[:, ::-1]
    if orientation in {3, 4, 7, 8}:
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def _words(fault: Exception) -> str:
    text = str(fault).replace("image file is truncated", "truncated")
    return text if text and "<_io" not in text else type(fault).__name__
