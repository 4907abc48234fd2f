"""A run, end to end. Nothing here imports torch before the config is known to be right."""

from osteon.config import Config
from osteon.run.check import check_names

__all__ = ["Config", "check_names"]
