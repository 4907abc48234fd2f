"""A store that is there already: proven to be the one asked for before a slot of it is trusted."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from osteon.errors import OsteonError
from osteon.images.store import COLUMNS, INDEX, PIXELS, Source, header


def load(folder: Path, sources: Sequence[Source], size: tuple[int, int]) -> pd.DataFrame:
    """Return the index of a store after proving that it is the one of `sources`, slot by slot; no pixel is read.

    Raises:
        OsteonError: pixels or index are cut, damaged or of other images; deleting the folder is the way out.
    """
    start = header(len(sources), size)
    try:
        index = pd.read_parquet(folder / INDEX)
        with (folder / PIXELS).open("rb") as handle:
            found, length = handle.read(len(start)), os.fstat(handle.fileno()).st_size
    except (OSError, ValueError, NotImplementedError) as fault:
        raise _damaged(folder, str(fault)) from fault
    expected = len(start) + len(sources) * size[0] * size[1]
    if length != expected or found != start:
        raise _damaged(folder, f"{PIXELS} is no array of {len(sources):,} images in {expected:,} bytes")
    missing = [name for name in COLUMNS if name not in index]
    if missing:
        raise _damaged(folder, f"{INDEX} lacks {', '.join(missing)}")
    if list(zip(index["digest"], index["frame"], strict=True)) != [(one.digest.hex(), one.frame) for one in sources]:
        raise _damaged(folder, f"{INDEX} lists other images")
    own, lost = index["slot"] == np.arange(len(index)), (index["slot"] == -1) & index["reason"].notna()
    if not bool((own | lost).all()):
        raise _damaged(folder, f"{INDEX} has a slot out of place")
    return index


def _damaged(folder: Path, why: str) -> OsteonError:
    return OsteonError(f"{folder}: damaged ({why}). Delete this folder; it is made again.")
