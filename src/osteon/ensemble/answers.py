"""The members' answers for one task and split, image beside image."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from osteon.ensemble.members import Member
from osteon.errors import OsteonError
from osteon.identity.names import HASH
from osteon.predictions import TaskFacts
from osteon.scoring.sample import Codes, Floats

_SCORES = {"binary": "probability", "regression": "value"}


@dataclass(frozen=True)
class Answers:
    """What members answer for the same images.

    Attributes:
        rows: (n) rows of the first member that has all grouping columns; its ids and groups stand for all.
        score: (members, n) probabilities of the positive class, or values; (members, classes, n) of classes.
        value: (members, n) expected grades of an ordinal head; else of no images.
        differing: columns to group by in which members differ; they are no groups of the ensemble.
    """

    rows: pd.DataFrame
    score: Floats
    value: Floats
    differing: tuple[str, ...] = ()


def answers(members: Sequence[Member], task: str, facts: TaskFacts, split: str) -> Answers:
    """Put the members' rows of one task and split beside each other, in the order of one of them.

    Raises:
        OsteonError: a member has other images, targets, units, patients or another source; names it and the column.
    """
    given = [_rows(member, task, split) for member in members]
    # Of another framework's rows only ids, targets and answers are known.
    base = next((place for place, rows in enumerate(given) if set(facts.groups) <= set(rows)), 0)
    first, other, tables = given[base], members[base].name, []
    for member, rows in zip(members, given, strict=True):
        where = f"{member.run.folder}: task {task}, {split}"
        tables.append(rows.iloc[_places(first, rows, where, other)])
        _check(first, tables[-1], where, other)
    value = (
        np.stack([rows["value"].to_numpy(np.float64) for rows in tables]) if facts.head == "ordinal" else np.empty(0)
    )
    differing = tuple(name for name in facts.groups if any(_differs(first, rows, name) for rows in tables))
    return Answers(first, np.stack([_score(rows, facts) for rows in tables]), value, differing)


def _rows(member: Member, task: str, split: str) -> pd.DataFrame:
    frame = member.run.predictions.frame
    rows = frame[(frame["task"] == task) & (frame["split"] == split)]
    if rows.empty:
        raise OsteonError(f"{member.run.folder}: task {task}: no predictions of {split}. Predict it, or leave it out.")
    return rows


def _score(rows: pd.DataFrame, facts: TaskFacts) -> Floats:
    if facts.head in _SCORES:
        return rows[_SCORES[facts.head]].to_numpy(np.float64)
    found: Floats = np.stack(rows["probabilities"].to_list()).astype(np.float64).T
    return found


def _places(first: pd.DataFrame, rows: pd.DataFrame, where: str, other: str) -> Codes:
    mine, theirs = pd.Index(rows["image_id"]), pd.Index(first["image_id"])
    lost, added = theirs.difference(mine), mine.difference(theirs)
    if len(lost) or len(added):
        said = [
            f"{len(ids)} images of {name} are not {way}, first {', '.join(map(str, ids[:2]))}"
            for ids, name, way in ((lost, other, "here"), (added, "this run", f"in {other}"))
            if len(ids)
        ]
        raise OsteonError(f"{where}: image_id: {'; '.join(said)}. {_advice(len(lost) == len(theirs), theirs, mine)}")
    return np.asarray(mine.get_indexer(theirs))


def _advice(none_shared: bool, theirs: pd.Index, mine: pd.Index) -> str:
    """Say why images may differ: keys that differ give every image another name."""
    if none_shared and all(HASH.search(str(ids[0])) for ids in (theirs, mine)):
        return (
            "No image is shared and all ids are hashes: the runs were made with different keys. Run them with one "
            "key (data.key_file, or OSTEON_KEY)."
        )
    return (
        "Members must have predicted the same images of val and of test: the same data, data.split_seed and "
        "data.fold. Other images of val were trained on by the other members."
    )


def _check(first: pd.DataFrame, rows: pd.DataFrame, where: str, other: str) -> None:
    for column in ("target", "unit_id", "source"):
        mine, theirs = rows[column].to_numpy(), first[column].to_numpy()
        wrong = (mine != theirs) & ~(pd.isna(mine) & pd.isna(theirs))
        if wrong.any():
            at = int(np.argmax(wrong))
            raise OsteonError(
                f"{where}: {column} differs from {other} in {int(wrong.sum())} of {len(mine)} images, first "
                f"{first['image_id'].iat[at]}: {mine[at]} here, {theirs[at]} there. Predict the same images with the "
                "same labels, and average like with like."
            )
    pairs = pd.DataFrame({"mine": rows["group_id"].to_numpy(), "theirs": first["group_id"].to_numpy()})
    known = pairs.drop_duplicates()
    if len(known) > known["mine"].nunique() or len(known) > known["theirs"].nunique():
        raise OsteonError(
            f"{where}: group_id: this run and {other} do not agree on which images share a patient. Patients are what "
            "intervals resample: give group_id alike."
        )


def _differs(first: pd.DataFrame, rows: pd.DataFrame, name: str) -> bool:
    if name not in rows:
        return False
    mine, theirs = (part[name].astype(object).fillna("").astype(str).to_numpy() for part in (first, rows))
    return bool((mine != theirs).any())
