"""A decoded image, and the fault of one that cannot be used."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from osteon.errors import OsteonError


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
        spacing: mm a row and mm a column of the original pixels; None where the file states none.
        laterality: `L`, `R` or None.
        view: `ap`, `pa`, `lateral`, `oblique`, `axial`, `frog` or None.
        body_part: in lower-case English, or None.
    """

    pixels: NDArray[np.uint8]
    decision: str
    spacing: tuple[float, float] | None = None
    laterality: str | None = None
    view: str | None = None
    body_part: str | None = None

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.pixels.shape[1])


def missing(fault: OSError) -> str:
    """Return why a file could not be opened, without its name."""
    return "file is missing" if isinstance(fault, FileNotFoundError) else f"unreadable: {fault.strerror or fault}"
