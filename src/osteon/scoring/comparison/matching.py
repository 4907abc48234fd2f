"""Both sides' answers for one task, unit beside unit; what is not the same on both sides is refused or said."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from osteon.errors import OsteonError
from osteon.predictions import TaskFacts
from osteon.scoring import bands
from osteon.scoring.comparison.sides import Side

# What both sides must say of a task, because its metrics mean nothing else otherwise.
SAME = ("head", "unit", "classes", "protocol_threshold", "of", "unit_name", "cut", "hit")


@dataclass(frozen=True)
class Matched:
    """One task of both sides.

    Attributes:
        task: its name.
        facts: what both sides say of it; `call` is A's.
        call_b: which grade B calls; a rule is a part of a system, so that the sides may differ in it.
        units: (n) unit_id, group_id, source, target and the columns to group by, in the order of the ids.
        a: the answers of each training of A, row by row those of `units`.
        b: those of B.
        notes: what is not the same on both sides and does no harm.
    """

    task: str
    facts: TaskFacts
    units: pd.DataFrame
    a: list[pd.DataFrame]
    b: list[pd.DataFrame]
    notes: tuple[str, ...] = ()
    call_b: str = ""

    @property
    def of_sides(self) -> tuple[tuple[TaskFacts, list[pd.DataFrame]], tuple[TaskFacts, list[pd.DataFrame]]]:
        """Each side's facts and answers."""
        return (self.facts, self.a), (replace(self.facts, call=self.call_b), self.b)

    @property
    def frozen(self) -> bool:
        """Whether every training has called the units at a threshold frozen on val."""
        return all("threshold" in table and table["threshold"].notna().all() for table in (*self.a, *self.b))


def shared(a: Side, b: Side, split: str) -> tuple[list[str], list[str]]:
    """Return the tasks that both sides have, and what to say of those that one lacks.

    Raises:
        OsteonError: they share none.
    """
    mine, others = a.tasks(split), b.tasks(split)
    both = [task for task in mine if task in others]
    if not both:
        raise OsteonError(
            f"{a} has task {', '.join(mine)}, {b} has {', '.join(others)}: no task in common, nothing to compare. "
            "In predictions of another framework the column task names it."
        )
    alone = [(a, b, task) for task in mine if task not in others] + [
        (b, a, task) for task in others if task not in mine
    ]
    return both, [f"task {task}: {other} lacks it, not compared" for _, other, task in alone]


def match(a: Side, b: Side, task: str, split: str) -> Matched:
    """Put both sides' answers for one task beside each other.

    Raises:
        OsteonError: units, targets or patients differ, or the sides describe the task so that its metrics differ.
    """
    of_a, of_b = _described(a, b, task, split)
    tables = [(a, table) for table in a.tables(task, of_a, split)] + [(b, t) for t in b.tables(task, of_b, split)]
    _check_rows(tables, f"task {task}, {split}")
    first, other = tables[0][1], tables[len(a.trainings)][1]
    names, notes = _groups((of_a, of_b), first, other)
    source = [*first["source"]] if "source" in first else ["real"] * len(first)
    theirs = [*other["source"]] if "source" in other else source
    joined = ["+".join(sorted({*one.split("+"), *two.split("+")})) for one, two in zip(source, theirs, strict=True)]
    units = first[["unit_id", "group_id", "target"]].assign(
        source=joined, **{name: (first if name in first else other)[name] for name in names}
    )
    if differ := int((first["n_images"] != other["n_images"]).sum()):
        notes.append(f"{differ} units have another number of images in B than in A")
    answers = [table.assign(group_id=units["group_id"]) for _, table in tables]
    count = len(a.trainings)
    facts = of_a if task not in a.first.predictions.guessed else of_b
    said = {"groups": [name for name in names if name != bands.TARGET], "call": of_a.call}
    facts = TaskFacts.from_json(facts.to_json() | said)
    if of_a.call != of_b.call:
        notes.append(f"called: A the {of_a.call}, B the {of_b.call} grade")
    return Matched(task, facts, units, answers[:count], answers[count:], tuple(notes), of_b.call)


def _described(a: Side, b: Side, task: str, split: str) -> tuple[TaskFacts, TaskFacts]:
    """Return each side's facts; a file that says nothing of a task takes those of the other side."""
    mine, other = a.tasks(split)[task], b.tasks(split)[task]
    guessed = [task in side.first.predictions.guessed for side in (a, b)]
    if mine.head != other.head or len(mine.classes) != len(other.classes):
        said = f"{mine.head} with {len(mine.classes)} classes in {a}, {other.head} with {len(other.classes)} in {b}"
        raise OsteonError(f"task {task}: {said}. Compare runs of one head and the same classes.")
    if guessed[0] != guessed[1]:
        taken = other if guessed[0] else mine
        bare = TaskFacts.from_json(taken.to_json() | {"groups": []})
        return (bare, taken) if guessed[0] else (taken, bare)
    for name in SAME:
        if getattr(mine, name) != getattr(other, name):
            found = f"{getattr(mine, name)!r} in {a}, {getattr(other, name)!r} in {b}"
            raise OsteonError(f"task {task}: its {name} is {found}, so its scores mean two things. Predict one task.")
    return mine, other


def _check_rows(tables: list[tuple[Side, pd.DataFrame]], where: str) -> None:
    """Refuse tables whose units, targets or patients are not the same."""
    side, first = tables[0]
    for other, table in tables[1:]:
        names = (str(side), str(other) if other is not side else f"another training of {other}")
        _check_units(first, table, names, where)
        _check_targets(first, table, names, where)
        _check_patients(first, table, names, where)


def _check_units(first: pd.DataFrame, table: pd.DataFrame, names: tuple[str, str], where: str) -> None:
    mine, theirs = set(first["unit_id"]), set(table["unit_id"])
    if mine == theirs:
        return
    said = [
        f"{len(lost)} of {len(all_)} units of {name} are not in the other, first {', '.join(sorted(lost)[:3])}"
        for name, all_, lost in ((names[0], mine, mine - theirs), (names[1], theirs, theirs - mine))
        if lost
    ]
    raise OsteonError(
        f"{where}: {names[0]} and {names[1]} predict different units, so nothing can be paired: {'; '.join(said)}. "
        "Predict the same test images with both (the same data and data.split_seed)."
    )


def _check_targets(first: pd.DataFrame, table: pd.DataFrame, names: tuple[str, str], where: str) -> None:
    mine, theirs = first["target"].to_numpy(np.float64), table["target"].to_numpy(np.float64)
    wrong = ~((mine == theirs) | (np.isnan(mine) & np.isnan(theirs)))
    if not wrong.any():
        return
    ids = first["unit_id"].to_numpy()
    shown = ", ".join(f"{ids[k]}: {_label(mine[k])} and {_label(theirs[k])}" for k in np.flatnonzero(wrong)[:3])
    raise OsteonError(
        f"{where}: {names[0]} and {names[1]} have different targets for {int(wrong.sum())} of {len(mine)} units, "
        f"first {shown}. Correct the labels and predict again with both."
    )


def _label(value: float) -> str:
    return "none" if np.isnan(value) else f"{value:g}"


def _check_patients(first: pd.DataFrame, table: pd.DataFrame, names: tuple[str, str], where: str) -> None:
    """Refuse sides that do not agree on which units share a patient; how they call a patient may differ."""
    pairs = pd.DataFrame({"mine": first["group_id"], "theirs": table["group_id"], "unit": first["unit_id"]})
    known = pairs.drop_duplicates(["mine", "theirs"])
    wrong = known[known.duplicated("mine", keep=False) | known.duplicated("theirs", keep=False)]
    if len(wrong):
        raise OsteonError(
            f"{where}: {names[0]} and {names[1]} do not agree on which units share a patient (group_id), first unit "
            f"{wrong['unit'].iloc[0]}: {wrong['mine'].iloc[0]} and {wrong['theirs'].iloc[0]}. Patients are what is "
            "resampled: give group_id alike on both sides."
        )


def _groups(facts: tuple[TaskFacts, TaskFacts], a: pd.DataFrame, b: pd.DataFrame) -> tuple[list[str], list[str]]:
    """Return the columns to group by, of either side, and what to say of those in which the sides differ."""
    names, notes = [], []
    for name in dict.fromkeys((*facts[0].groups, *facts[1].groups, bands.TARGET)):
        if name in a and name in b and (differ := int((a[name].fillna("") != b[name].fillna("")).sum())):
            notes.append(f"not compared by {name}: A and B differ in it for {differ} units")
        elif name in a or name in b:
            names.append(name)
    return names, notes
