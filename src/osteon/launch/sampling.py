"""How the next trial is chosen and which ones are stopped early: Optuna's samplers and pruners by name."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from osteon.config import Search
from osteon.launch.space import grid_values

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler


def sampler(search: Search, space: Mapping[str, "BaseDistribution"], number: int, total: int) -> "BaseSampler":
    """Return the sampler that draws trial `number`; what it knows of earlier trials lies in the storage.

    Seeded from (seed, number): a sampler made anew with a fixed seed would draw its first trials again on every resume.
    """
    from optuna import samplers

    seed = int(np.random.SeedSequence((search.seed, number)).generate_state(1)[0])
    if search.sampler == "grid":
        return samplers.GridSampler(grid_values(space), seed=search.seed)
    if search.sampler == "random":
        return samplers.RandomSampler(seed=seed)
    if search.sampler == "cmaes":
        return samplers.CmaEsSampler(
            seed=seed, n_startup_trials=max(1, search.startup_trials), warn_independent_sampling=False
        )
    # constant_liar: trials at work count as bad ones, so that processes side by side do not draw the same.
    return samplers.TPESampler(seed=seed, n_startup_trials=search.startup_trials, constant_liar=True)


def pruner(search: Search, epochs: int) -> "BasePruner":
    """Return what decides by the scores of `epochs` epochs whether a trial goes on."""
    from optuna import pruners

    if search.pruner == "none":
        return pruners.NopPruner()
    if search.pruner == "hyperband":
        return pruners.HyperbandPruner(min_resource=max(1, search.warmup_epochs), max_resource=max(2, epochs))
    return pruners.MedianPruner(n_startup_trials=search.startup_trials, n_warmup_steps=search.warmup_epochs)
