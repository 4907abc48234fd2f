"""What was called against what is true, and how scores of each class spread."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from osteon.figures.style import COLOURS, WIDTH, About, canvas, legend, many, styled, whole_numbers
from osteon.predictions import TaskFacts
from osteon.scoring.metrics import sample_of
from osteon.scoring.units import scores

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BINS = 20
HATCHES = ("", "////")


@styled
def confusion(made: pd.DataFrame, facts: TaskFacts, about: About, threshold: float | None = None) -> "Figure":
    """Return the confusion matrix: counts, and the share of each true class by colour.

    Args:
        made: labelled units.
        facts: binary, multiclass or ordinal.
        about: what it is of.
        threshold: a binary unit is called positive strictly above it; None: the protocol's.
    """
    sample = sample_of(made, facts, threshold)
    count = len(facts.classes)
    matrix = np.bincount(sample.target * count + sample.call, minlength=count**2).reshape(count, count)
    of_class = matrix.sum(1, keepdims=True)
    shares = np.divide(matrix, of_class, out=np.zeros(matrix.shape), where=of_class > 0)
    longest = max(map(len, facts.classes))
    tilted = 0 if count * longest < 30 else 45
    size = max(2.6, 0.32 * count + 1.6) + (0.04 * longest if tilted else 0.0)
    figure, axes = canvas(about, _of_calls(facts, threshold), size, max(WIDTH, size + 0.4) if tilted else WIDTH)
    shown = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(shown, ax=axes, label="share of the true class", shrink=0.8)
    for row, column in np.ndindex(count, count):
        text = f"{matrix[row, column]}" + (f"\n{shares[row, column]:.0%}" if count <= 3 and of_class[row, 0] else "")
        colour = "white" if shares[row, column] > 0.55 else "black"
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=8 if count <= 5 else 6)
    names = [f"{name} (n = {total})" for name, total in zip(facts.classes, of_class[:, 0], strict=True)]
    axes.set_xticks(range(count), facts.classes, rotation=tilted, ha="right" if tilted else "center")
    axes.set_yticks(range(count), names)
    axes.set(xlabel="called", ylabel="true")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    return figure


def _of_calls(facts: TaskFacts, threshold: float | None) -> str:
    if facts.head != "binary":
        return "Confusion"
    return f"Confusion at threshold {facts.protocol_threshold if threshold is None else threshold:.2g}"


@styled
def score_histograms(made: pd.DataFrame, facts: TaskFacts, about: About, threshold: float | None = None) -> "Figure":
    """Return how scores of each true class spread, as Kim and MacKinnon (2018), Clin Radiol 73:439, Fig. 5.

    Of two classes the probability of the positive one, negatives below the axis; of several the one given to the true
    class, as box plots with their units.

    Args:
        made: labelled units.
        facts: binary, multiclass or ordinal.
        about: what it is of.
        threshold: to mark; None: none.
    """
    if facts.head != "binary":
        return _of_several(made, facts, about)
    figure, axes = canvas(about, "Scores by true class", 2.6)
    truth, score = made["target"].to_numpy(int), scores(made, facts)
    edges = np.linspace(0, 1, BINS + 1)
    most = 1
    for kind, name in reversed(list(enumerate(facts.classes))):
        counts, _ = np.histogram(score[truth == kind], edges)
        most = max(most, int(counts.max(initial=0)))
        axes.bar(
            edges[:-1],
            counts if kind else -counts,
            1 / BINS,
            align="edge",
            color=COLOURS[1 if kind else 0],
            hatch=HATCHES[kind],
            edgecolor="white",
            linewidth=0.3,
            label=f"{name}, n = {int((truth == kind).sum())}",
        )
    if threshold is not None:
        axes.axvline(threshold, color="black", linewidth=0.8, linestyle="--", label=f"threshold {threshold:.2g}")
    axes.axhline(0, color="black", linewidth=0.6)
    axes.set(
        xlim=(0, 1),
        ylim=(-1.1 * most, 1.1 * most),
        xlabel=f"probability of {facts.classes[1]}",
        ylabel=f"{many(about.unit)}",
    )
    axes.yaxis.set_major_formatter(lambda value, _: f"{abs(value):g}")
    whole_numbers(axes.yaxis)
    legend(figure, axes)
    return figure


def _of_several(made: pd.DataFrame, facts: TaskFacts, about: About) -> "Figure":
    truth, score = made["target"].to_numpy(int), scores(made, facts)
    figure, axes = canvas(about, "Probability given to the true class", max(2.0, 0.24 * len(facts.classes) + 1.0))
    rng, places = np.random.default_rng(0), range(len(facts.classes))
    groups = [score[truth == kind, kind] for kind in places]
    axes.boxplot(
        groups,
        positions=list(places),
        orientation="horizontal",
        widths=0.6,
        showfliers=False,
        medianprops={"color": COLOURS[1]},
    )
    for kind, values in enumerate(groups):
        jitter = kind + rng.uniform(-0.2, 0.2, len(values))
        axes.plot(values, jitter, ".", color=COLOURS[0], markersize=2.5, alpha=0.6)
    names = [f"{name} (n = {len(values)})" for name, values in zip(facts.classes, groups, strict=True)]
    axes.set_yticks(list(places), names)
    axes.axvline(1 / len(facts.classes), color="black", linewidth=0.6, linestyle=":", label="an even guess")
    axes.set(xlim=(-0.01, 1.01), xlabel="probability")
    axes.invert_yaxis()
    legend(figure, axes)
    return figure
