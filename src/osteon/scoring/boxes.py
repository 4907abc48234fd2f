"""Images with boxes: from predictions to matched boxes, to a sample, and what is said of a score of boxes."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteon.predictions import TaskFacts
from osteon.predictions.boxes import array_of, overlap_of
from osteon.scoring.matching import MATCH, Boxes, match
from osteon.scoring.precision import FREQUENT, frequent, present
from osteon.scoring.sample import Codes, Floats, Sample

# Scores of one class begin with this.
OF_A_CLASS = "ap50_"


def matched(frame: pd.DataFrame, facts: TaskFacts) -> dict[str, NDArray[np.object_]]:
    """Return the columns of a unit table of images: `found`, the `MATCH` records, and `true`, boxes of each class.

    Images that nobody looked at have none.
    """
    found = np.full(len(frame), None, dtype=object)
    true = np.full(len(frame), None, dtype=object)
    looked = np.flatnonzero(frame["target"].notna())
    truth = [array_of(cell, 5) for cell in frame["truth"].iloc[looked]]
    records = match([array_of(cell) for cell in frame["boxes"].iloc[looked]], truth, facts.hit)
    for place, record, drawn in zip(looked, records, truth, strict=True):
        found[place] = record
        true[place] = np.bincount(drawn[:, 4].astype(np.intp), minlength=len(facts.classes)).astype(np.float64)
    return {"found": found, "true": true}


def sample_of_boxes(table: pd.DataFrame, facts: TaskFacts, threshold: float | Floats) -> Sample:
    """Return the labelled images of a unit table; boxes with a score strictly above `threshold` are shown.

    Args:
        table: units of a detection task, those with a label.
        facts: its facts.
        threshold: of all images, or (n,) one an image.
    """
    n, classes = len(table), len(facts.classes)
    parts = list(table["found"])
    found = np.concatenate([np.empty(0, MATCH), *parts])
    image = np.repeat(np.arange(n), [len(part) for part in parts])
    # Equal scores stay in the order of the images, as in COCO.
    order = np.argsort(-found["score"], kind="stable")
    found, image = found[order], image[order]
    shown = found["score"] > np.broadcast_to(np.asarray(threshold, np.float64), n)[image]
    true = np.concatenate([np.empty((0, classes)), *(row[None] for row in table["true"])])
    boxes = Boxes(found, image, shown, true, facts.classes, facts.hit)
    none = np.zeros(n, np.intp)
    return Sample(none, np.zeros(n), none, pd.factorize(table["group_id"])[0], classes, boxes=boxes)


def answers_of_boxes(sample: Sample) -> Floats:
    """Return (n, 3) sums over an image's boxes that tell them from others: scores, also by class, and those shown."""
    boxes = sample.boxes
    score = boxes.found["score"]
    sums = (score, score * (1.0 + boxes.found["label"]), boxes.shown.astype(np.float64))
    return np.stack([np.bincount(boxes.image, part, len(sample.target)) for part in sums], axis=1)


def true_boxes(metric: str, sample: Sample) -> Codes:
    """Return the number of true boxes of each class that a score is the mean of; one number where it is of them all."""
    count: Codes = sample.boxes.true.sum(0).astype(np.intp)
    if metric.startswith(OF_A_CLASS):
        label = sample.boxes.names.index(metric.removeprefix(OF_A_CLASS))
        return np.asarray(count[label : label + 1])
    if metric.startswith("map50"):
        return np.asarray(count[frequent(sample) if metric == "map50_frequent" else present(sample)])
    return np.array([count.sum()])


def remark(metric: str, sample: Sample) -> str:
    """Say what a score of boxes leaves out, or when a box is hit."""
    names, count = sample.boxes.names, sample.boxes.true.sum(0)
    if not count.sum():
        return ""
    if metric.startswith(OF_A_CLASS):
        return "" if true_boxes(metric, sample).sum() else "no true box"
    if metric == "map50_frequent":
        chosen = ", ".join(names[label] for label in frequent(sample))
        return f"{FREQUENT} true boxes or more: {chosen}" if chosen else f"no class with {FREQUENT} true boxes"
    if metric.startswith("map50"):
        lost = ", ".join(name for name, boxes in zip(names, count, strict=True) if not boxes)
        return f"left out, without a true box: {lost}" if lost else ""
    least = overlap_of(sample.boxes.hit)
    return "hit: centre inside the true box" if least is None else f"hit: overlap (IoU) of {least:g} or more"
