"""One folder of decoded images: a plain .npy of uint8 and an index, whole or absent."""

import errno
import io
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteon.errors import OsteonError
from osteon.images.digests import digest_of
from osteon.images.letterbox import Letterbox, letterbox
from osteon.images.near_duplicates import fingerprint
from osteon.images.radiograph import ImageError, Radiograph
from osteon.images.read import decode

PIXELS, INDEX = "images.npy", "index.parquet"
COLUMNS = {
    "digest": "str", "frame": "int64", "slot": "int64", "scale": "float64", "top": "Int64", "left": "Int64",
    "height": "Int64", "width": "Int64", "hash": "object", "spacing_row": "float64", "spacing_column": "float64",
    "laterality": "str", "view": "str", "body_part": "str", "decision": "str", "reason": "str",
}  # fmt: skip
_INDEX_BYTES = 300  # an image, generously
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(frozen=True)
class Source:
    """A distinct image: the content it must have, where a file with that content lies, and the frame in it."""

    digest: bytes
    frame: int
    path: str


def header(count: int, size: tuple[int, int]) -> bytes:
    """Return the .npy header of a (count, H, W) uint8 array."""
    text = io.BytesIO()
    np.lib.format.write_array_header_1_0(text, {"descr": "|u1", "fortran_order": False, "shape": (count, *size)})
    return text.getvalue()


def needed(count: int, size: tuple[int, int]) -> int:
    """Return the bytes that a store of `count` images takes."""
    return len(header(count, size)) + count * (size[0] * size[1] + _INDEX_BYTES)


def write(
    folder: Path, sources: Sequence[Source], size: tuple[int, int], workers: int, step: Callable[[], None]
) -> None:
    """Decode every source into its slot, in threads; the result does not depend on their number or timing.

    Written with pwrite, not into a memory map, as a full disk under a map kills the process.

    Raises:
        OSError: the disk is full, over quota or read-only.
        OsteonError: a file changed since its digest was taken.
    """
    folder.mkdir(parents=True)
    start = header(len(sources), size)
    file = os.open(folder / PIXELS, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        _put(file, start, 0)
        os.ftruncate(file, len(start) + len(sources) * size[0] * size[1])

        def one(slot: int) -> dict[str, object]:
            row, pixels = _image(sources[slot], size)
            if pixels is not None:
                row["slot"] = slot
                _put(file, pixels.tobytes(), len(start) + slot * pixels.size)
            step()
            return row

        with ThreadPoolExecutor(max(1, workers)) as pool:
            rows = list(pool.map(one, range(len(sources))))
        os.fsync(file)
    finally:
        os.close(file)
    _index(rows).to_parquet(folder / INDEX, index=False)


def _image(source: Source, size: tuple[int, int]) -> tuple[dict[str, object], NDArray[np.uint8] | None]:
    row: dict[str, object] = {"digest": source.digest.hex(), "frame": source.frame, "slot": -1}
    try:
        data = Path(source.path).read_bytes()
    except OSError as fault:
        raise OsteonError(f"{source.path}: was readable a moment ago ({fault.strerror}). Start again.") from fault
    if digest_of(data) != source.digest:
        raise OsteonError(f"{source.path}: changed while the cache was built. Start again when it is at rest.")
    try:
        radiograph = decode(data, source.frame)
    except ImageError as fault:
        return {**row, "reason": fault.reason}, None
    pixels, place = letterbox(radiograph.pixels, size)
    facts = {"scale": place.scale, "top": place.top, "left": place.left, "height": place.height, "width": place.width}
    return {**row, **facts, "hash": fingerprint(radiograph.pixels).tobytes(), **_said(radiograph)}, pixels


def _said(radiograph: Radiograph) -> dict[str, object]:
    """Return what the file says of the film, under the index's names."""
    spacing = radiograph.spacing or (None, None)
    said = {name: getattr(radiograph, name) for name in ("laterality", "view", "body_part", "decision")}
    return {"spacing_row": spacing[0], "spacing_column": spacing[1], **said}


def _put(file: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:  # a nearly full disk takes a part and only then refuses
        done = os.pwrite(file, view, offset)
        view, offset = view[done:], offset + done


def _index(rows: list[dict[str, object]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def place_of(row: pd.Series) -> Letterbox:
    """Return where an indexed image lies in its canvas."""
    return Letterbox(float(row["scale"]), *(int(row[name]) for name in ("top", "left", "height", "width")))


@contextmanager
def told(cache_dir: Path, count: int, size: tuple[int, int]) -> Iterator[None]:
    """Turn a disk's refusal into an error that names the key, the size and the ways out."""
    try:
        yield
    except OSError as fault:
        reason = fault.strerror or str(fault)
        if fault.errno in _NO_ROOM:
            raise no_room(cache_dir, count, size, reason) from fault
        raise OsteonError(f"data.cache_dir={cache_dir}: {reason}. Choose a folder that can be written.") from fault


def no_room(cache_dir: Path, count: int, size: tuple[int, int], reason: str) -> OsteonError:
    """Return the error of a cache that does not fit."""
    return OsteonError(
        f"data.cache_dir={cache_dir}: {reason}. {count:,} images of {size[0]} x {size[1]} take "
        f"{megabytes(needed(count, size))}, {megabytes(free(cache_dir))} are free. Free space, choose another "
        "data.cache_dir, or a smaller data.image_size."
    )


def free(folder: Path) -> int:
    """Return the free bytes of the disk that holds `folder` or, where it is yet to be made, its nearest parent."""
    present = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    return shutil.disk_usage(present).free


def megabytes(count: int) -> str:
    """Return a number of bytes in words."""
    return f"{count / 1e6:,.0f} MB" if count >= 1e6 else f"{count / 1e3:,.0f} kB"
