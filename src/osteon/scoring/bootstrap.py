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


def on_logits(values: Floats, value: float, units: int, clusters: int, level: float = 0.95) -> tuple[float, float]:
    """Return the normal bootstrap interval around a share, corrected for bias, symmetric on the logit scale.

    2 logit(value) - mean of the replicates' logits, and t times their standard deviation to either side (Davison and
    Hinkley 1997, Bootstrap Methods and their Application, 5.2). It holds the value itself.

    Args:
        values: (replicates,) shares in [0, 1], NaN where undefined; these are left out.
        value: the share of the sample, neither 0 nor 1.
        units: units that it is a share of: replicates of 0 and 1 are taken for half a unit more, or less.
        clusters: clusters that were drawn; t has one degree of freedom less.
        level: how often the interval should hold the truth.
    """
    from scipy.special import expit, logit, stdtrit

    edge = 0.5 / max(units, 1)
    known = logit(np.clip(values[np.isfinite(values)], edge, 1 - edge))
    centre, half = 2 * logit(value) - known.mean(), stdtrit(clusters - 1, (1 + level) / 2) * known.std(ddof=1)
    low, high = expit([centre - half, centre + half])
    return min(float(low), value), max(float(high), value)
