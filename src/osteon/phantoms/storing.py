"""How an archive stores a film: bits, polarity, range, grey-level transform, transfer syntax. None knows the label."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FULL = 65535  # a drawn film's white
INVERTED = 0.4  # share with MONOCHROME1
BITS, BIT_SHARES = (10, 12, 14, 16), (0.15, 0.45, 0.2, 0.2)
Voi = Literal["window", "exact", "two", "lut", "none"]
VOIS: tuple[Voi, ...] = ("window", "exact", "two", "lut", "none")
VOI_SHARES = (0.5, 0.1, 0.1, 0.15, 0.15)
LUT_BITS = 12  # deeper films get a window: their table would be larger than they are
SYNTAXES = {  # transfer syntax -> share
    "1.2.840.10008.1.2.1": 0.3,  # explicit VR little endian
    "1.2.840.10008.1.2": 0.15,  # implicit VR little endian
    "1.2.840.10008.1.2.5": 0.15,  # RLE
    "1.2.840.10008.1.2.4.70": 0.2,  # JPEG lossless, first-order prediction
    "1.2.840.10008.1.2.4.80": 0.1,  # JPEG-LS lossless
    "1.2.840.10008.1.2.4.90": 0.1,  # JPEG 2000 lossless
}
RESCALED = 0.15  # share whose stored values are no presentation values
RESCALES = ((1.0, -1024.0), (2.0, 0.0), (0.5, 100.0))


@dataclass(frozen=True)
class Storage:
    """How a film is stored.

    Attributes:
        syntax: transfer syntax UID.
        bits: stored in 16, unsigned.
        inverted: MONOCHROME1, bone is dark in the file.
        low: stored value of the film's black, before inversion.
        high: stored value of its white.
        voi: how the header says which values are shown; `none` leaves it to the reader.
        slope: of the modality rescale.
        intercept: of the modality rescale.
        both_spacings: whether the header holds PixelSpacing beside ImagerPixelSpacing.
    """

    syntax: str
    bits: int
    inverted: bool
    low: int
    high: int
    voi: Voi
    slope: float
    intercept: float
    both_spacings: bool

    @property
    def ends(self) -> tuple[int, int]:
        """Stored values of the lower and the upper end of the shown range, as in the file."""
        top = 2**self.bits - 1
        return (top - self.high, top - self.low) if self.inverted else (self.low, self.high)

    def stored(self, film: NDArray[np.uint16]) -> NDArray[np.uint16]:
        """Return the values of the file for a film (height, width) whose white is 65535."""
        span = np.float32((self.high - self.low) / FULL)
        values = np.rint(film.astype(np.float32) * span).astype(np.uint16) + np.uint16(self.low)
        return np.asarray(np.uint16(2**self.bits - 1) - values if self.inverted else values, np.uint16)


def storage(depth: float, rng: np.random.Generator) -> Storage:
    """Draw how a film is stored; `depth` (0..1) chooses the bits, which an exam's films share."""
    bits = BITS[int(np.searchsorted(np.cumsum(BIT_SHARES)[:-1], depth, side="right"))]
    top = 2**bits - 1
    low, high = int(rng.uniform(0, 0.15) * top), int(rng.uniform(0.75, 1) * top)
    inverted, rescaled = bool(rng.random() < INVERTED), bool(rng.random() < RESCALED)
    slope, intercept = RESCALES[int(rng.integers(len(RESCALES)))] if rescaled else (1.0, 0.0)
    voi = VOIS[int(rng.choice(len(VOIS), p=VOI_SHARES))]
    if voi == "lut" and (bits > LUT_BITS or rescaled):
        voi = "window"
    syntax = str(rng.choice(list(SYNTAXES), p=list(SYNTAXES.values())))
    return Storage(syntax, bits, inverted, low, high, voi, slope, intercept, bool(rng.random() < 0.5))
