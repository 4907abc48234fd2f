"""Pairs of runs on the same units."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from osteon.predictions import read, write
from osteon.scoring.comparison import Comparison, compare, side

Make = Callable[..., Path]
Change = Callable[[pd.DataFrame], pd.DataFrame]
Judge = Callable[..., Comparison]


def altered(folder: Path, change: Change, **about: Any) -> Path:
    """Write the predictions of a run again with other rows."""
    for file in (folder / "predictions").glob("*.parquet"):
        told = read(file)
        write(file, change(told.frame), told.tasks, told.run | about, told.split_names)
    return folder


def noisy(seed: int, size: float = 0.15) -> Change:
    """Return a change that adds noise to the scores, the same whatever the order of the rows."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame = frame.sort_values(["task", "image_id"])
        rng = np.random.default_rng(seed)
        return frame.assign(probability=np.clip(frame["probability"] + rng.normal(0, size, len(frame)), 0, 1))

    return change


@pytest.fixture
def pair(run: Make) -> tuple[Path, Path]:
    """Return two runs of 40 test studies of 20 patients; one study nobody labelled."""
    return run(0, folds=1), altered(run(0, folds=1), noisy(1, 0.4), seed=1)


@pytest.fixture
def judged() -> Judge:
    def make(a: Path | str, b: Path | str, **more: Any) -> Comparison:
        return compare(side("A", a), side("B", b), **({"replicates": 200} | more))

    return make
