"""Image predictions become units: the study, joint, patient or image that a clinical question is asked of."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteon.errors import OsteonError
from osteon.predictions import TaskFacts
from osteon.scoring import bands
from osteon.scoring.boxes import matched

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
UNKNOWN = "unknown"


def units(frame: pd.DataFrame, facts: TaskFacts) -> pd.DataFrame:
    """Pool the image predictions of one task into its units.

    Args:
        frame: checked predictions of one task, one row an image.
        facts: how to pool probabilities (`pool`) and targets (`truth`), and the grouping columns.

    Returns:
        One row a unit in order of first appearance: `unit_id`, `group_id`, `source`, `n_images`, `target` (NaN where
        no image of the unit is labelled), `probability` (binary), `p0`, `p1`, ... (multiclass, ordinal), `value`
        (regression; ordinal: the expected grade), `found` and `true` (detection, whose units are images:
        `boxes.matched`), and each grouping column as text (the values of a unit that has several are sorted and joined
        by "+"; numbers that `bands` knows are their bands). Units of a regression whose scale is known have the band of
        their target too.

    Raises:
        OsteonError: truth is "same" and a unit has two targets; several classes pooled by max or noisy_or, numbers by
            anything but their mean.
    """
    # Boxes lie on an image: no other unit has them.
    codes, ids = pd.factorize(frame["image_id" if facts.head == "detection" else "unit_id"])
    count = len(ids)
    first = np.empty(count, np.intp)
    first[codes[::-1]] = np.arange(len(frame))[::-1]
    target = _truth(frame, codes, count, facts.truth)
    columns: dict[str, object] = {"unit_id": np.asarray(ids)}
    columns |= {name: frame[name].to_numpy()[first] for name in ("group_id", "source") if name in frame}
    columns |= {"n_images": np.bincount(codes, minlength=count), "target": target}
    columns |= _pooled(frame, codes, count, facts)
    columns |= {name: _labels(bands.by_column(name, frame[name]), codes, count) for name in facts.groups}
    if (band := bands.by_target(target, facts)) is not None:
        columns[bands.TARGET] = band
    return pd.DataFrame(columns)


def scores(table: pd.DataFrame, facts: TaskFacts) -> Floats:
    """Return the units' probabilities, (n,) for binary, (n, classes) for classes; for regression their (n,) values."""
    if facts.head in ("binary", "regression"):
        return table["probability" if facts.head == "binary" else "value"].to_numpy(np.float64)
    return table[[f"p{index}" for index in range(len(facts.classes))]].to_numpy(np.float64)


def _truth(frame: pd.DataFrame, codes: Codes, count: int, rule: str) -> Floats:
    target = frame["target"].to_numpy(np.float64)
    known = ~np.isnan(target)
    low, high = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(low, codes[known], target[known])
    np.maximum.at(high, codes[known], target[known])
    if rule == "same" and (conflict := low < high).any():
        rows = frame[frame["unit_id"].to_numpy() == frame["unit_id"].to_numpy()[codes == np.argmax(conflict)][0]]
        found = ", ".join(f"{image}={value:g}" for image, value in zip(rows["image_id"], rows["target"], strict=True))
        raise OsteonError(
            f"unit {rows['unit_id'].iloc[0]}: its images have different targets ({found}); {int(conflict.sum())} such "
            "units. Correct the labels, or choose truth: any (one positive image makes the unit positive) or max."
        )
    return np.where(np.isfinite(high), high, np.nan)


def _pooled(frame: pd.DataFrame, codes: Codes, count: int, facts: TaskFacts) -> Mapping[str, NDArray[Any]]:
    if facts.head == "binary":
        score = frame["probability"].to_numpy(np.float64)
        return {"probability": _pool(score, codes, count, facts)}
    if facts.head == "detection":
        return matched(frame, facts)
    if facts.head == "regression":
        if facts.pool != "mean":
            raise OsteonError(f"pool: {facts.pool!r} has no meaning for a regression head; choose mean.")
        return {"value": _mean(frame["value"].to_numpy(np.float64), codes, count)}
    if facts.pool not in ("mean", "vote"):
        raise OsteonError(f"pool: {facts.pool!r} has no meaning for a {facts.head} head; choose mean or vote.")
    matrix: Floats = np.stack(frame["probabilities"].to_list()).astype(np.float64)
    value = frame["value"].to_numpy(np.float64) if facts.head == "ordinal" else np.empty(0)
    if facts.pool == "vote":
        value = matrix.argmax(1).astype(np.float64)
        matrix = np.eye(matrix.shape[1], dtype=np.float64)[matrix.argmax(1)]
    found = {f"p{index}": _mean(column, codes, count) for index, column in enumerate(np.asarray(matrix.T, np.float64))}
    return found | ({"value": _mean(value, codes, count)} if facts.head == "ordinal" else {})


def _pool(score: Floats, codes: Codes, count: int, facts: TaskFacts) -> Floats:
    if facts.pool == "max":
        highest = np.zeros(count)
        np.maximum.at(highest, codes, score)
        return highest
    if facts.pool == "noisy_or":
        with np.errstate(divide="ignore"):
            pooled: Floats = -np.expm1(np.bincount(codes, np.log1p(-score), count))
        # An image alone keeps its own value to the last digit: thresholds are strict.
        return np.where(np.bincount(codes) == 1, np.bincount(codes, score), pooled)
    if facts.pool == "vote":
        # A vote is the share of the images that the protocol's threshold calls positive.
        score = (score > facts.protocol_threshold).astype(np.float64)
    return _mean(score, codes, count)


def _mean(score: Floats, codes: Codes, count: int) -> Floats:
    pooled: Floats = np.bincount(codes, score, count) / np.bincount(codes, minlength=count)
    # Equal images must pool to their own value: 3 x 0.1 / 3 is not 0.1, and thresholds are strict.
    low, high = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(low, codes, score)
    np.maximum.at(high, codes, score)
    return np.clip(pooled, low, high)


def _labels(column: pd.Series, codes: Codes, count: int) -> NDArray[np.object_]:
    """Return one text a unit; a missing value says nothing where another image of the unit has one."""
    kinds, values = pd.factorize(column)
    names = np.array([*(_text(value) for value in values), UNKNOWN], dtype=object)
    low, high = np.full(count, len(values), np.intp), np.full(count, -1, np.intp)
    known = kinds >= 0
    np.minimum.at(low, codes[known], kinds[known])
    np.maximum.at(high, codes[known], kinds[known])
    labels = names[low]
    mixed = (low < high) & (high >= 0)
    if mixed.any():
        rows = known & mixed[codes]
        pairs = pd.DataFrame({"unit": codes[rows], "name": names[kinds[rows]]}).drop_duplicates().sort_values("name")
        joined = pairs.groupby("unit")["name"].agg("+".join)
        labels[joined.index.to_numpy()] = joined.to_numpy()
    return labels


def _text(value: object) -> str:
    # Flags are nullable floats in a manifest; a reader expects leg=1, not leg=1.0.
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
