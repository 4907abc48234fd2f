"""The one LightningModule."""

from osteon.module.lightning import OsteonModule
from osteon.module.recipe import Recipe
from osteon.module.table import PredictionTable, check_units, unit_ids

__all__ = ["OsteonModule", "PredictionTable", "Recipe", "check_units", "unit_ids"]
