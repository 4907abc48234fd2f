"""Probabilities put to use: temperature, operating points, predictive values, an inconclusive band; fitted on val."""

from osteon.scoring.calibrated.run import Calibrated, calibrate_run
from osteon.scoring.calibrated.table import TaskCalibration, calibrate
from osteon.scoring.calibrated.temperature import HEADS, Temperature, fit_all, freeze, frozen

__all__ = [
    "HEADS",
    "Calibrated",
    "TaskCalibration",
    "Temperature",
    "calibrate",
    "calibrate_run",
    "fit_all",
    "freeze",
    "frozen",
]
