"""What a header says, as plain texts and numbers; what cannot be read is absent, never a fault."""

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence

_FORMATS = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d", "US or SS": "H"}
# Groups of an enhanced object that say what a plain one says at the top (PS3.3 C.7.6.16.2).
_GROUPS = (
    "PixelValueTransformationSequence", "FrameVOILUTSequence", "PixelMeasuresSequence", "FrameAnatomySequence",
)  # fmt: skip
_FRAMES, _SHARED = "PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence"
_LONGEST = 65_536  # values of one element: the longest LUT there can be


@dataclass(frozen=True)
class Header:
    """One frame's view of a header.

    Attributes:
        scopes: where a keyword is looked for, the frame's own groups first.
    """

    scopes: tuple[Dataset, ...]

    def text(self, keyword: str) -> str:
        """Return the first value of a text in upper case; empty where it is absent."""
        return next(iter(self.texts(keyword)), "")

    def texts(self, keyword: str) -> list[str]:
        """Return the values of a text in upper case."""
        value = self._raw(keyword)[0][:_LONGEST]
        words = value.decode("latin-1").replace("\0", " ").upper().split("\\")
        return [word.strip() for word in words] if value.strip(b"\0 ") else []

    def numbers(self, keyword: str) -> list[float]:
        """Return the values of a number, stored as text or binary; NaN stands for what is none."""
        value, order, vr = self._raw(keyword)
        if vr not in _FORMATS:
            return [_number(word) for word in self.texts(keyword)]
        count = min(len(value) // struct.calcsize(order + _FORMATS[vr]), _LONGEST)
        return [float(one) for one in struct.unpack_from(order + _FORMATS[vr] * count, value)]

    def number(self, keyword: str) -> float | None:
        """Return the first value if it is finite."""
        found = self.numbers(keyword)
        return found[0] if found and np.isfinite(found[0]) else None

    def whole(self, keyword: str) -> int | None:
        """Return the first value if it is finite, cut to a whole number."""
        found = self.number(keyword)
        return None if found is None else int(found)

    def words(self, keyword: str) -> NDArray[np.uint16]:
        """Return binary data as at most 65,536 words of 16 bit; an odd last byte is filled up."""
        value, order, vr = self._raw(keyword)
        value = value[: 2 * _LONGEST]
        kept = np.frombuffer(value + b"\0" * (len(value) % 2), "<u2" if vr == "OB" else order + "u2")
        return kept.astype(np.uint16)

    def as_stored(self, keyword: str) -> bytes:
        """Return a value as it is stored."""
        return self._raw(keyword)[0]

    def items(self, keyword: str) -> list["Header"]:
        """Return the items of a sequence, each a header of its own."""
        return [Header((item,)) for scope in self.scopes for item in _items(scope, keyword)]

    def _raw(self, keyword: str) -> tuple[bytes, str, str]:
        """Return the bytes in the first scope that has some, their order, and the VR."""
        tag = tag_for_keyword(keyword) or 0
        for scope in self.scopes:
            element = scope.get_item(tag) if tag in scope else None
            if element is None:
                continue
            vr = str(element.VR or "")
            vr = vr if vr in _FORMATS or vr in {"DS", "IS", "OW", "OB"} else dictionary_VR(tag)
            value = _stored(element.value, vr)
            if value:
                return value, "<" if getattr(element, "is_little_endian", True) else ">", vr
        return b"", "<", ""


def of_frame(dataset: Dataset, frame: int) -> Header:
    """Return the header as it holds for one frame, counted from 0."""
    own = _items(dataset, _FRAMES)[frame : frame + 1] + _items(dataset, _SHARED)[:1]
    groups = [item for group in own for name in _GROUPS for item in _items(group, name)[:1]]
    return Header((*groups, dataset))


def _items(scope: Dataset, keyword: str) -> list[Dataset]:
    tag = tag_for_keyword(keyword) or 0
    value = scope[tag].value if tag in scope else None
    return list(value) if isinstance(value, Sequence) else []


def _stored(value: Any, vr: str) -> bytes:
    """Return a value's bytes; pydicom has read some already: opening a sequence settles PixelRepresentation."""
    if isinstance(value, bytes):
        return value
    if value is None or isinstance(value, Sequence):
        return b""
    many = list(value) if isinstance(value, (list, tuple, MultiValue)) else [value]
    if vr in _FORMATS:
        return struct.pack("<" + _FORMATS[vr] * len(many), *many)
    return "\\".join(str(one) for one in many).encode("latin-1", "replace")


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        return float("nan")
