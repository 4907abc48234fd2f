"""Manifest columns as inputs of a model: fitted on train rows, with a place of its own for what is missing."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from osteon.errors import OsteonError, nearest

MOST = 50  # categories of one column; more are ids or free text


@dataclass(frozen=True)
class Covariate:
    """How one column becomes numbers.

    A number is standardised by mean and sd of train, followed by 1 where it is known; a missing one is two zeros. A
    category is one-hot over the train rows' categories, with a last place for missing and never seen ones.

    Attributes:
        name: the column.
        mean: of train; numbers only.
        sd: of train, above 0; numbers only.
        categories: sorted; empty for numbers.
    """

    name: str
    mean: float = 0.0
    sd: float = 1.0
    categories: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """Numbers that it takes."""
        return len(self.categories) + 1 if self.categories else 2


def fit_covariates(train: pd.DataFrame, names: Sequence[str]) -> tuple[Covariate, ...]:
    """Fit columns on train rows.

    Raises:
        OsteonError: a column that is not there, is empty in train, or is free text.
    """
    return tuple(_fit(train, name) for name in names)


def _fit(train: pd.DataFrame, name: str) -> Covariate:
    if name not in train:
        raise OsteonError(f"covariates: no column {name!r}.{nearest(name, map(str, train.columns))}")
    values = train[name].dropna()
    if values.empty:
        raise OsteonError(f"covariates: {name!r} is empty in every train row. Leave it out: covariates=[]")
    if pd.api.types.is_numeric_dtype(values):
        sd = float(values.std(ddof=0))
        return Covariate(name, float(values.mean()), sd if sd > 0 else 1.0)
    categories = tuple(sorted(map(str, values.unique())))
    if len(categories) > MOST:
        raise OsteonError(
            f"covariates: {name!r} has {len(categories):,} different texts in train, at most {MOST} are taken for "
            "categories. Is it an id or free text?"
        )
    return Covariate(name, categories=categories)


def encode(frame: pd.DataFrame, covariates: Sequence[Covariate]) -> np.ndarray:
    """Return (N, sum of widths) float32; a column that the frame lacks is missing in every row."""
    parts = [_encode(frame.get(one.name), one, len(frame)) for one in covariates]
    return np.concatenate(parts, axis=1).astype(np.float32) if parts else np.zeros((len(frame), 0), np.float32)


def _encode(values: pd.Series | None, one: Covariate, count: int) -> np.ndarray:
    if one.categories:
        place = {name: index for index, name in enumerate(one.categories)}
        texts = [None] * count if values is None else [None if pd.isna(value) else str(value) for value in values]
        return np.eye(one.width)[
            [place.get(text, one.width - 1) if text is not None else one.width - 1 for text in texts]
        ]
    numbers = np.full(count, np.nan) if values is None else pd.to_numeric(values, errors="coerce").to_numpy(float)
    known = np.isfinite(numbers)
    return np.stack([np.where(known, (numbers - one.mean) / one.sd, 0.0), known.astype(float)], axis=1)
