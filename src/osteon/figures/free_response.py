"""The free-response ROC curve of boxes."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from osteon.figures.style import COLOURS, About, canvas, legend, styled
from osteon.predictions import TaskFacts
from osteon.scoring.froc import RATES
from osteon.scoring.matching import FALSE, HIT
from osteon.scoring.metrics import METRICS, sample_of
from osteon.scoring.rows import Job, computed

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@styled
def froc(
    made: pd.DataFrame, facts: TaskFacts, about: About, threshold: float | None = None, replicates: int = 200
) -> "Figure":
    """Return the share of true boxes hit against false positives an image, with 95 % intervals at the usual rates.

    Bunch et al. (1978), J Appl Photogr Eng 4:166; what a hit is stands in the title.

    Args:
        made: units of a detection task, as `scoring.units.units` makes them.
        facts: of it.
        about: what it is of.
        threshold: of the operating point to mark; None: none.
        replicates: bootstrap replicates behind the intervals.
    """
    sample = sample_of(made, facts, threshold)
    true, images = int(sample.boxes.true.sum()), len(sample.target)
    figure, axes = canvas(about, f"FROC, a hit is {_hit(facts.hit)}", 2.9)
    found = sample.boxes.found
    order = np.argsort(-found["score"], kind="stable")
    hits, false = np.cumsum(found["hit"][order] == HIT), np.cumsum(found["hit"][order] == FALSE)
    axes.step(
        false / max(images, 1),
        hits / max(true, 1),
        where="post",
        color=COLOURS[0],
        label=f"{true} true boxes, {images} images",
    )
    jobs = [Job(METRICS[f"froc_{rate:g}"], sample) for rate in RATES]
    rows = (
        pd.DataFrame(list(computed(jobs, "detection", "", replicates, 0))).assign(rate=RATES).dropna(subset=["value"])
    )
    if len(rows):
        low = rows["lo"].astype(float).fillna(rows["value"].astype(float))
        high = rows["hi"].astype(float).fillna(rows["value"].astype(float))
        spread = [rows["value"].astype(float) - low, high - rows["value"].astype(float)]
        axes.errorbar(
            rows["rate"],
            rows["value"].astype(float),
            spread,
            fmt="o",
            color=COLOURS[1],
            markersize=3,
            capsize=2,
            elinewidth=0.8,
            label="95 % intervals, by patient",
        )
    if threshold is not None and true:
        shown = sample.boxes.shown
        at = [(shown & (found["hit"] == kind)).sum() for kind in (FALSE, HIT)]
        axes.plot(
            max(at[0] / images, RATES[0] / 2),
            at[1] / true,
            "D",
            color="black",
            markersize=4,
            label=f"threshold {threshold:.2g}",
        )
    axes.set_xscale("log", base=2)
    axes.set(
        xlim=(RATES[0] / 2, RATES[-1] * 1.3),
        ylim=(-0.02, 1.02),
        xlabel="false positives an image",
        ylabel="share of true boxes hit",
    )
    axes.set_xticks(RATES, [f"{rate:g}" for rate in RATES])
    axes.grid(linewidth=0.3, color="#dddddd")
    legend(figure, axes)
    return figure


def _hit(rule: str) -> str:
    return "a centre inside" if rule == "centre" else f"an overlap (IoU) of {rule.removeprefix('iou_')} or more"
