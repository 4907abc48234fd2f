"""The operating point frozen on val: found by a rule there, applied unchanged everywhere else."""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from osteon.errors import OsteonError, nearest
from osteon.files import write_json
from osteon.predictions import TaskFacts
from osteon.scoring.boxes import sample_of_boxes
from osteon.scoring.counts import kappa
from osteon.scoring.cutting import cut_of_boxes, cuts
from osteon.scoring.units import units

RULES = ("youden", "max_kappa", "sens_0.95", "spec_0.95")
# Heads that call or show by a threshold, so that one is frozen.
THRESHOLDED = ("binary", "detection")


@dataclass(frozen=True)
class Threshold:
    """A frozen threshold: a unit is called positive, a box is shown, where its probability is strictly above `value`.

    Attributes:
        rule: youden, max_kappa, sens_<x> or spec_<x>; for detection max_f1 or fp_<x>.
        value: the threshold, between two adjacent scores of the split it was fitted on.
        split: the split it was fitted on.
        n: labelled units there.
        n_positive: positive units there; for detection true boxes.
    """

    rule: str
    value: float
    split: str
    n: int
    n_positive: int


def check_rule(rule: str) -> float | None:
    """Return the sensitivity or specificity that a rule sens_<x> or spec_<x> asks for, None for the other rules.

    Raises:
        OsteonError: there is no such rule, or x is outside (0, 1].
    """
    found = re.fullmatch(r"(?:sens|spec)_([0-9.]+)", rule)
    if rule in RULES[:2]:
        return None
    try:
        asked = float(found[1]) if found else float("nan")
    except ValueError:
        asked = float("nan")
    if not 0 < asked <= 1:
        raise OsteonError(
            f"rule {rule!r} is not youden, max_kappa, sens_<x> or spec_<x> with x in (0, 1].{nearest(rule, RULES)}"
        )
    return asked


def fit(table: pd.DataFrame, facts: TaskFacts, split: str = "val") -> Threshold:
    """Find the threshold of the task's rule on the labelled units of val.

    The cut lies midway between two adjacent scores; equal scores are never parted. youden maximises sensitivity +
    specificity - 1 (Youden 1950, Cancer 3:32), max_kappa Cohen's kappa; of several best cuts the middle one is taken.
    sens_<x> takes the highest cut whose sensitivity is at least x, spec_<x> the lowest whose specificity is. Of boxes
    see `cut_of_boxes`; where none is predicted, the protocol's threshold stands.

    Raises:
        OsteonError: val has no labelled positive or no labelled negative unit, or no true box, or the rule is unknown.
    """
    if facts.head == "detection":
        return _fit_boxes(table[table["target"].notna()], facts, split)
    asked = check_rule(facts.rule)
    table = table[table["target"].notna()]
    positive = table["target"].to_numpy() == 1
    n, n_positive = len(positive), int(positive.sum())
    if not 0 < n_positive < n:
        raise OsteonError(
            f"{split} has {n_positive} positive and {n - n_positive} negative labelled {facts.unit} units: "
            "no threshold can be found. Make val larger (data.val_fraction) or choose another seed or fold."
        )
    values, tp, fp = cuts(table["probability"].to_numpy(np.float64), positive)
    fn, tn = n_positive - tp, n - n_positive - fp
    if asked is not None and facts.rule.startswith("sens_"):
        chosen = int(np.flatnonzero(tp >= asked * n_positive - 1e-9)[-1])
    elif asked is not None:
        chosen = int(np.flatnonzero(tn >= asked * (n - n_positive) - 1e-9)[0])
    else:
        # In whole numbers, so that equal cuts are equal: n_pos * n_neg * Youden's index.
        gain = tp * (n - n_positive) - fp * n_positive if facts.rule == "youden" else kappa(tp, fp, fn, tn)
        best = np.flatnonzero(gain == gain.max())
        chosen = int(best[(len(best) - 1) // 2])
    return Threshold(facts.rule, float(values[chosen]), split, n, n_positive)


def fit_all(val: pd.DataFrame, tasks: Mapping[str, TaskFacts], spared: Collection[str] = ()) -> dict[str, Threshold]:
    """Return the threshold of each task that has one, fitted on its units of val.

    A finding of several, or a task that is spared, has none where all units of val have it, or none: rare findings must
    not stop the others.

    Args:
        val: image predictions of val.
        tasks: task -> its facts.
        spared: tasks that may go without.

    Raises:
        OsteonError: val has units of one outcome only, of any other task.
    """
    found = {}
    for name, facts in tasks.items():
        if facts.head in THRESHOLDED:
            made = units(val[val["task"] == name], facts)
            if not (facts.of or name in spared) or made["target"].nunique() > 1:
                found[name] = fit(made, facts)
    return found


def _fit_boxes(table: pd.DataFrame, facts: TaskFacts, split: str) -> Threshold:
    true = int(table["target"].sum())
    if not true:
        raise OsteonError(
            f"{split} has no true box on its {len(table)} labelled images: no threshold can be found. Make val larger "
            "(data.val_fraction) or choose another seed or fold."
        )
    value = cut_of_boxes(sample_of_boxes(table, facts, 0.0), facts.rule, facts.protocol_threshold)
    return Threshold(facts.rule, value, split, len(table), true)


def freeze(path: Path, thresholds: Mapping[str, Threshold]) -> None:
    """Write the thresholds of a run's tasks as JSON, whole or not at all."""
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
