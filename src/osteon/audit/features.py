"""What each baseline is shown: columns of the manifest, the size of the film, its margin; never the bone."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteon.manifest.covariates import MOST, encode, fit_covariates

METADATA = ("age_years", "sex", "site", "device", "view", "body_part", "laterality")
# What is seen on a film without being what is asked for.
SEEN = ("cast", "metal", "hardware")
MARGIN = "margin_"
# More rows tell a penalised linear map no more, and cost time.
MOST_ROWS = 8000


@dataclass(frozen=True)
class Baseline:
    """A baseline's inputs.

    Attributes:
        name: as in the audit's table.
        words: what it is shown, for a sentence.
        features: (N, D), a row an image of the manifest; NaN rows were not measured.
    """

    name: str
    words: str
    features: NDArray[np.float64]


def baselines(
    manifest: pd.DataFrame, margins: pd.DataFrame | None, train: NDArray[np.bool_], targets: Collection[str]
) -> Iterator[Baseline]:
    """Yield the baselines that a run's files allow.

    Args:
        manifest: N rows.
        margins: as `images.margins` makes them with `image_id`; None where the run left none.
        train: (N,) bool; columns are encoded as they are there.
        targets: columns that are asked for, which no baseline is shown.
    """
    for name, columns in (("metadata", METADATA), ("seen", SEEN)):
        shown = [one for one in columns if one in manifest and one not in targets and varies(manifest.loc[train, one])]
        if shown:
            found = encode(manifest, fit_covariates(manifest[train], shown)).astype(np.float64)
            yield Baseline(name, ", ".join(one.removesuffix("_years") for one in shown) + " alone", found)
    if margins is None:
        return
    placed = margins.set_index("image_id").reindex(manifest["image_id"])
    size = placed[["height", "width"]].to_numpy(np.float64)
    shape = np.column_stack([size, size[:, 1] / size[:, 0], np.log(size.prod(1))])
    if len(np.unique(size[train & np.isfinite(size[:, 0])], axis=0)) > 1:
        yield Baseline("size", "the size and shape of the film alone", shape)
    grey = placed[[name for name in placed if str(name).startswith(MARGIN)]].to_numpy(np.float64)
    yield Baseline("margin", "the outer sixth of the film alone, where markers lie", grey)


def varies(values: pd.Series) -> bool:
    """Return whether a column of train tells rows apart, and is no id or free text."""
    known = values.dropna()
    if pd.api.types.is_numeric_dtype(known) or not len(known):
        return len(known) > 0 and (known.nunique() > 1 or len(known) < len(values))
    return 1 <= known.nunique() <= MOST and (known.nunique() > 1 or len(known) < len(values))


def measured_rows(manifest: pd.DataFrame) -> NDArray[np.int_]:
    """Return the rows whose margin is worth measuring: those of test, and of train at most 8,000 drawn by chance."""
    train = np.flatnonzero(manifest["split"] == "train")
    if len(train) > MOST_ROWS:
        train = np.random.default_rng(0).choice(train, MOST_ROWS, replace=False)
    return np.sort(np.concatenate([train, np.flatnonzero(manifest["split"] == "test")]))
