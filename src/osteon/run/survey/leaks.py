"""Patients and pictures that stand on both sides of a split, copies with two labels, and look-alikes worth a look."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pandas as pd

from osteon.images import Cache, clusters

# Bits of 256. Of 1,358 knees, 2,400 hands and 597 shoulders no two of different films lie within 24; from there to 40
# lie copies that were trimmed, and films of two people alike in build and position.
COPY = 24
SHOWN = 3


@dataclass(frozen=True)
class Finding:
    """Something to know before training.

    Attributes:
        wrong: whether it makes scores wrong; else it is worth a look.
        text: what was found, with a count and the first examples.
    """

    wrong: bool
    text: str


def leaks(rows: pd.DataFrame, cache: Cache, targets: Iterable[str]) -> list[Finding]:
    """Return what crosses official splits, and which copies of one picture lie in the set at all.

    Args:
        rows: N manifest rows; no split means train where others have one.
        cache: their pictures and hashes.
        targets: the label columns.
    """
    known = cache.slots >= 0
    rows, slots = rows[known].reset_index(drop=True), cache.slots[known]
    hashes = cache.hashes()[slots]
    official = bool(rows["split"].notna().any())
    parts = rows["split"].fillna("train")
    same, alike, near = pd.Series(slots), pd.Series(clusters(hashes, COPY)), pd.Series(clusters(hashes))
    found = [*_labels(rows, same, targets)]
    if official:
        found += _crossing(rows, parts, rows["patient_id"], "patients in two splits", wrong=True)
        found += _crossing(rows, parts, same, "the same picture, byte for byte, in two splits", wrong=True)
        found += _crossing(
            rows, parts, _beyond(alike, same), "copies of one picture in two splits (by its look)", wrong=True
        )
        found += _crossing(rows, parts, _beyond(near, alike), "look-alikes in two splits; look at them", wrong=False)
    elif rows["patient_id"].isna().all():
        said = "look-alikes, kept together as no patient is known"
        found += _told(rows, near, _strangers(_beyond(near, same), rows["image_id"]), said)
    copies = _strangers(same, rows["image_id"]) & ~_across(parts, same)
    found += _told(rows, same, copies, "pictures that lie there twice, byte for byte; they stay in one split")
    films = _beyond(alike, same)
    others = rows["patient_id"].where(rows["patient_id"].notna(), rows["image_id"])
    copied = _strangers(films, others) & ~_across(parts, films)
    found += _told(rows, films, copied, "copies of one picture by its look; they stay in one split "
                   "unless their patients are known and differ")  # fmt: skip
    return found


def _crossing(rows: pd.DataFrame, parts: pd.Series, key: pd.Series, said: str, wrong: bool) -> Iterator[Finding]:
    yield from _told(rows, key, _across(parts, key), said, wrong)


def _across(parts: pd.Series, key: pd.Series) -> pd.Series:
    """Tell which rows share their key with one of another split."""
    return parts.where(key.notna()).groupby(key).transform("nunique").fillna(0) > 1


def _told(rows: pd.DataFrame, key: pd.Series, at: pd.Series, said: str, wrong: bool = False) -> Iterator[Finding]:
    if not at.any():
        return
    groups = rows["image_id"][at].groupby(key[at], sort=False).agg(list)
    shown = "; ".join(" and ".join(part[:2]) for part in groups.head(SHOWN))
    more = "; ..." if len(groups) > SHOWN else ""
    yield Finding(wrong, f"{said}: {len(groups):,} ({int(at.sum()):,} images): {shown}{more}")


def _labels(rows: pd.DataFrame, same: pd.Series, targets: Iterable[str]) -> Iterator[Finding]:
    """Find one picture under two labels: at most one of them is right."""
    for name in targets:
        said = rows[name].map(lambda cell: str(cell) if isinstance(cell, list) else cell)  # boxes are lists
        at = said.groupby(same).transform("nunique") > 1
        yield from _told(rows, same, at, f"the same picture with two labels of {name!r}", wrong=True)


def _beyond(wide: pd.Series, narrow: pd.Series) -> pd.Series:
    """Return the groups of `wide` that join several of `narrow`; the others are null."""
    return wide.where(narrow.groupby(wide).transform("nunique") > 1)


def _strangers(key: pd.Series, whose: pd.Series) -> pd.Series:
    """Tell which rows share their key with another owner's: a patient's two knees are no copies."""
    return whose.where(key.notna()).groupby(key).transform("nunique").fillna(0) > 1
