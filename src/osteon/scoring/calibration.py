"""Metrics of the probabilities themselves."""

import numpy as np

from osteon.scoring.sample import Evaluate, Floats, Sample, mean_of, ratio

BINS = 15


def brier(sample: Sample) -> Evaluate:
    """Prepare the Brier score, the mean of (p - y)^2, in [0, 1]. Brier (1950), Mon Weather Rev 78:1."""
    return mean_of(sample, (sample.score - sample.target) ** 2)


def multiclass_brier(sample: Sample) -> Evaluate:
    """Prepare Brier's original score, the mean over units of the sum over classes of (p - y)^2, in [0, 2]."""
    return mean_of(sample, ((sample.score - np.eye(sample.classes)[sample.target]) ** 2).sum(1))


def log_loss(sample: Sample) -> Evaluate:
    """Prepare the mean of -log p(true class), in nats; probabilities are clipped at the float's epsilon."""
    chosen = sample.score[np.arange(len(sample.target)), sample.target]
    eps = np.finfo(np.float64).eps
    return mean_of(sample, -np.log(np.clip(chosen, eps, 1 - eps)))


def ece(sample: Sample) -> Evaluate:
    """Prepare the expected calibration error of the positive probability, in [0, 1].

    15 bins of equal width, closed on the left (the last on both sides): the sum over bins of the share of units in it
    times |mean probability - share of positives|. Naeini et al. (2015), AAAI; Guo et al. (2017), ICML, bin the
    confidence of the called class instead. It is biased upwards in small samples (noise in a bin counts as
    miscalibration), so the score table gives it without an interval.
    """
    bins = np.minimum((sample.score * BINS).astype(np.intp), BINS - 1)
    place = np.eye(BINS)[bins]
    gaps = sample.by_cluster(place * (sample.score - sample.target)[:, None]).T.copy()
    sizes = sample.by_cluster(np.ones((len(bins), 1))).T.copy()

    def evaluate(weights: Floats) -> Floats:
        return ratio(np.abs(gaps @ weights).sum(0), (sizes @ weights)[0])

    return evaluate
