"""One number that makes probabilities bolder or more careful, fitted on val and frozen beside the thresholds.

Guo et al. (2017), ICML, section 4.2. It acts on the probabilities of units, as they are scored. It keeps their order,
so that an AUROC and the calls at a threshold (moved along) stay what they were.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from osteon.errors import OsteonError
from osteon.files import write_json
from osteon.predictions import TaskFacts
from osteon.scoring.sample import Codes, Floats
from osteon.scoring.units import scores, units

HEADS = ("binary", "multiclass", "ordinal")
# Probabilities of 0 and 1, which a vote or an image without a box has, count as this far from it.
EDGE = 1e-6
RANGE = (0.05, 20.0)


@dataclass(frozen=True)
class Temperature:
    """A frozen temperature: log odds (of classes: log probabilities) are divided by `value`.

    Attributes:
        value: above 1 makes probabilities more careful, below 1 bolder; from 0.05 to 20.
        split: the split it was fitted on.
        n: labelled units there.
        note: what to know of it, "" for nothing.
    """

    value: float
    split: str
    n: int
    note: str = ""


def fit(table: pd.DataFrame, facts: TaskFacts, split: str = "val") -> Temperature:
    """Return the temperature of least negative log likelihood on the labelled units of val.

    Args:
        table: units of one task and split, as `scoring.units.units` makes them.
        facts: of the task.
        split: its name.

    Raises:
        OsteonError: the head has no probabilities, or the labelled units have one outcome only.
    """
    from scipy.optimize import minimize_scalar

    check_head(facts)
    table = table[table["target"].notna()]
    target = table["target"].to_numpy(np.intp)
    if len(np.unique(target)) < 2:
        held = f"{len(table)} labelled {facts.unit} units of one outcome" if len(table) else "no labelled unit"
        raise OsteonError(
            f"{split} has {held}: no temperature can be fitted. Make val larger (data.val_fraction) or choose another "
            "seed or fold."
        )
    logs = log_probabilities(scores(table, facts))
    bounds = (np.log(RANGE[0]), np.log(RANGE[1]))
    found = minimize_scalar(lambda at: _loss(logs, target, np.exp(at)), bounds=bounds, method="bounded")
    value = float(np.exp(found.x))
    edge = "at the end of its range: val is told apart without a mistake" if value < RANGE[0] * 1.01 else ""
    edge = "at the end of its range: the probabilities tell nothing on val" if value > RANGE[1] / 1.01 else edge
    return Temperature(value, split, len(table), edge)


def check_head(facts: TaskFacts) -> None:
    """Refuse a head that gives no probability.

    Raises:
        OsteonError: it predicts numbers or boxes.
    """
    if facts.head not in HEADS:
        way = " Its whole-image answer is a task of its own." if facts.head == "detection" else ""
        raise OsteonError(f"a {facts.head} head gives no probability to calibrate; {', '.join(HEADS)} do.{way}")


def log_probabilities(score: Floats) -> Floats:
    """Return (n, classes) logs of (n,) positive probabilities or (n, classes) ones, kept off 0 and 1."""
    both = np.column_stack([1 - score, score]) if score.ndim == 1 else score
    found: Floats = np.log(np.clip(both, EDGE, 1 - EDGE))
    return found


def _loss(logs: Floats, target: Codes, value: float) -> float:
    from scipy.special import log_softmax

    return float(-log_softmax(logs / value, axis=1)[np.arange(len(target)), target].mean())


def apply(table: pd.DataFrame, facts: TaskFacts, temperature: Temperature) -> pd.DataFrame:
    """Return the units with calibrated `probability`, or `p0`, `p1`, ...; an expected grade stays as it was."""
    from scipy.special import softmax

    found = softmax(log_probabilities(scores(table, facts)) / temperature.value, axis=1)
    if facts.head == "binary":
        return table.assign(probability=found[:, 1])
    return table.assign(**{f"p{index}": column for index, column in enumerate(found.T)})


def fit_all(val: pd.DataFrame, tasks: Mapping[str, TaskFacts]) -> dict[str, Temperature]:
    """Return the temperature of each task with probabilities; val images of one outcome only give none.

    Args:
        val: image predictions of val.
        tasks: task -> its facts.
    """
    found = {}
    for name, facts in tasks.items():
        rows = val[val["task"] == name]
        if facts.head not in HEADS or rows.empty:
            continue
        made = units(rows, facts)
        if made["target"].nunique() > 1:
            found[name] = fit(made, facts)
    return found


def freeze(path: Path, temperatures: Mapping[str, Temperature]) -> None:
    """Write the temperatures of a run's tasks as JSON, whole or not at all."""
    write_json(path, {name: asdict(item) for name, item in temperatures.items()})


def frozen(path: Path) -> dict[str, Temperature]:
    """Read frozen temperatures; none where there is no such file, as older runs have none.

    Raises:
        OsteonError: the file is not one that `freeze` wrote.
    """
    if not path.is_file():
        return {}
    try:
        found: Any = json.loads(path.read_text(encoding="utf-8"))
        read = {str(name): Temperature(**item) for name, item in found.items()}
    except (OSError, ValueError, TypeError, AttributeError) as fault:
        raise OsteonError(
            f"{path}: not a file of frozen temperatures ({fault}). Delete it; it is made again."
        ) from fault
    for name, item in read.items():
        value = item.value
        if isinstance(value, bool) or not isinstance(value, int | float) or not RANGE[0] <= value <= RANGE[1]:
            raise OsteonError(f"{path}: the temperature of {name} is {value!r}, expected {RANGE[0]:g} to {RANGE[1]:g}.")
    return read
