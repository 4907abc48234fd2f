"""The test of a difference: where A and B do not differ, exchanging their answers within patients changes nothing.

Each draw exchanges A and B in every patient with probability 1/2, all units of a patient together, and takes the
difference again; p is the share of draws whose difference is as large. For the accuracy of one unit a patient that is
McNemar's test. Pitman (1937), J R Stat Soc Suppl 4:119; for paired ROC areas Bandos, Rockette and Gur (2005), Stat Med
24:2873.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from osteon.scoring.bootstrap import CHUNK
from osteon.scoring.comparison.paired import Contrast
from osteon.scoring.delong import midranks
from osteon.scoring.grades import at_cut
from osteon.scoring.matching import Boxes
from osteon.scoring.metrics import Metric
from osteon.scoring.precision import frequent, mean_precision
from osteon.scoring.sample import Evaluate, Floats, Sample


def exchanged(contrasts: Sequence[Contrast], replicates: int, seed: int) -> Floats:
    """Return (contrasts, replicates) differences, B minus A, of sides exchanged at random within each patient.

    The same exchanges for all contrasts; NaN where one is undefined.
    """
    first = contrasts[0].first
    prepared = [_prepared(contrast) for contrast in contrasts]
    width = max(len(first.target), int(first.boxes.true.sum()))
    chunks = [np.stack([one(swaps) for one in prepared]) for swaps in _swaps(first.clusters, replicates, seed, width)]
    return np.concatenate(chunks, axis=1)


def _swaps(clusters: int, replicates: int, seed: int, width: int) -> Iterator[Floats]:
    """Yield (clusters, r) zeros and ones: whether a patient's answers are exchanged."""
    rng = np.random.default_rng(seed)
    step = max(1, CHUNK // (2 * max(clusters, width, 1)))
    for start in range(0, replicates, step):
        yield rng.integers(0, 2, (clusters, min(step, replicates - start))).astype(np.float64)


def _prepared(contrast: Contrast) -> Evaluate:
    """Return swaps -> difference: the mean over all pairs of a training of A and one of B."""
    item, head = contrast.metric, contrast.head
    pairs = [_pair(item, head, a, b) for a in contrast.a for b in contrast.b]
    return lambda swaps: np.asarray(np.mean([pair(swaps) for pair in pairs], axis=0))


def _pair(item: Metric, head: str, a: Sample, b: Sample) -> Evaluate:
    if item.name == "auroc_at_cut":
        a, b = at_cut(a), at_cut(b)
    if item.ranks:
        a, b = ranked(item, a), ranked(item, b)
    both = stacked(a, b)
    evaluate = _metric(item, a).heads["binary" if item.name == "auroc_at_cut" else head](both)

    def difference(swaps: Floats) -> Floats:
        kept = 1 - swaps
        return evaluate(np.concatenate([swaps, kept])) - evaluate(np.concatenate([kept, swaps]))

    return difference


def _metric(item: Metric, sample: Sample) -> Metric:
    """Return the metric of two samples in one: what it chooses by counts is chosen by those of one of them."""
    if item.name == "auroc_at_cut":
        from osteon.scoring.ranking import auroc

        return replace(item, heads={"binary": auroc})
    if item.name == "map50_frequent":
        classes = frequent(sample)
        return replace(item, heads={"detection": mean_precision((0,), lambda both: classes)})
    return item


def stacked(a: Sample, b: Sample) -> Sample:
    """Return both sides' units as one sample of twice the patients: A's are 0..c-1, B's c..2c-1."""
    columns = ("target", "score", "call", "truth", "value", "label")
    joined: dict[str, Any] = {name: np.concatenate([getattr(a, name), getattr(b, name)]) for name in columns}
    cluster = np.concatenate([a.cluster, b.cluster + a.clusters])
    return replace(a, **joined, cluster=cluster, boxes=_stacked(a.boxes, b.boxes, len(a.target)))


def _stacked(a: Boxes, b: Boxes, images: int) -> Boxes:
    found = np.concatenate([a.found, b.found])
    # Equal scores by image, whichever side they are of: A must not come before B.
    order = np.lexsort((np.concatenate([a.image, b.image]), -found["score"]))
    image, shown = np.concatenate([a.image, b.image + images]), np.concatenate([a.shown, b.shown])
    true = np.concatenate([a.true, b.true])
    return replace(a, found=found[order], image=image[order], shown=shown[order], true=true)


def ranked(item: Metric, sample: Sample) -> Sample:
    """Return the sample with ranks in the place of scores, so that sides of another calibration can be exchanged.

    Within a finding, a class, or, of an average precision, a class of boxes; boxes are ranked from the highest score
    down, as one side may have more of them.
    """
    if sample.boxes.names:
        return replace(sample, boxes=_ranked_boxes(sample.boxes, apart=not item.name.startswith("froc")))
    score = sample.score.reshape(len(sample.target), -1).astype(np.float64)
    label = sample.label if len(sample.label) else np.zeros(len(score), np.intp)
    for own in (label == one for one in np.unique(label)):
        score[own] = np.stack([midranks(column) for column in score[own].T], axis=1)
    return replace(sample, score=score.reshape(sample.score.shape))


def _ranked_boxes(boxes: Boxes, apart: bool) -> Boxes:
    found = boxes.found.copy()
    kind = found["label"] if apart else np.zeros(len(found), np.intp)
    for label in np.unique(kind):
        own = kind == label
        found["score"][own] = -midranks(-found["score"][own])
    order = np.argsort(-found["score"], kind="stable")
    return replace(boxes, found=found[order], image=boxes.image[order], shown=boxes.shown[order])
