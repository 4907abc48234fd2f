"""Lookup tables of DICOM (PS3.3 C.11.1.1.1): three numbers that describe them, and their entries."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osteon.images.dicom.header import Header

_LIES = 4  # an image 16 times darker than its range is no image: the stated bits are not those of the entries


@dataclass(frozen=True)
class Lookup:
    """A table.

    Attributes:
        first: the value that the first entry stands for; lower ones get it too, higher ones than the last the last.
        entries: (n,) float64, unsigned.
        top: the largest value that an entry can have.
        said: what had to be assumed, in words.
    """

    first: int
    entries: NDArray[np.float64]
    top: float
    said: str = ""

    def places(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the entry of each value (L,)."""
        return np.asarray(np.clip(np.rint(values) - self.first, 0, len(self.entries) - 1), np.int64)


def lookup(header: Header, describing: str, holding: str, values: NDArray[np.float64]) -> Lookup | None:
    """Read a table.

    Args:
        header: the item or dataset that holds it.
        describing: keyword of the descriptor.
        holding: keyword of the entries.
        values: (L,) what is to be looked up.

    Returns:
        The table; None where descriptor or entries are missing or do not fit each other.
    """
    described = header.numbers(describing)
    if len(described) != 3 or not np.isfinite(described).all():
        return None
    count, first, bits = (int(number) & 0xFFFF for number in described)
    count = count or 65_536
    # Whether the first value is signed hangs on the values (C.11.1.1.1), not on a VR that writers get wrong.
    if first > 32_767 and (values.min() < 0 or values.max() < 32_768):
        first -= 65_536
    entries = _entries(header.words(holding), count)
    if entries is None:
        return None
    top, said = _top(int(entries.max()), bits)
    return Lookup(first, entries.astype(np.float64), top, said)


def _entries(words: NDArray[np.uint16], count: int) -> NDArray[np.uint16] | None:
    if len(words) < count <= 2 * len(words):  # two entries of 8 bit a word, the first in its low byte
        return words.astype("<u2").view(np.uint8)[:count].astype(np.uint16)
    return words[:count] if len(words) >= count else None


def _top(most: int, bits: int) -> tuple[float, str]:
    used = max(1, most.bit_length())
    if not 1 <= bits <= 16 or used > bits or used <= bits - _LIES:
        return float((1 << used) - 1), f"LUT of {used} bit where {bits} are stated"
    return float((1 << bits) - 1), ""
