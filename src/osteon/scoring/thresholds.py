"""The operating point frozen on val: found by a rule there, applied unchanged everywhere else."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from osteon.errors import OsteonError, nearest
from osteon.files import write_json
from osteon.predictions import TaskFacts
from osteon.scoring.counts import kappa
from osteon.scoring.sample import Floats

RULES = ("youden", "max_kappa", "sens_0.95")


@dataclass(frozen=True)
class Threshold:
    """A frozen threshold: a unit is called positive where its probability is strictly above `value`.

    Attributes:
        rule: youden, max_kappa or sens_<x>.
        value: the threshold, between two adjacent scores of the split it was fitted on.
        split: the split it was fitted on.
        n: labelled units there.
        n_positive: positive units there.
    """

    rule: str
    value: float
    split: str
    n: int
    n_positive: int


def check_rule(rule: str) -> float | None:
    """Return the sensitivity that a rule sens_<x> asks for, None for the other rules.

    Raises:
        OsteonError: there is no such rule, or x is outside (0, 1].
    """
    found = re.fullmatch(r"sens_([0-9.]+)", rule)
    if rule in RULES[:2]:
        return None
    try:
        asked = float(found[1]) if found else float("nan")
    except ValueError:
        asked = float("nan")
    if not 0 < asked <= 1:
        raise OsteonError(f"rule {rule!r} is not youden, max_kappa or sens_<x> with x in (0, 1].{nearest(rule, RULES)}")
    return asked


def fit(table: pd.DataFrame, facts: TaskFacts, split: str = "val") -> Threshold:
    """Find the threshold of the task's rule on the labelled units of val.

    The cut lies midway between two adjacent scores; equal scores are never parted. youden maximises sensitivity +
    specificity - 1 (Youden 1950, Cancer 3:32), max_kappa Cohen's kappa; of several best cuts the middle one is taken.
    sens_<x> takes the highest cut whose sensitivity is at least x.

    Raises:
        OsteonError: val has no labelled positive or no labelled negative unit, or the rule is unknown.
    """
    asked = check_rule(facts.rule)
    table = table[table["target"].notna()]
    positive = table["target"].to_numpy() == 1
    n, n_positive = len(positive), int(positive.sum())
    if not 0 < n_positive < n:
        raise OsteonError(
            f"{split} has {n_positive} positive and {n - n_positive} negative labelled {facts.unit} units: "
            "no threshold can be found. Make val larger (data.val_fraction) or choose another seed or fold."
        )
    cuts, tp, fp = _cuts(table["probability"].to_numpy(np.float64), positive)
    fn, tn = n_positive - tp, n - n_positive - fp
    if asked is not None:
        chosen = int(np.flatnonzero(tp >= asked * n_positive - 1e-9)[-1])
    else:
        # In whole numbers, so that equal cuts are equal: n_pos * n_neg * Youden's index.
        gain = tp * (n - n_positive) - fp * n_positive if facts.rule == "youden" else kappa(tp, fp, fn, tn)
        best = np.flatnonzero(gain == gain.max())
        chosen = int(best[(len(best) - 1) // 2])
    return Threshold(facts.rule, float(cuts[chosen]), split, n, n_positive)


def _cuts(score: Floats, positive: np.ndarray) -> tuple[Floats, Floats, Floats]:
    """Return ascending cuts, and the true and false positives above each: below all scores, between, above all."""
    values, place = np.unique(score, return_inverse=True)
    low, high = values[:-1], values[1:]
    middle = (low + high) / 2
    # Between neighbouring floats the mean may round up to the upper one, which must stay above the cut.
    middle = np.where(middle < high, middle, low)
    first = values[0] / 2 if values[0] > 0 else -1e-9
    cuts = np.concatenate([[first], middle, [(values[-1] + 1) / 2]])
    found = np.bincount(place, positive, len(values))
    false = np.bincount(place, ~positive, len(values))
    above = [np.concatenate([np.cumsum(part[::-1])[::-1], [0.0]]) for part in (found, false)]
    return cuts, above[0], above[1]


def freeze(path: Path, thresholds: Mapping[str, Threshold]) -> None:
    """Write the thresholds of a run's binary tasks as JSON, whole or not at all."""
    write_json(path, {name: asdict(item) for name, item in thresholds.items()})


def frozen(path: Path) -> dict[str, Threshold]:
    """Read frozen thresholds.

    Raises:
        OsteonError: the file is missing or is not one that `freeze` wrote.
    """
    try:
        found: Any = json.loads(path.read_text(encoding="utf-8"))
        read = {name: Threshold(**item) for name, item in found.items()}
    except FileNotFoundError as fault:
        raise OsteonError(f"{path}: no such file. A finished run leaves it; is this a run folder?") from fault
    except (OSError, ValueError, TypeError, AttributeError) as fault:
        raise OsteonError(f"{path}: not a file of frozen thresholds ({fault}).") from fault
    for name, item in read.items():
        # Just below 0 is the cut under which every score lies.
        if isinstance(item.value, bool) or not isinstance(item.value, int | float) or not -1e-6 <= item.value <= 1:
            raise OsteonError(f"{path}: the threshold of {name} is {item.value!r}, expected a number from 0 to 1.")
    return read
