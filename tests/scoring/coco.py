"""COCO's own scores of boxes, by pycocotools, and boxes to score."""

import contextlib
import io
from collections.abc import Sequence

import numpy as np
import pandas as pd
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from osteon.predictions import TaskFacts

Rows = list[list[float]]
NAMES = ("fracture", "text", "boneanomaly")


def facts(classes: int = 3, **more: object) -> TaskFacts:
    return TaskFacts(head="detection", classes=NAMES[:classes], **more)  # type: ignore[arg-type]


def table(boxes: Sequence[Rows], truth: Sequence[Rows | None], **more: object) -> pd.DataFrame:
    """Return image predictions, an image a patient."""
    count = [np.nan if rows is None else float(len(rows)) for rows in truth]
    ids = [f"image{place:04d}" for place in range(len(boxes))]
    columns: dict[str, object] = {"task": "wrist", "split": "test", "dataset": "drawn", "source": "real"}
    columns |= {"image_id": ids, "group_id": ids, "unit_id": ids, "target": count}
    return pd.DataFrame(columns | {"boxes": list(boxes), "truth": list(truth)} | more)


def reference(boxes: Sequence[Rows], truth: Sequence[Rows], classes: int) -> np.ndarray:
    """Return pycocotools' (10, classes) average precisions by level and class; NaN where a class has no true box."""
    categories = [{"id": label + 1, "name": str(label)} for label in range(classes)]
    marks, found = [], []
    for image, (theirs, ours) in enumerate(zip(truth, boxes, strict=True)):
        for x1, y1, x2, y2, label in theirs:
            size = [x1, y1, x2 - x1, y2 - y1]
            marks.append({"id": len(marks) + 1, "image_id": image + 1, "category_id": int(label) + 1, "bbox": size})
            marks[-1] |= {"area": size[2] * size[3], "iscrowd": 0}
        for x1, y1, x2, y2, label, score in ours:
            size = [x1, y1, x2 - x1, y2 - y1]
            found.append({"image_id": image + 1, "category_id": int(label) + 1, "bbox": size, "score": score})
    images = [{"id": image + 1, "width": 500, "height": 500} for image in range(len(boxes))]
    with contextlib.redirect_stdout(io.StringIO()):
        data = COCO()
        data.dataset = {"images": images, "annotations": marks, "categories": categories, "info": {}}
        data.createIndex()
        results = COCO()
        results.dataset = {"images": images, "annotations": [], "categories": categories, "info": {}}
        if found:
            results = data.loadRes(found)
        else:
            results.createIndex()
        run = COCOeval(data, results, "bbox")
        run.evaluate()
        run.accumulate()
    # Levels, recalls, classes, areas, most boxes: all areas, 100 boxes.
    precision = run.eval["precision"][:, :, :, 0, -1]
    return np.where(precision[:, 0] > -1, precision.mean(1), np.nan)


def drawn(
    images: int, classes: int = 3, most: int = 6, seed: int = 0, levels: int | None = None
) -> tuple[list[Rows], list[Rows]]:
    """Return boxes and true boxes: some hits, some doubles, some false; `levels` scores, so that there are ties."""
    rng = np.random.default_rng(seed)
    boxes: list[Rows] = []
    truth: list[Rows] = []
    for _ in range(images):
        corner = rng.integers(0, 300, (rng.integers(0, most), 2))
        theirs = np.column_stack(
            [corner, corner + rng.integers(20, 80, corner.shape), rng.integers(0, classes, len(corner))]
        )
        near = theirs[rng.random(len(theirs)) < 0.8].repeat(2, axis=0)
        near = near[rng.random(len(near)) < 0.7] + 0.0
        near[:, :4] += rng.integers(-8, 9, (len(near), 4)) / 2
        corner = rng.integers(0, 300, (rng.integers(0, most), 2))
        far = np.column_stack(
            [corner, corner + rng.integers(20, 80, corner.shape), rng.integers(0, classes, len(corner))]
        )
        ours = np.concatenate([near, far + 0.0])[rng.permutation(len(near) + len(far))]
        score = rng.random(len(ours)) if levels is None else rng.integers(1, levels + 1, len(ours)) / (levels + 1)
        boxes.append(np.column_stack([ours, score]).tolist())
        truth.append((theirs + 0.0).tolist())
    return boxes, truth
