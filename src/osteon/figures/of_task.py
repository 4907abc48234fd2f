"""Which figures a task has, by its head."""

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

import pandas as pd

from osteon.figures.agreement import bland_altman, predicted_and_true
from osteon.figures.calibration import coverage_accuracy, reliability
from osteon.figures.classes import confusion, score_histograms
from osteon.figures.free_response import froc
from osteon.figures.ranking import precision_recall, roc
from osteon.figures.style import About
from osteon.predictions import TaskFacts
from osteon.scoring.calibrated import TaskCalibration

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def figures_of(
    made: pd.DataFrame,
    facts: TaskFacts,
    about: About,
    threshold: float | None = None,
    calibration: TaskCalibration | None = None,
    only: Collection[str] = (),
) -> "dict[str, Figure]":
    """Return the figures of one task by name; none where the labelled units allow none.

    Args:
        made: units of one split, as `scoring.units.units` makes them.
        facts: of the task.
        about: what they are of.
        threshold: frozen on val; None: the protocol's.
        calibration: of the task; without it there are no figures of calibration.
        only: names of figures to draw; none: all.
    """
    made = made[made["target"].notna()]
    cut = facts.protocol_threshold if threshold is None else threshold
    drawn = _ways(made, facts, about, cut) if _told_apart(made, facts) else {}
    if drawn and calibration is not None:
        drawn |= _of_calibration(calibration, about)
    return {name: draw() for name, draw in drawn.items() if not only or name in only}


def _told_apart(made: pd.DataFrame, facts: TaskFacts) -> bool:
    """Return whether the units have two outcomes, or of boxes a true one."""
    return bool(made["target"].sum() > 0) if facts.head == "detection" else made["target"].nunique() > 1


def _ways(made: pd.DataFrame, facts: TaskFacts, about: About, cut: float) -> "dict[str, Callable[[], Figure]]":
    """Return what draws each figure of a head."""
    if facts.head == "detection":
        return {"froc": lambda: froc(made, facts, about, cut)}
    if facts.head == "regression":
        return {
            "bland_altman": lambda: bland_altman(made, facts, about),
            "said": lambda: predicted_and_true(made, facts, about),
        }
    mark = cut if facts.head == "binary" else None
    found: dict[str, Callable[[], Figure]] = {
        "confusion": lambda: confusion(made, facts, about, cut),
        "scores": lambda: score_histograms(made, facts, about, mark),
    }
    if facts.head == "ordinal":  # one grade against all others is no question of grades
        return found
    return found | {
        "roc": lambda: roc(made, facts, about, mark),
        "precision_recall": lambda: precision_recall(made, facts, about),
    }


def _of_calibration(found: TaskCalibration, about: About) -> "dict[str, Callable[[], Figure]]":
    """Return what draws reliability before and after the temperature, and coverage against accuracy."""
    ece = found.scores.set_index("metric").loc["ece"]
    tables = {
        f"as predicted, ECE {ece['before']:.3f}": found.before,
        f"temperature {found.temperature.value:.2f}, ECE {ece['after']:.3f}": found.after,
    }
    counted = found.facts.classes[1] if found.facts.head == "binary" else "right calls"
    return {
        "reliability": lambda: reliability(tables, about, counted),
        "coverage_accuracy": lambda: coverage_accuracy(found.curve, about, found.band.asked),
    }
