"""Weights & Biases in depth: curves, tables, plots and images of a run; nothing that a result depends on."""

from osteon.run.tracking.curves import Curves
from osteon.run.tracking.opening import last_run, open_run
from osteon.run.tracking.permission import check_images, images_shown
from osteon.run.tracking.result import log_result

__all__ = ["Curves", "check_images", "images_shown", "last_run", "log_result", "open_run"]
