"""The free-response ROC curve, and what boxes above an operating point find: lesions hit, false positives an image.

All classes together: a true box is hit by a box of its own class. A second box on a true box that is hit already is
neither a hit nor a false positive (`matching.match`). Bunch et al. (1978), J Appl Photogr Eng 4:166.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from osteon.scoring.matching import FALSE, HIT
from osteon.scoring.sample import Codes, Evaluate, Floats, Moments, Sample, ratio

# False positives an image at which the sensitivity is given; their mean is LUNA16's score.
RATES = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
# Counts of images times a rate that is no binary fraction.
NEAR = 1e-9


def sensitivity_at(rates: tuple[float, ...]) -> Callable[[Sample], Evaluate]:
    """Return the mean over `rates` of the share of true boxes hit with at most so many false positives an image.

    The best that a threshold on the score reaches: boxes of equal scores come together, and nothing is interpolated
    between thresholds (LUNA16 does; Setio et al. 2017, Med Image Anal 42:1). Undefined without a true box.
    """

    def prepare(sample: Sample) -> Evaluate:
        found, image = sample.boxes.found, sample.boxes.image
        hits, false = found["hit"] == HIT, found["hit"] == FALSE
        # False boxes that a threshold just below a hit's score lets through.
        through = np.searchsorted(-found["score"][false], -found["score"][hits], side="right")
        hitting, let_through = sample.cluster[image[hits]], sample.up_to(image[false], through)
        sums = sample.by_cluster(np.column_stack([sample.boxes.true.sum(1), np.ones(len(sample.target))])).T.copy()

        def evaluate(weights: Floats) -> Floats:
            true, images = sums @ weights
            gained, lost = weights[hitting], let_through(weights)
            reached = [np.einsum("hr,hr->r", gained, (lost <= rate * images + NEAR) * 1.0) for rate in rates]
            return ratio(np.mean(reached, axis=0), true)

        return evaluate

    return prepare


def lesion_sensitivity(sample: Sample) -> Evaluate:
    """Prepare the share of true boxes that are hit above the operating point; undefined without a true box.

    The first of the three of Thian et al. (2019), Radiol Artif Intell 1:e180001: per fracture, per image, per study.
    """
    columns = np.column_stack([_shown(sample, HIT), sample.boxes.true.sum(1)])
    return Moments(sample.by_cluster(columns).T.copy(), lambda totals: ratio(totals[0], totals[1]))


def fp_per_image(sample: Sample) -> Evaluate:
    """Prepare the mean number of false positives above the operating point an image, those without a true box too."""
    columns = np.column_stack([_shown(sample, FALSE), np.ones(len(sample.target))])
    return Moments(sample.by_cluster(columns).T.copy(), lambda totals: ratio(totals[0], totals[1]))


def lesions(sample: Sample) -> tuple[NDArray[np.bool_], Codes]:
    """Return (hit, cluster) of each true box: whether it is hit above the operating point, and its patient."""
    hit, count = _shown(sample, HIT).astype(np.intp), sample.boxes.true.sum(1).astype(np.intp)
    place = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return place < np.repeat(hit, count), np.repeat(sample.cluster, count)


def _shown(sample: Sample, kind: int) -> Floats:
    """Return the (n,) number of boxes of a kind that each image shows above the operating point."""
    chosen = sample.boxes.shown & (sample.boxes.found["hit"] == kind)
    return np.bincount(sample.boxes.image[chosen], minlength=len(sample.target)).astype(np.float64)
