"""The one LightningModule."""

from osteon.module.lightning import MONITOR, OsteonModule
from osteon.module.table import PredictionTable, unit_ids

__all__ = ["MONITOR", "OsteonModule", "PredictionTable", "unit_ids"]
