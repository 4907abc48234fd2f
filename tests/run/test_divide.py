"""What parts of a split should hold alike, and what each must hold at least."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.composing import config
from tests.run.measured_set import task

from osteon.config import Task
from osteon.errors import OsteonError
from osteon.manifest import SplitRule, assign, complete
from osteon.run.divide import check_labels, strata


def manifest(labels: pd.DataFrame) -> pd.DataFrame:
    """Return one patient a row."""
    ids = [f"p{number:04}" for number in range(len(labels))]
    base = pd.DataFrame({"image_id": ids, "patient_id": ids, "group_id": ids, "dataset": "d", "path": ids})
    return complete(pd.concat([base, labels.reset_index(drop=True)], axis=1))


def split(labels: pd.DataFrame, kind: str, seed: int) -> np.ndarray:
    found = assign(manifest(labels), SplitRule(seed, 0.2, 0.2), strata=strata(labels, kind))
    return found["split"].to_numpy()


def test_the_seed_decides_a_split_by_numbers_and_its_parts_are_alike() -> None:
    """Sorted by the very numbers, all seeds would give one split."""
    months = pd.DataFrame({"months": np.random.default_rng(0).gamma(4.0, 25.0, 600)})
    one, two = split(months, "regression", 0), split(months, "regression", 1)
    assert (one != two).mean() > 0.3
    for parts in (one, two):
        means = months["months"].groupby(parts).mean()
        assert abs(means["test"] - means["train"]) < 5
        assert abs(means["val"] - means["train"]) < 5


def test_few_different_numbers_are_strata_themselves() -> None:
    grades = pd.DataFrame({"grade": [0.0, 1, 2, 3, np.nan] * 4})
    pd.testing.assert_series_equal(strata(grades, "regression"), grades["grade"])
    pd.testing.assert_series_equal(strata(grades, "ordinal"), grades["grade"])


def test_a_rare_label_reaches_every_part() -> None:
    rng = np.random.default_rng(0)
    labels = pd.DataFrame({"common": rng.random(400) < 0.6, "rare": rng.random(400) < 0.05}).astype(float)
    labels.iloc[:40] = np.nan
    for seed in range(5):
        shares = labels["rare"].groupby(split(labels, "multilabel", seed)).mean()
        assert shares.min() > 0.025, "20 of 400 patients have it"


def test_a_row_counts_for_its_rarest_label() -> None:
    labels = pd.DataFrame(
        {"a": [1, 1, 1, 0, np.nan, np.nan], "b": [0, 1, 0, 0, np.nan, 0], "c": [0, 1, 1, 0, 1, np.nan]}
    )
    found = strata(labels, "multilabel")  # a: 3, c: 3, b: 1
    assert found[0] < found[2] == found[4] < found[1]
    assert found[3] == found[5] == 0.0
    assert strata(labels.iloc[:, :0].assign(a=np.nan), "multilabel").isna().all()


def faults(told: dict[str, Any], train: Any, val: Any, test: Any = None) -> str:
    """Return what `check_labels` says of three splits of the given targets; empty where they pass."""
    parts = {"train": train, "val": val, "test": np.full_like(np.asarray(train, dtype=float), np.nan)}
    values = np.concatenate([np.asarray(part, dtype=float) for part in parts.values()])
    frame = manifest(pd.DataFrame(index=range(len(values))))
    frame["split"] = np.repeat(list(parts), [len(part) for part in parts.values()])
    told_of: Any = type("Told", (), {"tasks": {"t": Task.model_validate(told)}, "data": config().data})
    try:
        check_labels(told_of, frame, {"t": values}, {"t": np.ones(len(values), dtype=bool)})
    except OsteonError as fault:
        return str(fault)
    return ""


AGE, BOTH = task("months", "mae", kind="regression"), task(["left", "top"], "macro_auroc", kind="multilabel")
X = np.nan


@pytest.mark.parametrize(
    ("told", "train", "val", "says"),
    [
        (AGE, [1.0, 2.0, X], [5.0, X], ""),
        (AGE, [1.0, 1.0, X], [5.0, 6.0], "all 2 labelled images in train have months=1; different values are needed"),
        (AGE, [1.0, 2.0], [X, X], "no labelled image in val (2 without 'months')"),
        (BOTH, [[0, 0], [1, 1]], [[0, 0], [1, 0]], ""),
        (BOTH, [[0, 0], [1, X], [X, 1]], [[X, 0], [0, X], [1, X]], ""),
        (BOTH, [[0, 0], [1, 0]], [[0, 0], [1, 1]], "all 2 labelled images in train have top=0; both outcomes"),
        (BOTH, [[0, X], [1, X]], [[0, 0], [1, 1]], "no labelled image in train (2 without 'top')"),
        (BOTH, [[0, 0], [1, 1]], [[0, 1], [0, 1]], "all 2 labelled images in val have left=0; both outcomes"),
    ],
)
def test_what_a_split_lacks_is_said(told: dict[str, Any], train: Any, val: Any, says: str) -> None:
    found = faults(told, train, val)
    assert says in found
    assert bool(found) == bool(says)
