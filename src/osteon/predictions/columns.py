"""Columns of boxes in parquet: through flat arrays, as a Python list a box takes seconds where this takes none."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def to_arrow(cells: Sequence[Any], width: int) -> Any:
    """Return cells, (k, width) arrays or None, as a pyarrow array of list<list<double>>.

    The kind is told, not inferred: a file in which nothing was found has the columns of all others.
    """
    import pyarrow as pa

    known = [np.empty((0, width)) if cell is None else cell for cell in cells]
    flat = np.concatenate([np.empty((0, width)), *known])
    ends = np.cumsum([0, *(len(cell) for cell in known)])
    rows = pa.ListArray.from_arrays(pa.array(np.arange(len(flat) + 1) * width, pa.int32()), pa.array(flat.ravel()))
    empty = pa.array([cell is None for cell in cells], pa.bool_())
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), rows, mask=empty)


def from_arrow(column: Any, width: int) -> NDArray[np.object_] | None:
    """Return a pyarrow column of lists as (k, width) arrays and None; None where a row is not `width` floats."""
    import pyarrow as pa

    lists = column.combine_chunks()
    lists = lists.chunk(0) if isinstance(lists, pa.ChunkedArray) and lists.num_chunks else lists
    kinds = (pa.types.is_list, pa.types.is_large_list)
    if not any(kind(lists.type) and kind(lists.type.value_type) for kind in kinds) or isinstance(
        lists, pa.ChunkedArray
    ):
        return None
    rows, ends = lists.values, lists.offsets.to_numpy()
    numbers = rows.values
    if rows.null_count or numbers.null_count or not pa.types.is_floating(numbers.type):
        return None
    if (np.diff(rows.offsets.to_numpy()) != width).any():
        return None
    first = int(rows.offsets[0].as_py()) if len(rows) else 0
    flat = numbers.to_numpy().astype(np.float64)[first : first + width * len(rows)].reshape(-1, width)
    cells = np.full(len(lists), None, dtype=object)
    for place in np.flatnonzero(lists.is_valid().to_numpy(zero_copy_only=False)).tolist():
        cells[place] = flat[ends[place] : ends[place + 1]]
    return cells
