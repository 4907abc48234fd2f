"""Two runs, or two recipes with several trainings each, compared on the same units: paired differences."""

from osteon.scoring.comparison.sides import Side, side
from osteon.scoring.comparison.table import Comparison, compare

__all__ = ["Comparison", "Side", "compare", "side"]
