"""Hydra's launcher and sweeper, which must be defined in a package of this name; what they do lies in osteon.launch.

Every Hydra app of the environment imports this file, so nothing heavy is imported here. It has no `__init__.py` beside
it: the package is shared with other plugins.
"""

from osteon.launch import plugins


class ProcessLauncher(plugins.ProcessLauncher):
    """A process a job."""


class JobSweeper(plugins.JobSweeper):
    """Every combination of values, a search, or one factor at a time."""
