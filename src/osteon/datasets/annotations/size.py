"""The size of an image from its header alone, as the reader will give it: shares of an image need it."""

import warnings
from pathlib import Path

from PIL import Image

from osteon.datasets.annotations.box import AnnotationError
from osteon.images.plain import FORMATS
from osteon.images.read import looks_like_dicom

_ORIENTATION, _ASIDE = 0x0112, (5, 6, 7, 8)  # EXIF orientations that swap width and height
_WIDTH, _HEIGHT = 0x0100, 0x0101  # of a TIFF
_START = 4096  # bytes that tell a DICOM file


def size_of(path: Path) -> tuple[float, float]:
    """Return (width, height) in px, with the EXIF orientation applied; no pixel is decoded.

    Of a PNG only an orientation that stands before its pixels is seen, which is where the format's writers put it.

    Raises:
        AnnotationError: the header cannot be read.
    """
    try:
        with path.open("rb") as handle:
            if looks_like_dicom(handle.read(_START)):
                return _dicom_size(path)
        with warnings.catch_warnings(), Image.open(path, formats=FORMATS) as image:
            warnings.simplefilter("ignore")
            # Of a TIFF Pillow's releases give the size before or after turning; its tags have it as stored.
            tags = getattr(image, "tag_v2", {}) if image.format == "TIFF" else {}
            width, height = int(tags.get(_WIDTH, image.width)), int(tags.get(_HEIGHT, image.height))
            late = image.format == "PNG" and "exif" not in image.info  # Pillow would decode it all to look behind it
            turned = not late and image.getexif().get(_ORIENTATION, 1) in _ASIDE
            return (height, width) if turned else (width, height)
    except Exception as fault:  # a damaged header can make a decoder raise anything: it costs one row
        raise AnnotationError("its header cannot be read, so that shares of it are no pixels") from fault


def _dicom_size(path: Path) -> tuple[float, float]:
    import pydicom

    data = pydicom.dcmread(path, force=True, stop_before_pixels=True, specific_tags=["Rows", "Columns"])
    return float(data.Columns), float(data.Rows)
