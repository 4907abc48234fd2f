"""The patient-clustered bootstrap: whole patients are drawn with replacement, as multinomial weights, many at once."""

from collections.abc import Iterator, Sequence

import numpy as np

from osteon.scoring.sample import Evaluate, Floats

# Weights held at a time: 0.5 MB, so that a chunk stays in a core's cache.
CHUNK = 64_000


def draws(clusters: int, replicates: int, seed: int, width: int = 0) -> Iterator[Floats]:
    """Yield (clusters, r) weights until `replicates` are drawn; a column counts how often each cluster was drawn.

    Args:
        clusters: number of clusters; as many are drawn, with replacement, a replicate.
        replicates: number of replicates in all.
        seed: the same seed gives the same weights.
        width: number of units, where a metric holds more of them than there are clusters (bounds the memory).
    """
    rng = np.random.default_rng(seed)
    step = max(1, CHUNK // max(clusters, width, 1))
    for start in range(0, replicates, step):
        count = min(step, replicates - start)
        drawn = rng.integers(0, clusters, size=(clusters, count), dtype=np.int32).astype(np.intp)
        place = drawn * count + np.arange(count)
        yield np.bincount(place.ravel(), minlength=clusters * count).reshape(clusters, count).astype(np.float64)


def replicate(evaluates: Sequence[Evaluate], clusters: int, replicates: int, seed: int, width: int = 0) -> Floats:
    """Return (metrics, replicates) values of prepared metrics under the same draws; NaN where one is undefined."""
    chunks = [np.stack([one(w) for one in evaluates]) for w in draws(clusters, replicates, seed, width)]
    return np.concatenate(chunks, axis=1)


def percentile(values: Floats, level: float = 0.95) -> tuple[float, float]:
    """Return the percentile interval of the replicates (Efron 1979, Ann Stat 7:1), undefined ones left out."""
    tail = (1 - level) / 2
    low, high = np.nanquantile(values, [tail, 1 - tail])
    return float(low), float(high)
