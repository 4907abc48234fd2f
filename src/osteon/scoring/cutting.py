"""Cuts between scores, and what lies above each: from these a rule chooses a threshold."""

import re

import numpy as np
from numpy.typing import NDArray

from osteon.errors import OsteonError, nearest
from osteon.scoring.counts import f1
from osteon.scoring.froc import NEAR
from osteon.scoring.matching import FALSE, HIT
from osteon.scoring.sample import Floats, Sample

BOX_RULES = ("max_f1", "fp_0.5", "fp_1")


def cuts(score: Floats, positive: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
    """Return ascending cuts, and the true and false positives above each: below all scores, between, above all."""
    values, place = np.unique(score, return_inverse=True)
    low, high = values[:-1], values[1:]
    middle = (low + high) / 2
    # Between neighbouring floats the mean may round up to the upper one, which must stay above the cut.
    middle = np.where(middle < high, middle, low)
    first = values[0] / 2 if values[0] > 0 else -1e-9
    found = np.bincount(place, positive, len(values))
    false = np.bincount(place, ~positive, len(values))
    above = [np.concatenate([np.cumsum(part[::-1])[::-1], [0.0]]) for part in (found, false)]
    return np.concatenate([[first], middle, [(values[-1] + 1) / 2]]), above[0], above[1]


def check_box_rule(rule: str) -> float | None:
    """Return the false positives an image that a rule fp_<x> allows, None for max_f1.

    Raises:
        OsteonError: there is no such rule, or x is not above 0.
    """
    found = re.fullmatch(r"fp_(\d*\.?\d+)", rule)
    if rule == "max_f1":
        return None
    if not found or not float(found[1]) > 0:
        raise OsteonError(
            f"rule {rule!r} is not max_f1 or fp_<x> with x false positives an image above 0, as a detection head has."
            f"{nearest(rule, BOX_RULES)}"
        )
    return float(found[1])


def cut_of_boxes(sample: Sample, rule: str, otherwise: float) -> float:
    """Return the threshold of a rule on the boxes of a sample; `otherwise` where there is no box to choose by.

    max_f1 maximises 2 TP / (2 TP + FP + FN) over hits, false positives and true boxes that are missed, of several best
    cuts the middle one. fp_<x> takes the lowest cut with at most x false positives an image, so that its sensitivity is
    `froc_<x>`.

    Raises:
        OsteonError: there is no such rule.
    """
    allowed, boxes = check_box_rule(rule), sample.boxes
    known = (boxes.found["hit"] == HIT) | (boxes.found["hit"] == FALSE)
    if not known.any():
        return otherwise
    values, tp, fp = cuts(boxes.found["score"][known], boxes.found["hit"][known] == HIT)
    if allowed is not None:
        return float(values[np.flatnonzero(fp <= allowed * len(sample.target) + NEAR)[0]])
    gain = f1(tp, fp, boxes.true.sum() - tp, fp)
    best = np.flatnonzero(gain == gain.max())
    return float(values[best[(len(best) - 1) // 2]])
