"""The manifest: one row an image, whatever the dataset."""

from osteon.manifest.schema import SPLITS, complete, typed, validate
from osteon.manifest.split import SplitRule, assign, group, join_copies, kept_together_by, prove_disjoint
from osteon.manifest.split_file import from_file
from osteon.manifest.target import Card, Reading, Target, asked_of, target_of

__all__ = [
    "SPLITS",
    "Card",
    "Reading",
    "SplitRule",
    "Target",
    "asked_of",
    "assign",
    "complete",
    "from_file",
    "group",
    "join_copies",
    "kept_together_by",
    "prove_disjoint",
    "target_of",
    "typed",
    "validate",
]
