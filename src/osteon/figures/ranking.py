"""ROC and precision-recall curves, with areas, intervals and n in the legend."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteon.figures import curves
from osteon.figures.style import COLOURS, GREY, About, canvas, legend, look_of, square, styled
from osteon.predictions import TaskFacts
from osteon.scoring.metrics import METRICS, sample_of
from osteon.scoring.rows import Job, computed
from osteon.scoring.sample import Sample
from osteon.scoring.units import scores

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Areas = dict[str, tuple[str, Sample]]


@styled
def roc(made: pd.DataFrame, facts: TaskFacts, about: About, threshold: float | None = None) -> "Figure":
    """Return the ROC curve of each class against the others; of two classes with a band over patients.

    Args:
        made: labelled units, as `scoring.units.units` makes them, of two outcomes or more.
        facts: binary, multiclass or ordinal.
        about: what it is of.
        threshold: of the operating point to mark; None: none.
    """
    truth, matrix, of_class = _parts(made, facts)
    figure, axes = canvas(about, "ROC", 3.7)
    points = curves.roc(truth, matrix, facts)
    for place, (name, part) in enumerate(points.groupby("class", sort=False)):
        axes.plot(
            part["fpr"], part["tpr"], label=_said(str(name), of_class[str(name)], "auroc", "AUROC"), **look_of(place)
        )
    if len(of_class) == 1:
        sample = next(iter(of_class.values()))
        low, high = curves.roc_band(sample.target == 1, sample.score, sample.cluster)
        axes.fill_between(
            curves.GRID, low, high, color=COLOURS[0], alpha=0.18, linewidth=0, label="95 % band, by patient"
        )
        if threshold is not None:
            call, positive = sample.score > threshold, sample.target == 1
            marked = (call[~positive].mean(), call[positive].mean())
            axes.plot(*marked, "o", color="black", markersize=4, label=f"threshold {threshold:.2g}")
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.6, linestyle=":")
    square(axes, "1 - specificity", "sensitivity")
    legend(figure, axes)
    return figure


@styled
def precision_recall(made: pd.DataFrame, facts: TaskFacts, about: About) -> "Figure":
    """Return the precision-recall curve of each class; a dotted line shows the share of positives.

    Args:
        made: labelled units of two outcomes or more.
        facts: binary, multiclass or ordinal.
        about: what it is of.
    """
    truth, matrix, of_class = _parts(made, facts)
    figure, axes = canvas(about, "Precision and recall", 3.7)
    for place, (name, part) in enumerate(curves.precision_recall(truth, matrix, facts).groupby("class", sort=False)):
        sample, look = of_class[str(name)], look_of(place)
        label = _said(str(name), sample, "average_precision", "AP")
        axes.step(part["recall"], part["precision"], where="post", label=label, **look)
        if len(of_class) == 1:
            share = float(sample.target.mean())
            axes.axhline(share, color=GREY, linewidth=0.8, linestyle=":", label=f"share of {name}: {share:.2f}")
    square(axes, "recall (sensitivity)", "precision (PPV)")
    legend(figure, axes)
    return figure


def _parts(made: pd.DataFrame, facts: TaskFacts) -> tuple[NDArray[np.int64], NDArray[np.float64], dict[str, Sample]]:
    """Return truth, probabilities, and each class that has a curve as a binary sample."""
    truth, score = made["target"].to_numpy(np.int64), scores(made, facts)
    matrix = np.column_stack([1 - score, score]) if score.ndim == 1 else score
    cluster = sample_of(made, facts).cluster
    of_class = {
        name: Sample(
            (truth == index).astype(np.intp), matrix[:, index], (matrix[:, index] > 0.5).astype(np.intp), cluster
        )
        for index, name in curves.drawn(truth, facts)
    }
    return truth, matrix, of_class


def _said(name: str, sample: Sample, metric: str, short: str) -> str:
    """Return "fracture: AUROC 0.91 [0.85, 0.95], n = 38 of 103"."""
    row = next(computed([Job(METRICS[metric], sample)], "binary", "", curves.REPLICATES, 0))
    bounds = "" if row["lo"] is None else f" [{row['lo']:.2f}, {row['hi']:.2f}]"
    value = "n/a" if row["value"] is None else f"{row['value']:.2f}"
    return f"{name}: {short} {value}{bounds}, n = {int(sample.target.sum())} of {len(sample.target)}"
