"""Patient-disjoint splits and folds: seeded, proven, and named after what kept rows together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from osteon.errors import OsteonError


@dataclass(frozen=True)
class SplitRule:
    """How rows without an official split are divided.

    Attributes:
        val_fraction: share of the groups (patients) for val.
        test_fraction: share of the groups for test, where the dataset has no test of its own.
        fold: which of `folds` is the test set; None for a single split.
    """

    seed: int
    val_fraction: float
    test_fraction: float
    fold: int | None = None
    folds: int | None = None


def group(frame: pd.DataFrame, near: Sequence[int] | np.ndarray | None = None) -> pd.DataFrame:
    """Return `frame` with `group_id`: the patient, else the exam, else the near-duplicate cluster, else the image.

    Args:
        frame: a completed manifest of one dataset.
        near: near-duplicate cluster of every row, used for rows without a patient and an exam.
    """
    fallback = frame["image_id"] if near is None else pd.Series(np.asarray(near), index=frame.index).astype("str")
    kind = "image:" if near is None else "near:"
    ids = frame["dataset"] + "/" + kind + fallback
    ids = ids.where(frame["study_id"].isna(), frame["dataset"] + "/study:" + frame["study_id"])
    ids = ids.where(frame["patient_id"].isna(), "patient:" + frame["patient_id"])
    return frame.assign(group_id=ids)


def join_copies(frame: pd.DataFrame, same: np.ndarray) -> pd.DataFrame:
    """Return `frame` with the groups joined that share an image, so that copies of one image stay in one split.

    Rows with different official splits are not joined: their owners' split is kept, and the copies are a finding.

    Args:
        frame: manifest with `group_id`.
        same: (N,) number of the image's content; rows of one number are copies, negative for unknown.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    codes, names = pd.factorize(frame["group_id"])
    official = frame["split"].groupby(same).transform("nunique").to_numpy() > 1
    labels = pd.Series(same).astype(str).to_numpy() + np.where(official, "|" + frame["split"].fillna(""), "")
    content = pd.factorize(labels)[0]
    edges = np.asarray(same) >= 0
    size = len(names) + int(content.max(initial=-1)) + 1
    links = coo_array((np.ones(int(edges.sum())), (codes[edges], content[edges] + len(names))), shape=(size, size))
    part = connected_components(links, directed=False)[1][: len(names)]
    first = pd.Series(names).groupby(part).transform("min").to_numpy()
    return frame.assign(group_id=pd.Series(first[codes], index=frame.index, dtype="str"))


def kept_together_by(frame: pd.DataFrame) -> str:
    """Name what the groups are made of, for the split report: `patient`, `study`, `near-duplicate` or a mixture."""
    names = {"patient": "patient", "study": "exam", "near": "near-duplicate hash", "image": "image (nothing is known)"}
    kinds = frame["group_id"].str.extract(r"(?:^|/)(patient|study|near|image):")[0].dropna().unique()
    return " + ".join(names[kind] for kind in names if kind in set(kinds))


def assign(frame: pd.DataFrame, rule: SplitRule, strata: pd.Series | None = None) -> pd.DataFrame:
    """Return `frame` with `split` filled; an official split is kept, and val is cut from train by group.

    Groups are ordered by a seeded hash-free shuffle, within strata of the share of positive rows, so that rare
    positives reach every part. The same seed gives the same split whatever the order of the rows.

    Args:
        frame: manifest with `group_id`; `split` may hold official values.
        rule: fractions, folds and seed.
        strata: a value a row (the target) that the parts should share evenly.

    Raises:
        OsteonError: folds asked for where an official test split exists, or too few groups.
    """
    known = frame[frame["split"].notna()].groupby("group_id")["split"].first()
    frame = frame.assign(split=frame["split"].fillna(frame["group_id"].map(known)))
    official_test = bool((frame["split"] == "test").any())
    if rule.fold is not None and official_test:
        raise OsteonError("data.folds: this dataset has an official test split; folds would mix it into training.")
    parts = frame["split"].copy()
    free, trained = parts.isna(), parts == "train"
    if not bool((parts == "val").any()) and bool(trained.any()):
        parts[trained] = _shared(frame[trained], rule.seed, {"val": rule.val_fraction}, strata)
    if rule.fold is not None and rule.folds is not None:
        parts[free] = _folded(frame[free], rule, strata)
    else:
        shares = {"test": 0.0 if official_test else rule.test_fraction}
        shares["val"] = 0.0 if bool((frame["split"] == "val").any()) else rule.val_fraction
        parts[free] = _shared(frame[free], rule.seed, shares, strata)
    return frame.assign(split=parts)


def _folded(frame: pd.DataFrame, rule: SplitRule, strata: pd.Series | None) -> pd.Series:
    order = _ordered_groups(frame, rule.seed, strata)
    assert rule.folds is not None
    if len(order) < rule.folds:
        raise OsteonError(f"data.folds={rule.folds}: only {len(order)} groups (patients) to divide.")
    number = pd.Series(np.arange(len(order)) % rule.folds, index=order)
    test = frame["group_id"].map(number) == rule.fold
    parts = pd.Series("test", index=frame.index, dtype="str")
    rest = frame[~test]
    parts[~test] = _shared(rest, rule.seed + 1, {"val": rule.val_fraction}, strata)
    return parts


def _shared(frame: pd.DataFrame, seed: int, shares: dict[str, float], strata: pd.Series | None) -> pd.Series:
    order = _ordered_groups(frame, seed, strata)
    # A position inside the evenly interleaved order, so that every stretch of it holds every stratum.
    place = (np.arange(len(order)) * 0.6180339887498949 + 0.5) % 1.0
    part = np.full(len(order), "train", dtype=object)
    edge = 0.0
    for name, share in shares.items():
        part[(place >= edge) & (place < edge + share)] = name
        edge += share
    return frame["group_id"].map(pd.Series(part, index=order)).astype("str")


def _ordered_groups(frame: pd.DataFrame, seed: int, strata: pd.Series | None) -> "pd.Index[str]":
    """Return the groups, shuffled by seed, then sorted by their stratum (stable, so that the shuffle stays inside)."""
    names = np.sort(frame["group_id"].unique())
    shuffled: pd.Index[str] = pd.Index(np.random.default_rng(seed).permutation(names))
    if strata is None:
        return shuffled
    values = pd.to_numeric(strata.loc[frame.index], errors="coerce").fillna(-1.0)
    level = values.groupby(frame["group_id"].to_numpy()).max().loc[shuffled]
    ordered: pd.Index[str] = level.sort_values(kind="stable").index
    return ordered


def prove_disjoint(frame: pd.DataFrame) -> dict[str, int]:
    """Return the number of groups in every split after proving that no group is in two.

    Raises:
        OsteonError: a group in two splits, with the first ones.
    """
    members = {str(name): set(part["group_id"]) for name, part in frame.groupby("split")}
    names = sorted(members)
    for index, one in enumerate(names):
        for other in names[index + 1 :]:
            shared = sorted(members[one] & members[other])
            if shared:
                raise OsteonError(f"split: {len(shared)} group(s) in {one} and {other}: {', '.join(shared[:5])}")
    return {name: len(members[name]) for name in ("train", "val", "test") if name in members}
