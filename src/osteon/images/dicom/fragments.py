"""The compressed bytes of one frame, from the items that hold them (PS3.5 A.4)."""

import struct
from dataclasses import dataclass

from osteon.images.radiograph import ImageError

_ITEM, _END = 0xFFFEE000, 0xFFFEE0DD
_STARTS = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP")  # JPEG and JPEG-LS, JPEG 2000, JP2


@dataclass(frozen=True)
class Fragment:
    """One item: where it begins, counted from the first fragment, and its bytes."""

    offset: int
    value: memoryview


def frame_bytes(value: memoryview, frame: int, frames: int, extended: bytes) -> bytes:
    """Return the compressed bytes of one frame.

    Args:
        value: the encapsulated pixel data.
        frame: counted from 0.
        frames: in the file.
        extended: the value of ExtendedOffsetTable; may be empty.

    Raises:
        ImageError: truncated, damaged, or frames that cannot be told apart.
    """
    table, fragments = _items(value)
    if not fragments:
        raise ImageError("damaged: compressed pixel data without a fragment")
    if frames == 1:
        own = fragments
    elif len(fragments) == frames:
        own = fragments[frame : frame + 1]
    else:
        starts = _starts(table, fragments, frames, extended)
        stop = starts[frame + 1] if frame + 1 < frames else len(value)
        own = [fragment for fragment in fragments if starts[frame] <= fragment.offset < stop]
    return b"".join(fragment.value for fragment in own)


def _items(value: memoryview) -> tuple[list[int], list[Fragment]]:
    """Return the basic offset table and the fragments behind it."""
    place, first, table = 0, -1, list[int]()
    fragments: list[Fragment] = []
    padded = False
    while place + 8 <= len(value):
        group, element, length = struct.unpack_from("<HHI", value, place)
        tag = group << 16 | element
        if tag not in {_ITEM, _END} and fragments and len(fragments[-1].value) % 2 and not padded:
            place, padded = place + 1, True  # an odd length, which the standard forbids, filled up by one byte
            continue
        padded = False
        if tag == _END:
            return table, fragments
        if tag != _ITEM:
            raise ImageError("damaged: compressed pixel data with something else than fragments")
        inside = value[place + 8 : place + 8 + length]
        if len(inside) < length:
            raise ImageError(f"truncated: a fragment of {len(inside):,} bytes of {length:,}")
        if first < 0:
            first = place + 8 + length
            table = list(struct.unpack_from(f"<{length // 4}I", inside))
        else:
            fragments.append(Fragment(place - first, inside))
        place += 8 + length
    raise ImageError("truncated: compressed pixel data without their end")


def _starts(table: list[int], fragments: list[Fragment], frames: int, extended: bytes) -> list[int]:
    """Return where each frame begins: as a table says, else where a codestream begins."""
    found = list(struct.unpack_from(f"<{len(extended) // 8}Q", extended))
    for starts in (found, table, [one.offset for one in fragments if bytes(one.value[:6]).startswith(_STARTS)]):
        if len(starts) == frames and starts == sorted(starts) and starts[0] == 0:
            return starts
    raise ImageError(f"damaged: {len(fragments):,} fragments that cannot be told apart into {frames:,} frames")
