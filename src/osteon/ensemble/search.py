"""Every subset of the members, scored; the best on val is taken, the best on test only shown.

Yabu et al. (2021), Spine J 21:1652, scored the 511 subsets of nine networks and, as the paper reads, kept the best one
on the data that it was reported on. Here val chooses. What choosing on test would have given stands beside it, as
optimistic.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from osteon.ensemble.answers import Answers
from osteon.ensemble.bulk import scores_of
from osteon.ensemble.mixing import Chosen, mixed, votes
from osteon.errors import OsteonError
from osteon.predictions import TaskFacts
from osteon.scoring.grouping import grouped_by
from osteon.scoring.metrics import Metric, direction
from osteon.scoring.sample import Floats
from osteon.scoring.units import pool, units

# 4,095 subsets of 12; each further member doubles them, and val cannot tell so many apart.
MOST = 12
# Answers held at a time: images x classes x subsets.
CHUNK = 4_000_000


@dataclass(frozen=True)
class Search:
    """The subsets of the members with their scores.

    Attributes:
        metric: by which they are compared.
        higher_is_better: its direction.
        chosen: (subsets, members) who takes part, by size.
        val: (subsets,) scores on val, NaN where undefined.
        test: (subsets,) scores on test.
    """

    metric: str
    higher_is_better: bool
    chosen: Chosen
    val: Floats
    test: Floats

    @property
    def best(self) -> int:
        """The best subset on val; of equal ones the one with fewest members."""
        return self._best(self.val)

    @property
    def best_on_test(self) -> int:
        """The best subset on test, which nobody may choose."""
        return self._best(self.test)

    @property
    def best_single(self) -> int:
        """The member that is best alone on val."""
        return self._best(np.where(self.chosen.sum(1) == 1, self.val, np.nan))

    def _best(self, values: Floats) -> int:
        signed = values if self.higher_is_better else -values
        return int(np.argmax(np.where(np.isnan(signed), -np.inf, signed)))


def subsets(members: int) -> Chosen:
    """Return all 2^members - 1 subsets as (subsets, members) flags, smaller ones first.

    Raises:
        OsteonError: there are more than 12 members.
    """
    if members > MOST:
        raise OsteonError(
            f"--search: found {members} members, whose {2**members - 1:,} subsets val cannot tell apart; expected "
            f"{MOST} or fewer. Leave some out, or take --rule weighted."
        )
    rows = [who for size in range(1, members + 1) for who in combinations(range(members), size)]
    found = np.zeros((len(rows), members), bool)
    for row, who in zip(found, rows, strict=True):
        row[list(who)] = True
    return found


def search(
    facts: Mapping[str, TaskFacts], val: Mapping[str, Answers], test: Mapping[str, Answers], rule: str, item: Metric
) -> Search:
    """Score every subset on val and on test; of the findings of a multilabel task by their mean.

    Args:
        facts: the tasks that share one subset: a task, or the findings of one.
        val: their answers there.
        test: their answers there.
        rule: mean, vote or median.
        item: the metric; calls are made at the protocol's threshold.

    Raises:
        OsteonError: there are too many members, or the metric is undefined on val for every subset.
    """
    chosen = subsets(len(next(iter(val.values())).score))
    on_val = _mean([subset_scores(val[task], fact, chosen, rule, item) for task, fact in facts.items()])
    if np.isnan(on_val).all():
        raise OsteonError(
            f"--search: {item.name} of {', '.join(facts)} is undefined on val for every subset, so that none can be "
            "chosen. Make val larger, or choose another --metric."
        )
    on_test = _mean([subset_scores(test[task], fact, chosen, rule, item) for task, fact in facts.items()])
    return Search(item.name, direction(item.name) == "max", chosen, on_val, on_test)


def _mean(parts: Sequence[Floats]) -> Floats:
    """Return the mean over the findings for which the metric is defined."""
    found, known = np.stack(parts), ~np.isnan(parts)
    sums = np.where(known, found, 0).sum(0)
    return np.where(known.any(0), sums / np.maximum(known.sum(0), 1), np.nan)


def subset_scores(found: Answers, facts: TaskFacts, chosen: Chosen, rule: str, item: Metric) -> Floats:
    """Return the (subsets,) scores of ensembles of one task and split."""
    table, by = units(found.rows, facts), grouped_by(found.rows["unit_id"])
    step = max(1, CHUNK // found.score[0].size)
    parts = []
    for start in range(0, len(chosen), step):
        rows = chosen[start : start + step]
        score, value = mixed(found.score, rows, rule, facts), graded(found, rows, rule, facts)
        pooled = by.mean(called_value(score, value, facts)) if value.size else value
        parts.append(scores_of(item, pool(score, by, facts), pooled, table, facts))
    return np.concatenate(parts)


def graded(found: Answers, chosen: Chosen, rule: str, facts: TaskFacts) -> Floats:
    """Return the (subsets, n) expected grades of ensembles of an ordinal head; of no images for other heads."""
    if not found.value.size:
        return np.empty(0)
    own = votes(found.score, facts).argmax(1).astype(np.float64) if rule == "vote" else found.value
    plain = TaskFacts(head="regression")
    return mixed(own, chosen, "median" if rule == "median" else "mean", plain)


def called_value(score: Floats, value: Floats, facts: TaskFacts) -> Floats:
    """Return what is pooled of expected grades: themselves, or where images vote the grade that each calls."""
    return score.argmax(-2).astype(np.float64) if facts.pool == "vote" else value


def frame_of(found: Answers, facts: TaskFacts, score: Floats, value: Floats) -> pd.DataFrame:
    """Return the rows of the first member with an ensemble's (n,) or (classes, n) answers in the place of its own."""
    rows = found.rows.drop(columns=[name for name in ("boxes", "truth") if name in found.rows])
    if facts.head in ("binary", "regression"):
        return rows.assign(**{"probability" if facts.head == "binary" else "value": score})
    listed = pd.Series(list(score.T), index=rows.index, dtype=object)
    return rows.assign(probabilities=listed, **({"value": value} if value.size else {}))
