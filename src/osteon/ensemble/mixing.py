"""How members' answers become one: mean, weighted mean, vote or median, of many subsets of members at once."""

import numpy as np
from numpy.typing import NDArray

from osteon.errors import OsteonError, nearest
from osteon.predictions import TaskFacts
from osteon.predictions.facts import CALLS
from osteon.scoring.sample import Floats

# (subsets, members): who takes part.
Chosen = NDArray[np.bool_]
RULES = ("mean", "weighted", "vote", "median")


def check_mixing(rule: str, facts: TaskFacts, task: str) -> None:
    """Refuse a rule that there is not, or that the head has not.

    Raises:
        OsteonError: names the rule, the task and what to choose.
    """
    if rule not in RULES:
        raise OsteonError(f"--rule: {rule!r} is not one of {', '.join(RULES)}.{nearest(rule, RULES)}")
    if rule == "vote" and facts.head == "regression":
        raise OsteonError(f"--rule vote: task {task} predicts a number, on which nobody votes. Choose mean or median.")
    if rule == "vote" and facts.call in CALLS[1:]:
        raise OsteonError(
            f"--rule vote: task {task} calls the {facts.call} grade, but members vote for their likeliest. Choose mean."
        )


def mixed(score: Floats, chosen: Chosen, rule: str, facts: TaskFacts) -> Floats:
    """Return the answers of each subset of members.

    mean: of probabilities or values. vote: the share of the members that call the image positive (strictly above the
    protocol's threshold) or of that class. median: of each class, made to sum to 1 again (to the mean, where all
    medians are 0).

    Args:
        score: (members, n) or (members, classes, n).
        chosen: (subsets, members), one member or more in each.
        rule: mean, vote or median.
        facts: head and protocol threshold.

    Returns:
        (subsets, n) or (subsets, classes, n).
    """
    if rule == "median":
        return np.stack([_median(score[row], facts) for row in chosen])
    return _mean(votes(score, facts) if rule == "vote" else score, chosen.astype(np.float64))


def weighted(score: Floats, weights: Floats) -> Floats:
    """Return the (n,) or (classes, n) mean of (members, ...) answers, weighted by (members,) weights with sum 1."""
    found: Floats = _mean(score, weights[None])[0]
    return found


def votes(score: Floats, facts: TaskFacts) -> Floats:
    """Return each member's vote: 1 where it calls the image positive, or of that class; else 0."""
    if facts.head == "binary":
        return (score > facts.protocol_threshold).astype(np.float64)
    called = np.expand_dims(score.argmax(-2), -2)
    return np.asarray(np.arange(score.shape[-2])[:, None] == called, np.float64)


def _mean(score: Floats, weights: Floats) -> Floats:
    """Return weighted means, added member by member, so that a subset's is the same alone and among others.

    Each lies between the least and the highest answer: (0.1 + 0.1 + 0.1) / 3 is not 0.1, and thresholds are strict.
    """
    shape = (len(weights), *score.shape[1:])
    total, low, high = np.zeros(shape), np.full(shape, np.inf), np.full(shape, -np.inf)
    for answer, part in zip(score, weights.T, strict=True):
        inside = np.flatnonzero(part)
        total[inside] += part[inside].reshape(-1, *(1,) * answer.ndim) * answer
        low[inside] = np.minimum(low[inside], answer)
        high[inside] = np.maximum(high[inside], answer)
    sums = weights.sum(1).reshape(-1, *(1,) * (len(shape) - 1))
    found: Floats = np.clip(total / sums, low, high)
    return found


def _median(score: Floats, facts: TaskFacts) -> Floats:
    found: Floats = np.median(score, axis=0)
    if facts.head in ("binary", "regression"):
        return found
    sums = found.sum(0)
    return np.where(sums > 0, found / np.where(sums > 0, sums, 1), score.mean(0))
