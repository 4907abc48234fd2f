"""The store of decoded images: one letterboxed uint8 picture a distinct file, made once, found by content."""

import hashlib
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteon.errors import OsteonError
from osteon.images import store
from osteon.images.digests import digests
from osteon.images.letterbox import Letterbox
from osteon.images.loading import load
from osteon.images.making import bars, make
from osteon.images.read import READING_RULE
from osteon.images.store import INDEX, PIXELS, Source

# Part of the key: raise it whenever letterbox, hash or the index's columns change.
FORMAT = 2


@dataclass(frozen=True)
class Cache:
    """Decoded images of a manifest.

    Attributes:
        folder: holds `images.npy` (M, H, W) uint8 and `index.parquet`.
        slots: (N,) int64, a manifest row's place in the store; -1 where its image was rejected.
        index: one row a slot: digest, frame, scale, top, left, height, width, hash, what the file says of the film
            (spacing in mm of the original pixels, laterality, view, body part), decision, reason.
        rejected: `image_id`, `path`, `reason` of the rows with slot -1.
    """

    folder: Path
    slots: NDArray[np.int64]
    index: pd.DataFrame
    rejected: pd.DataFrame

    @property
    def file(self) -> Path:
        """The plain .npy file of the pixels."""
        return self.folder / PIXELS

    @property
    def bytes(self) -> int:
        """Size on disk."""
        return sum((self.folder / name).stat().st_size for name in (PIXELS, INDEX))

    def pixels(self) -> NDArray[np.uint8]:
        """Return (M, H, W) uint8, a read-only memory map; open it in the process that reads it."""
        return np.asanyarray(np.load(self.file, mmap_mode="r" if len(self.index) else None))

    def hashes(self) -> NDArray[np.uint8]:
        """Return (M, 32) uint8 perceptual hashes by slot, zeros where the image was rejected."""
        packed = b"".join(value or bytes(32) for value in self.index["hash"])
        return np.frombuffer(packed, np.uint8).reshape(-1, 32)

    def letterbox(self, slot: int) -> Letterbox:
        """Return where the original of a slot lies in its canvas."""
        return store.place_of(self.index.iloc[slot])


def build(
    root_of: Mapping[str, Path],
    manifest_rows: pd.DataFrame,
    size: tuple[int, int],
    cache_dir: Path,
    workers: int,
    progress: bool,
) -> Cache:
    """Return the cache of a manifest's images, made if it is not there yet.

    A store's name is the digest of the images in it, the size and the rules of reading: other rows, another order,
    hard links or a moved data root find the same store. Two processes that need the same one make it once.

    Args:
        root_of: dataset -> its folder; may be read-only.
        manifest_rows: N rows with `image_id`, `dataset`, `path`, `frame`.
        size: rows and columns of the canvas.
        cache_dir: where stores are kept.
        workers: threads that read and decode.
        progress: whether to show a bar on stderr.

    Raises:
        OsteonError: `cache_dir` is empty, cannot be written or is too small, a file changes meanwhile, or a store that
            is there is damaged. An image that cannot be read is no error but a row of `rejected`.
    """
    if cache_dir == Path():  # what an empty text becomes: images would go wherever the run was started
        raise OsteonError("data.cache_dir: found nothing, expected a folder. Name one: data.cache_dir=/path")
    begun = time.monotonic()
    folders = {name: os.fspath(root) for name, root in root_of.items()}
    names = zip(manifest_rows["dataset"].tolist(), manifest_rows["path"].tolist(), strict=True)
    paths = [os.path.join(folders[dataset], path) for dataset, path in names]
    with bars(progress) as bar:
        found, reasons = digests(paths, cache_dir / "digests.sqlite", workers, bar("reading files"))
        keys = list(zip(found, manifest_rows["frame"].astype(int).tolist(), strict=True))
        first = {(digest, frame): path for (digest, frame), path in zip(keys, paths, strict=True) if digest is not None}
        sources = [Source(digest, frame, first[digest, frame]) for digest, frame in sorted(first)]
        folder = cache_dir / "pixels" / _key(sources, size)
        made = not folder.exists() and make(folder, sources, size, workers, bar("caching images"))
    index = load(folder, sources, size)
    place = {(source.digest, source.frame): slot for slot, source in enumerate(sources)}
    positions = np.array([place.get(key, -1) for key in keys], np.int64)  # type: ignore[arg-type]
    cache = _align(folder, index, manifest_rows, positions, reasons)
    if made:
        taken = f"{store.megabytes(cache.bytes)}, built in {time.monotonic() - begun:.0f} s"
        print(f"cache: {len(sources):,} images, {taken}, {folder}", file=sys.stderr)
    return cache


def _key(sources: Sequence[Source], size: tuple[int, int]) -> str:
    contents = [[source.digest.hex(), source.frame] for source in sources]
    text = json.dumps([FORMAT, READING_RULE, list(size), contents])
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _align(
    folder: Path, index: pd.DataFrame, rows: pd.DataFrame, positions: NDArray[np.int64], reasons: Mapping[int, str]
) -> Cache:
    known = positions >= 0
    slots = np.full(len(rows), -1, np.int64)
    slots[known] = index["slot"].to_numpy()[positions[known]]
    lost = np.flatnonzero(slots < 0)
    decoding = index["reason"].tolist()
    rejected = rows.iloc[lost][["image_id", "path"]].reset_index(drop=True)
    rejected["reason"] = [reasons[row] if row in reasons else decoding[positions[row]] for row in lost.tolist()]
    return Cache(folder, slots, index, rejected)
