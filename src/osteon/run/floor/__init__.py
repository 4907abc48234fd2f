"""`backbone=ridge`: no network but ridge regression on a few pixels, a run like any other, for a network to beat."""

from osteon.run.floor.start import SIDE, fit_floor

__all__ = ["SIDE", "fit_floor"]
