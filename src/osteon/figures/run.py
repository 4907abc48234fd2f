"""The figures of a run, drawn from its files into `figures/`."""

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from osteon.figures.forest import forest
from osteon.figures.of_task import figures_of
from osteon.figures.style import About, save
from osteon.predictions import Predictions
from osteon.scoring.calibrated import TaskCalibration
from osteon.scoring.comparison.words import named
from osteon.scoring.thresholds import Threshold
from osteon.scoring.units import units

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FOLDER = "figures"
OF_A_FINDING = ("roc", "reliability")  # of several findings of one task: the others would be many


def draw_run(
    folder: Path,
    predictions: Predictions,
    thresholds: Mapping[str, Threshold],
    calibrated: Mapping[str, TaskCalibration],
    audit: pd.DataFrame | None = None,
    only: Collection[str] = (),
) -> list[Path]:
    """Write the figures of every task on test as SVG and PNG, and return where.

    Of several findings of one task each has its ROC and its reliability alone.

    Args:
        folder: of the run.
        predictions: of it.
        thresholds: frozen on val, by task.
        calibrated: tasks that are calibrated.
        audit: the rows of its audit, for a forest of groups; None: none is drawn.
        only: names of figures, such as `roc`; none: all.

    Raises:
        OsteonError: a file cannot be written.
    """
    files = []
    frame = predictions.frame[predictions.frame["split"] == "test"]
    for task, facts in predictions.tasks.items():
        rows = frame[frame["task"] == task]
        if rows.empty:
            continue
        made = units(rows, facts)
        about = About(task, predictions.split_name(task, "test"), facts.unit, "+".join(sorted(set(rows["source"]))))
        cut = thresholds[task].value if task in thresholds else None
        found = figures_of(made, facts, about, cut, calibrated.get(task), OF_A_FINDING if facts.of else only)
        if audit is not None and not facts.of and (not only or "groups" in only):
            found |= groups(audit, about)
        for name, figure in found.items():
            if not only or name in only:
                files += save(figure, folder / FOLDER, f"{plain(task)}_{name}")
    return files


def groups(audit: pd.DataFrame, about: About) -> "dict[str, Figure]":
    """Return a forest of a task's first score over the groups that the audit looked at; none where there is one."""
    rows = audit[(audit["kind"] == "group") & (audit["task"] == about.task)]
    rows = rows[rows["metric"] == rows["metric"].iloc[0]] if len(rows) else rows
    if len(rows) < 2:
        return {}
    name = named(str(rows["metric"].iloc[0]))
    whole = rows.loc[rows["name"] == "all", "value"].dropna()
    null = float(whole.iloc[0]) if len(whole) else None
    shown = rows.assign(label=rows["name"].str.replace("_years=", " ").str.replace("=", " "))
    return {
        "groups": forest(shown, about, f"{name} by group", axis=f"{name}, 95 % interval (n in brackets)", null=null)
    }


def plain(name: str) -> str:
    """Return a task's name as part of a file's."""
    return re.sub(r"[^\w.-]", "_", name)
