"""Plain image formats (PNG, JPEG, TIFF ...) by Pillow, which refuses truncated files where OpenCV fills them up."""

import io
import re

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, UnidentifiedImageError

from osteon.images.radiograph import ImageError, Radiograph
from osteon.images.window import window

# A stitched full-leg film has 30 megapixels; a file that states more than this is damaged or hostile. Just below the
# size from which Pillow warns.
MAX_PIXELS = 89_000_000
# Named one by one, as Pillow would hand an EPS to an external program.
FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "JPEG2000", "PPM")
_ORIENTATION, _BITS, _PHOTOMETRIC = 0x0112, 0x0102, 0x0106
_OTHERS = {
    b"\x1f\x8b": "a gzip archive; unpack it first",
    b"PK\x03\x04": "a zip archive; unpack it first",
    b"%PDF": "a PDF; save its images as PNG",
    b"GIF8": "a GIF; save it as PNG",
}
_PNG_END = b"IEND\xaeB`\x82"


def decode_plain(data: bytes, frame: int) -> Radiograph:
    """Decode one frame of a PNG, JPEG, TIFF, BMP, JPEG 2000 or PNM.

    Raises:
        ImageError: it is truncated, damaged, too large or none of these, or lacks the frame.
    """
    try:
        return _decode(data, frame)
    except ImageError:
        raise
    except UnidentifiedImageError as fault:
        found = _kind(data)
        raise ImageError(found or f"not an image ({', '.join(FORMATS)}), or its header is damaged") from fault
    except Exception as fault:  # a damaged file can make a decoder raise anything: it costs one row, not the run
        raise ImageError(_words(fault)) from fault


def _decode(data: bytes, frame: int) -> Radiograph:
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
            values, decision = window(_deep_values(image))
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
        bits = getattr(image, "tag_v2", {}).get(_BITS, (8,))
        if max(bits) > 8:
            raise ImageError("a colour TIFF with more than 8 bits a channel; store it with one channel")
    return False


def _deep_values(image: Image.Image) -> NDArray[np.generic]:
    values = np.asarray(image)
    if image.format == "TIFF" and getattr(image, "tag_v2", {}).get(_PHOTOMETRIC) == 0:
        return np.asarray(np.nanmax(values) - values)  # stored with white as zero, which Pillow heeds in 8 bit only
    return values


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
    """Return a fault in words; of a decoder's own only what comes before a colon or quote, behind which it cites."""
    text = re.split(r"[:'\"<]", str(fault))[0].strip()
    if not text or re.search(r"\bb$", text):
        return f"damaged: {type(fault).__name__}"
    return f"{'truncated' if 'truncated' in text.lower() else 'damaged'}: {text}"


def _kind(data: bytes) -> str:
    """Name what is often taken for an image and is none that is read."""
    if data[4:8] == b"ftyp":
        return "an HEIC, AVIF or video file; save it as PNG or JPEG"
    return next((said for start, said in _OTHERS.items() if data.startswith(start)), "")
