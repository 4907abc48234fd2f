"""Numbers that a model says against the true ones."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteon.figures.style import COLOURS, GREY, About, canvas, styled
from osteon.predictions import TaskFacts
from osteon.scoring.metrics import METRICS, sample_of
from osteon.scoring.rows import Job, computed

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@styled
def bland_altman(made: pd.DataFrame, facts: TaskFacts, about: About) -> "Figure":
    """Return difference against mean of said and true, with bias and 95 % limits of agreement and their intervals.

    Bland and Altman (1986), Lancet 327:307; intervals as in the score table.

    Args:
        made: labelled units with `target` and `value`.
        facts: of a regression.
        about: what it is of.
    """
    said, true, unit = _pairs(made, facts)
    figure, axes = canvas(about, "Bland-Altman", 2.9)
    axes.plot((said + true) / 2, said - true, ".", color=COLOURS[0], markersize=3.5, alpha=0.5)
    found = _computed(made, facts, ("bias", "loa_low", "loa_high"))
    for name, row in found.items():
        if row["value"] is None:
            continue
        colour, line = ("black", "-") if name == "bias" else (COLOURS[1], "--")
        axes.axhline(row["value"], color=colour, linewidth=0.9, linestyle=line)
        if row["lo"] is not None:
            axes.axhspan(row["lo"], row["hi"], color=colour, alpha=0.12, linewidth=0)
        label = {"bias": "bias", "loa_low": "lower limit", "loa_high": "upper limit"}[name]
        axes.text(
            1.01, row["value"], f"{label}\n{_text(row)}", transform=axes.get_yaxis_transform(), va="center", fontsize=6
        )
    axes.axhline(0, color=GREY, linewidth=0.6, linestyle=":")
    axes.set(xlabel=f"mean of said and true ({unit}), n = {len(made)}", ylabel=f"said - true ({unit})")
    return figure


@styled
def predicted_and_true(made: pd.DataFrame, facts: TaskFacts, about: About) -> "Figure":
    """Return what was said against what is true, with MAE and correlation.

    Args:
        made: labelled units with `target` and `value`.
        facts: of a regression.
        about: what it is of.
    """
    said, true, unit = _pairs(made, facts)
    figure, axes = canvas(about, "Said and true", 3.5)
    axes.plot(true, said, ".", color=COLOURS[0], markersize=3.5, alpha=0.5)
    low, high = float(min(said.min(), true.min())), float(max(said.max(), true.max()))
    pad = 0.04 * (high - low) or 1.0
    axes.plot([low, high], [low, high], color=GREY, linewidth=0.7, linestyle=":")
    found = _computed(made, facts, ("mae", "pearson"))
    text = f"MAE {_text(found['mae'])} {facts.unit_name}\nr {_text(found['pearson'], 2)}\nn = {len(made)}"
    axes.text(0.03, 0.97, text, transform=axes.transAxes, va="top", fontsize=6.5)
    axes.set(
        xlabel=f"true ({unit})", ylabel=f"said ({unit})", xlim=(low - pad, high + pad), ylim=(low - pad, high + pad)
    )
    axes.set_aspect("equal")
    return figure


def _pairs(made: pd.DataFrame, facts: TaskFacts) -> tuple[NDArray[np.float64], NDArray[np.float64], str]:
    """Return what was said, what is true, and their unit in words."""
    said, true = (made[name].to_numpy(np.float64) for name in ("value", "target"))
    return said, true, facts.unit_name or "units of the target"


def _computed(made: pd.DataFrame, facts: TaskFacts, names: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    sample = sample_of(made, facts)
    jobs = [Job(METRICS[name], sample) for name in names]
    return {row["metric"]: row for row in computed(jobs, "regression", "", 100, 0)}


def _text(row: dict[str, Any], digits: int = 1) -> str:
    if row["value"] is None or not np.isfinite(row["value"]):
        return "n/a"
    bounds = "" if row["lo"] is None else f" [{row['lo']:.{digits}f}, {row['hi']:.{digits}f}]"
    return f"{row['value']:.{digits}f}{bounds}"
