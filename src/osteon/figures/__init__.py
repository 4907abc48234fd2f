"""Figures of a run and of comparisons: functions take tables or arrays and return a matplotlib Figure.

matplotlib is imported where a figure is drawn, without pyplot and without a screen.
"""

from osteon.figures.agreement import bland_altman, predicted_and_true
from osteon.figures.calibration import coverage_accuracy, reliability
from osteon.figures.classes import confusion, score_histograms
from osteon.figures.forest import forest
from osteon.figures.free_response import froc
from osteon.figures.of_task import figures_of
from osteon.figures.ranking import precision_recall, roc
from osteon.figures.run import draw_run
from osteon.figures.style import About, save

__all__ = [
    "About",
    "bland_altman",
    "confusion",
    "coverage_accuracy",
    "draw_run",
    "figures_of",
    "forest",
    "froc",
    "precision_recall",
    "predicted_and_true",
    "reliability",
    "roc",
    "save",
    "score_histograms",
]
