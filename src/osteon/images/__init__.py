"""Files to pixels: reading, letterbox, near-duplicates, and the store of decoded images."""

from osteon.images.cache import Cache, build
from osteon.images.letterbox import Letterbox, letterbox
from osteon.images.margins import margins
from osteon.images.near_duplicates import clusters, fingerprint
from osteon.images.radiograph import ImageError, Radiograph
from osteon.images.read import decode, read_image

__all__ = [
    "Cache",
    "ImageError",
    "Letterbox",
    "Radiograph",
    "build",
    "clusters",
    "decode",
    "fingerprint",
    "letterbox",
    "margins",
    "read_image",
]
