"""Recipes of MURA with and without a difference between them."""

from functools import partial
from pathlib import Path

import pytest

from tests.leaderboard.making import leave, studies


@pytest.fixture(scope="session")
def two_recipes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of two recipes, three seeds each, 210 studies; `sharp` is better than `dull`."""
    root = tmp_path_factory.mktemp("two")
    for name, noise, settings in (("sharp", 0.15, "a"), ("dull", 0.5, "b")):
        for seed in range(3):
            make = partial(studies, count=210, seed=seed + len(name), noise=noise)
            words = ("task=mura", f"seed={seed}", f"augment={name}")
            leave(root / name / f"seed{seed}", make, words=words, seed=seed, settings=settings)
    return root
