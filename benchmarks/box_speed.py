"""1000 patient-bootstrap replicates of every score of boxes, ours against pycocotools again and again, in the same run.

--images images of --boxes predicted boxes of three classes, two true ones an image, two images a patient. Ours matches
once and gives all rows of the score table with their intervals; pycocotools matches and averages --peer resampled sets,
from which the time of all replicates is told.

    python benchmarks/box_speed.py --out benchmarks/results/box_speed.md
"""

import argparse
import contextlib
import io
import os
import platform
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from osteon.predictions import TaskFacts, check
from osteon.scoring.rows import Point, score_units
from osteon.scoring.units import units

FACTS = TaskFacts(head="detection", classes=("fracture", "text", "metal"))


def places(count: int, rng: np.random.Generator) -> np.ndarray:
    corner = rng.integers(0, 300, (count, 2))
    return np.column_stack([corner, corner + rng.integers(20, 80, (count, 2)), rng.integers(0, 3, count)]).astype(float)


def draw(images: int, boxes: int, rng: np.random.Generator) -> pd.DataFrame:
    rows = []
    for image in range(images):
        truth = places(rng.poisson(2), rng)
        near = truth[rng.random(len(truth)) < 0.9].copy()
        near[:, :4] += rng.normal(0, 4, (len(near), 4))
        far = places(boxes - len(near), rng)
        score = np.concatenate([rng.beta(4, 3, len(near)), rng.beta(1, 6, len(far))])
        found = np.column_stack([np.concatenate([near, far]), score])
        ids = {"image_id": str(image), "unit_id": str(image), "group_id": str(image // 2)}
        rows.append({**ids, "boxes": found, "truth": truth, "target": float(len(truth))})
    return pd.DataFrame(rows).assign(task="wrist", split="test", dataset="drawn", source="phantom")


def ours(frame: pd.DataFrame, replicates: int) -> tuple[float, float, pd.DataFrame]:
    start = time.perf_counter()
    table = units(check(frame, {"wrist": FACTS}), FACTS)
    matched = time.perf_counter() - start
    labels = {"task": "wrist", "split": "test", "split_name": "test"}
    points = [Point("protocol", 0.5), Point("frozen", 0.3)]
    rows = score_units(table, FACTS, labels, points, replicates)
    return matched, time.perf_counter() - start, rows


def sized(box: np.ndarray) -> dict[str, object]:
    x1, y1, x2, y2, label = box[:5].tolist()
    return {"bbox": [x1, y1, x2 - x1, y2 - y1], "category_id": int(label) + 1, "area": (x2 - x1) * (y2 - y1)}


def theirs(frame: pd.DataFrame) -> tuple[float, float]:
    """Return seconds and mAP50-95 of the images as they stand."""
    images = [{"id": image + 1} for image in range(len(frame))]
    classes = [{"id": label + 1, "name": name} for label, name in enumerate(FACTS.classes)]
    marks = [sized(box) | {"image_id": k + 1, "iscrowd": 0} for k, cell in enumerate(frame["truth"]) for box in cell]
    marks = [mark | {"id": place + 1} for place, mark in enumerate(marks)]
    found = [sized(box) | {"image_id": k + 1, "score": box[5]} for k, cell in enumerate(frame["boxes"]) for box in cell]
    with contextlib.redirect_stdout(io.StringIO()):
        data = COCO()
        data.dataset = {"images": images, "annotations": marks, "categories": classes, "info": {}}
        data.createIndex()
        results = data.loadRes(found)
        # Reading is not what is compared.
        start = time.perf_counter()
        run = COCOeval(data, results, "bbox")
        run.evaluate()
        run.accumulate()
    return time.perf_counter() - start, float(run.eval["precision"][..., 0, -1].mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--boxes", type=int, default=50, help="predicted, an image")
    parser.add_argument("--replicates", type=int, default=1000)
    parser.add_argument("--peer", type=int, default=3, help="replicates that pycocotools is timed on")
    parser.add_argument("--out", type=Path, help="write the Markdown here too")
    args = parser.parse_args()
    rng = np.random.default_rng(0)
    frame = draw(args.images, args.boxes, rng)
    matched, seconds, rows = ours(frame, args.replicates)
    value = float(rows.loc[rows["metric"] == "map50_95", "value"].iloc[0])
    drawn = [frame.iloc[np.sort(rng.integers(0, args.images, args.images))] for _ in range(args.peer)]
    each = float(np.median([theirs(sample)[0] for sample in drawn]))
    difference = abs(value - theirs(frame)[1])
    lines = [
        "# Scores of boxes with their intervals",
        "",
        f"`python benchmarks/box_speed.py {' '.join(sys.argv[1:])}`",
        "",
        f"Python {platform.python_version()}, {os.cpu_count()} cores; {args.images} images, {args.boxes} boxes each, "
        f"three classes, {args.replicates} replicates. mAP50-95 of both differs by {difference:.0e}.",
        "",
        "| what | seconds |",
        "| --- | ---: |",
        f"| osteon: checked and matched | {matched:.2f} |",
        f"| osteon: {len(rows)} rows with intervals, matching included | {seconds:.2f} |",
        f"| pycocotools: one replicate (median of {args.peer}) | {each:.2f} |",
        f"| pycocotools: {args.replicates} replicates, reckoned from it | {each * args.replicates:.0f} |",
    ]
    text = "\n".join(lines) + "\n"
    print(text)
    if args.out:
        args.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
