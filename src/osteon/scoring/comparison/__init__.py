"""Two runs, or two recipes with several trainings each, compared on the same units: paired differences."""

from osteon.scoring.comparison.sides import Side, side, side_of
from osteon.scoring.comparison.table import Comparison, compare

__all__ = ["Comparison", "Side", "compare", "side", "side_of"]
