"""Boxes are clipped to the image that they were drawn on, whose size is known once it has been read."""

from collections.abc import Sequence

import pandas as pd

from osteon.manifest.boxes import array_of, cell_of, clipped, looked


def clip_boxes(
    manifest: pd.DataFrame, index: pd.DataFrame, columns: Sequence[str]
) -> tuple[pd.DataFrame, tuple[str, ...], tuple[str, ...]]:
    """Clip the boxes of every column; what was cut, and what was dropped, is told.

    An image that loses a box altogether counts as unlabelled: something was seen there, and where nobody can say.

    Args:
        manifest: rows with their `slot`.
        index: the cache's, where the row of an image is its slot.
        columns: targets that hold boxes.
    """
    notes: list[str] = []
    dropped: list[str] = []
    sizes = index.iloc[manifest["slot"]][["height", "width"]].to_numpy(float)
    for column in dict.fromkeys(columns):
        cells, cut, lost = list(manifest[column]), 0, []
        for place in looked(cells).nonzero()[0].tolist():
            inside, shorter, outside = clipped(array_of(cells[place]), *sizes[place])
            cut += shorter
            cells[place] = None if outside else cell_of(inside)
            lost += [str(manifest["image_id"].iat[place])] if outside else []
        manifest = manifest.assign(**{column: pd.Series(cells, index=manifest.index, dtype=object)})
        if cut:
            notes.append(f"{column}: {cut:,} boxes reached beyond their image and were clipped to it")
        if lost:
            dropped.append(
                f"{column}: {len(lost):,} images have a box that lies outside altogether and count as unlabelled "
                f"(first: {', '.join(lost[:3])})"
            )
    return manifest, tuple(notes), tuple(dropped)
