"""The one place where a manifest's images are opened: under their real paths, and told of under their hashes."""

import os
from dataclasses import replace
from pathlib import Path

import pandas as pd

from osteon.config import Config
from osteon.errors import OsteonError
from osteon.identity import redact_text
from osteon.images import Cache, build
from osteon.run.sources import Sources, real_paths


def build_cache(config: Config, sources: Sources, rows: pd.DataFrame, size: tuple[int, int]) -> Cache:
    """Return the cache of a manifest's images; neither it nor an error of it holds a path of a private set.

    Args:
        config: the run's settings.
        sources: the datasets, as `sources.read` returns them.
        rows: manifest rows with `image_id`, `dataset`, `path`, `frame`.
        size: rows and columns of the canvas.

    Raises:
        OsteonError: see `osteon.images.build`.
    """
    folder, progress = Path(config.data.cache_dir).expanduser(), config.callbacks.progress_bar
    opened = rows.assign(path=real_paths(sources, rows))
    try:
        cache = build(sources.roots, opened, size, folder, workers=os.cpu_count() or 1, progress=progress)
    except OsteonError as fault:
        raise OsteonError(_told(str(fault), sources, rows, opened)) from None
    rejected = cache.rejected.assign(path=rows["path"].to_numpy()[cache.slots < 0])
    return replace(cache, rejected=rejected)


def _told(text: str, sources: Sources, rows: pd.DataFrame, opened: pd.DataFrame) -> str:
    for dataset, shown, path in zip(rows["dataset"], rows["path"], opened["path"], strict=True):
        if dataset in sources.hidden.files:
            text = text.replace(path, shown)
    return redact_text(text, sources.places)
