"""What is asked of an ensemble, and what an ensemble is."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from osteon.ensemble.members import Member
from osteon.ensemble.search import Search
from osteon.scoring.sample import Floats


@dataclass(frozen=True)
class Request:
    """What is asked of an ensemble.

    Attributes:
        rule: mean, weighted, vote or median.
        search: whether the best subset on val is taken instead of all members.
        metric: what subsets are compared by; "" for each task's monitored one.
        tasks: those to take; none for all that members share.
        replicates: bootstrap replicates behind an interval, 100 or more.
    """

    rule: str = "mean"
    search: bool = False
    metric: str = ""
    tasks: tuple[str, ...] = ()
    replicates: int = 1000


@dataclass(frozen=True)
class Ensemble:
    """A written ensemble.

    Attributes:
        folder: its run folder.
        members: all runs that were given.
        weights: task (a multilabel one for its findings) -> (members,) weights with sum 1; 0 for who is left out.
        searches: task -> its search, where one was asked for.
        scores: the score table.
        notes: what was left out or differs.
    """

    folder: Path
    members: tuple[Member, ...]
    weights: dict[str, Floats]
    searches: dict[str, Search]
    scores: pd.DataFrame
    notes: tuple[str, ...]
