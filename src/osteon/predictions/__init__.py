"""What a run predicts: one table, one row an image and task. Everything after training reads this and nothing else."""

from osteon.predictions.facts import Predictions, TaskFacts, owner
from osteon.predictions.rules import REQUIRED, check, drop_repeats
from osteon.predictions.table import merge, read, write

__all__ = ["REQUIRED", "Predictions", "TaskFacts", "check", "drop_repeats", "merge", "owner", "read", "write"]
