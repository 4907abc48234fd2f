"""Films with their true and predicted boxes drawn in, for eyes: some mistakes, and some by chance."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw

from osteon.config import Config
from osteon.errors import OsteonError, nearest
from osteon.figures.run import plain
from osteon.files import aside
from osteon.predictions import TaskFacts
from osteon.run.prepare import Prepared
from osteon.scoring.runs import Run
from osteon.scoring.thresholds import Threshold

OF_A_KIND = 4  # films of each kind
LONGEST = 640  # px of a drawn film's longer side, at least
TRUE, SAID = (70, 220, 110), (255, 150, 40)


def draw_boxes(
    folder: Path,
    prepared: Prepared,
    table: pd.DataFrame,
    facts: Mapping[str, TaskFacts],
    thresholds: Mapping[str, Threshold],
) -> None:
    """Write `boxes/<task>/<kind>_<n>.png` of test films: true boxes green, predicted ones orange with their score.

    Predicted boxes are those above the frozen threshold. Kinds: `missed` (the true box that the surest prediction near
    it is least sure of), `false_alarm` (the surest box on a film without any), `chance` (drawn by chance, alike on
    every call). `index.csv` beside them says which film each is.

    Args:
        folder: of the run.
        prepared: manifest, pixels and canvas.
        table: checked predictions of val and test.
        facts: of the tasks.
        thresholds: frozen on val, by task.
    """
    for task, fact in facts.items():
        rows = table[(table["task"] == task) & (table["split"] == "test")]
        if fact.head != "detection" or rows.empty:
            continue
        least = thresholds[task].value if task in thresholds else fact.protocol_threshold
        listed = []
        for kind, chosen in _chosen(rows).items():
            for number, (_, row) in enumerate(chosen.iterrows()):
                name = f"{kind}_{number}.png"
                _save(folder / "boxes" / plain(task) / name, _film(prepared, row, fact, least))
                listed.append({"file": name, "image_id": row["image_id"]})
        with aside(folder / "boxes" / plain(task) / "index.csv") as draft:
            pd.DataFrame(listed).to_csv(draft, index=False)


def draw_films(run: Run, config: Config, prepared: Prepared, images: Sequence[str]) -> list[Path]:
    """Write `boxes/<task>/film_<image>.png` of films that somebody wants to see, and return where.

    Films of train have no predictions: their true boxes alone are drawn.

    Args:
        run: a finished one.
        config: its settings.
        prepared: its manifest, pixels and canvas.
        images: their `image_id`.

    Raises:
        OsteonError: no task of the run has boxes, or the run has no such image.
    """
    tasks = {task: fact for task, fact in run.predictions.tasks.items() if fact.head == "detection"}
    if not tasks:
        raise OsteonError(f"{run.folder}: no task has boxes; it has {', '.join(run.predictions.tasks)}.")
    known, files = prepared.manifest.set_index("image_id", drop=False), list[Path]()
    if lacking := [name for name in images if name not in known.index]:
        raise OsteonError(
            f"{run.folder}: no image {lacking[0]!r}.{nearest(lacking[0], known.index)} See manifest.parquet."
        )
    for task, fact in tasks.items():
        frame = run.predictions.frame
        said = frame[frame["task"] == task]
        least = run.thresholds[task].value if task in run.thresholds else fact.protocol_threshold
        for name in images:
            true = known[str(config.tasks[task].target)].loc[name]
            row = next((one for _, one in said[said["image_id"] == name].iterrows()), None)
            row = pd.Series({"image_id": name, "truth": true, "boxes": ()}) if row is None else row
            files.append(run.folder / "boxes" / plain(task) / f"film_{plain(name)}.png")
            _save(files[-1], _film(prepared, row, fact, least))
    return files


def _chosen(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return which films to draw, by kind; the worst first."""
    known = rows[rows["target"].notna()]
    positive, empty = known[known["target"] > 0], known[known["target"] == 0]
    missed = positive["truth"].combine(positive["boxes"], _surest_near)
    alarm = empty["boxes"].map(lambda boxes: max((box[5] for box in boxes), default=0.0))
    return {
        "missed": positive.loc[missed.sort_values(kind="stable").index[:OF_A_KIND]],
        "false_alarm": empty.loc[alarm[alarm > 0].sort_values(ascending=False, kind="stable").index[:OF_A_KIND]],
        "chance": rows.sample(min(OF_A_KIND, len(rows)), random_state=0),
    }


def _surest_near(truth: np.ndarray, boxes: np.ndarray) -> float:
    """Return, of the true box that is seen worst, the highest score of a box whose centre lies in it."""
    return min(
        max((b[5] for b in boxes if t[0] <= (b[0] + b[2]) / 2 <= t[2] and t[1] <= (b[1] + b[3]) / 2 <= t[3]), default=0)
        for t in truth
    )


def _film(prepared: Prepared, row: pd.Series, fact: TaskFacts, least: float) -> Image.Image:
    place = int(np.flatnonzero(prepared.manifest["image_id"] == row["image_id"])[0])
    pixels = np.array(prepared.cache.pixels()[int(prepared.manifest["slot"].to_numpy()[place])])
    zoom = max(1, round(LONGEST / max(pixels.shape)))
    film = Image.fromarray(np.repeat(np.repeat(pixels, zoom, 0), zoom, 1)).convert("RGB")
    pen = ImageDraw.Draw(film)
    truth = [] if row["truth"] is None else list(row["truth"])
    for box, colour in [(box, TRUE) for box in truth] + [(box, SAID) for box in row["boxes"] if box[5] > least]:
        corners = prepared.canvas.of_row(place, np.asarray(box, np.float64)[:4]) * zoom
        pen.rectangle(corners.tolist(), outline=colour, width=2)
        name = fact.classes[int(box[4])] if len(fact.classes) > 1 else ""
        score = f"{box[5]:.2f}" if colour == SAID else ""
        pen.text((corners[0] + 2, corners[3 if colour == SAID else 1] + 1), f"{name} {score}".strip(), fill=colour)
    return film


def _save(file: Path, film: Image.Image) -> None:
    with aside(file) as draft:
        film.save(draft, format="PNG")
