"""Which figures a task has, by its head."""

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
) -> "dict[str, Figure]":
    """Return the figures of one task by name; none where the labelled units allow none.

    Args:
        made: units of one split, as `scoring.units.units` makes them.
        facts: of the task.
        about: what they are of.
        threshold: frozen on val; None: the protocol's.
        calibration: of the task; without it there are no figures of calibration.
    """
    made = made[made["target"].notna()]
    if facts.head == "detection":
        return {"froc": froc(made, facts, about, threshold)} if len(made) and made["target"].sum() else {}
    if made["target"].nunique() < 2:
        return {}
    if facts.head == "regression":
        return {"bland_altman": bland_altman(made, facts, about), "said": predicted_and_true(made, facts, about)}
    cut = facts.protocol_threshold if threshold is None else threshold
    mark = cut if facts.head == "binary" else None
    found = (
        {}
        if facts.head == "ordinal"
        else {"roc": roc(made, facts, about, mark), "precision_recall": precision_recall(made, facts, about)}
    )
    found["confusion"] = confusion(made, facts, about, cut)
    found["scores"] = score_histograms(made, facts, about, mark)
    return found | ({} if calibration is None else calibration_figures(calibration, about))


def calibration_figures(found: TaskCalibration, about: About) -> "dict[str, Figure]":
    """Return reliability before and after the temperature, and coverage against accuracy."""
    ece = found.scores.set_index("metric").loc["ece"]
    tables = {
        f"as predicted, ECE {ece['before']:.3f}": found.before,
        f"temperature {found.temperature.value:.2f}, ECE {ece['after']:.3f}": found.after,
    }
    counted = f"{found.facts.classes[1]}" if found.facts.head == "binary" else "right calls"
    return {
        "reliability": reliability(tables, about, counted),
        "coverage_accuracy": coverage_accuracy(found.curve, about, found.band.asked),
    }
