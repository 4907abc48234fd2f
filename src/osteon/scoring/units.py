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
from osteon.scoring.grouping import Floats, Grouping, grouped_by

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
    by = grouped_by(frame["image_id" if facts.head == "detection" else "unit_id"])
    columns: dict[str, object] = {"unit_id": by.ids}
    columns |= {name: frame[name].take(by.first).array for name in ("group_id", "source") if name in frame}
    target = _truth(frame, by, facts.truth)
    columns |= {"n_images": by.sizes, "target": target}
    columns |= _pooled(frame, by, facts)
    columns |= {name: _labels(bands.by_column(name, frame[name]), by) for name in facts.groups}
    if (band := bands.by_target(target, facts)) is not None:
        columns[bands.TARGET] = band
    return pd.DataFrame(columns)


def scores(table: pd.DataFrame, facts: TaskFacts) -> Floats:
    """Return the units' probabilities, (n,) for binary, (n, classes) for classes; for regression their (n,) values."""
    if facts.head in ("binary", "regression"):
        return table["probability" if facts.head == "binary" else "value"].to_numpy(np.float64)
    return table[[f"p{index}" for index in range(len(facts.classes))]].to_numpy(np.float64)


def _truth(frame: pd.DataFrame, by: Grouping, rule: str) -> Floats:
    target = frame["target"].to_numpy(np.float64)
    if by.alike(target):
        return target[by.first]
    low, high = by.lowest(target), by.highest(target)
    if rule == "same" and (conflict := low < high).any():
        rows = frame[by.codes == np.argmax(conflict)]
        found = ", ".join(f"{image}={value:g}" for image, value in zip(rows["image_id"], rows["target"], strict=True))
        raise OsteonError(
            f"unit {rows['unit_id'].iloc[0]}: its images have different targets ({found}); {int(conflict.sum())} such "
            "units. Correct the labels, or choose truth: any (one positive image makes the unit positive) or max."
        )
    return high


def _pooled(frame: pd.DataFrame, by: Grouping, facts: TaskFacts) -> Mapping[str, NDArray[Any]]:
    if facts.head == "binary":
        return {"probability": pool(frame["probability"].to_numpy(np.float64), by, facts)}
    if facts.head == "detection":
        return matched(frame, facts)
    if facts.head == "regression":
        return {"value": pool(frame["value"].to_numpy(np.float64), by, facts)}
    matrix: Floats = np.stack(frame["probabilities"].to_list()).astype(np.float64).T
    found = {f"p{index}": column for index, column in enumerate(pool(matrix, by, facts))}
    if facts.head == "multiclass":
        return found
    value = matrix.argmax(0).astype(np.float64) if facts.pool == "vote" else frame["value"].to_numpy(np.float64)
    return found | {"value": by.mean(value)}


def pool(score: Floats, by: Grouping, facts: TaskFacts) -> Floats:
    """Pool the images' scores to their units', as the task says.

    Args:
        score: (..., n) probabilities or values of n images; (..., classes, n) of a head with classes.
        by: the images of each of u units.
        facts: head, `pool` and, of a vote, the threshold that an image is called positive above.

    Returns:
        (..., u) or (..., classes, u) scores of the units.

    Raises:
        OsteonError: several classes pooled by max or noisy_or, numbers by anything but their mean.
    """
    possible = {"binary": ("mean", "max", "noisy_or", "vote"), "regression": ("mean",)}.get(
        facts.head, ("mean", "vote")
    )
    if facts.pool not in possible:
        said = " or ".join(possible)
        raise OsteonError(f"pool: {facts.pool!r} has no meaning for a {facts.head} head; choose {said}.")
    if facts.pool == "max":
        return by.highest(score)
    if facts.pool == "noisy_or":
        with np.errstate(divide="ignore"):
            pooled: Floats = -np.expm1(by.sum(np.log1p(-score)))
        # An image alone keeps its own value to the last digit: thresholds are strict.
        return np.where(by.sizes == 1, by.sum(score), pooled)
    if facts.pool == "vote" and facts.head == "binary":
        # A vote is the share of the images that the protocol's threshold calls positive.
        score = (score > facts.protocol_threshold).astype(np.float64)
    elif facts.pool == "vote":
        called = np.expand_dims(score.argmax(-2), -2)
        score = (np.arange(score.shape[-2])[:, None] == called).astype(np.float64)
    return by.mean(score)


def _labels(column: pd.Series, by: Grouping) -> pd.Series:
    """Return one text a unit; a missing value says nothing where another image of the unit has one."""
    kinds, values = pd.factorize(column)
    names = np.array([*(_text(value) for value in values), UNKNOWN], dtype=object)
    if by.alike(kinds):
        # What is missing has the code -1, the last name.
        return pd.Series(names).take(kinds[by.first] % len(names)).reset_index(drop=True)
    place = np.where(kinds < 0, np.nan, kinds)
    low, high = by.lowest(place), by.highest(place)
    labels = pd.Series(names).take(np.where(np.isnan(low), len(values), low).astype(np.intp))
    mixed = low < high
    if not mixed.any():
        return labels.reset_index(drop=True)
    rows = (kinds >= 0) & mixed[by.codes]
    pairs = pd.DataFrame({"unit": by.codes[rows], "name": names[kinds[rows]]}).drop_duplicates().sort_values("name")
    joined = pairs.groupby("unit")["name"].agg("+".join)
    found = labels.to_numpy(object)
    found[joined.index.to_numpy()] = joined.to_numpy()
    return pd.Series(found)


def _text(value: object) -> str:
    # Flags are nullable floats in a manifest; a reader expects leg=1, not leg=1.0.
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
