"""Whether probabilities can be believed, and what is gained by leaving the unsure units to a person."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from osteon.figures.style import COLOURS, GREY, About, canvas, legend, many, styled, two_rows, whole_numbers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MARKS = ("o", "s")


@styled
def reliability(tables: dict[str, pd.DataFrame], about: About, positive: str = "positive units") -> "Figure":
    """Return predicted probability against observed share, bin by bin, with 95 % intervals; counts below.

    Args:
        tables: label -> its bins (low, high, predicted, value, lo, hi, n), as `scoring.calibrated.reliability.bins`
            makes them; at most two, such as before and after calibration.
        about: what it is of.
        positive: what the share is of.
    """
    figure, axes, below = two_rows(about, "Reliability", 4.3)
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.6, linestyle=":")
    for place, (label, table) in enumerate(tables.items()):
        shift = 0.006 * (2 * place - 1) if len(tables) > 1 else 0.0
        spread = [table["value"] - table["lo"], table["hi"] - table["value"]]
        look: dict[str, Any] = {"color": COLOURS[place], "markersize": 3.5, "capsize": 1.5, "elinewidth": 0.7}
        axes.errorbar(table["predicted"] + shift, table["value"], spread, fmt=MARKS[place], label=label, **look)
        width = (table["high"] - table["low"]) / len(tables)
        below.bar(table["low"] + width * place, table["n"], width, align="edge", color=COLOURS[place])
    axes.set(ylabel=f"share of {positive}", xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    axes.grid(linewidth=0.3, color="#dddddd")
    below.set(xlabel="predicted probability", ylabel=many(about.unit))
    whole_numbers(below.yaxis)
    legend(figure, axes)
    return figure


@styled
def coverage_accuracy(curve: pd.DataFrame, about: About, asked: float | None = None) -> "Figure":
    """Return what is right among the units answered against the share answered, for bands fitted on val.

    Args:
        curve: rows asked, metric (coverage, accuracy, and of two classes sensitivity and specificity), value, lo, hi,
            n, as `scoring.calibrated.inconclusive.curve` makes them.
        about: what it is of.
        asked: the share of val left inconclusive by the run's band, to mark; None: none.
    """
    figure, axes = canvas(about, "Coverage and accuracy, bands fitted on val", 2.9)
    covered = curve[curve["metric"] == "coverage"].set_index("asked")["value"]
    total = curve.loc[curve["metric"] == "coverage", "n"].max()
    least = 1.0
    for place, (name, part) in enumerate(curve[curve["metric"] != "coverage"].groupby("metric", sort=False)):
        part = part.dropna(subset=["value"])
        if part.empty:
            continue
        share = part["asked"].map(covered)
        axes.plot(
            share,
            part["value"].astype(float),
            f"{'os^'[place % 3]}-",
            color=COLOURS[place],
            markersize=2.5,
            label=f"{name}, n = {part['n'].max()}",
        )
        least = min(least, float(part["value"].min()))
        if name == "accuracy":
            axes.fill_between(
                share, part["lo"].astype(float), part["hi"].astype(float), color=COLOURS[place], alpha=0.15, linewidth=0
            )
            least = min(least, float(part["lo"].min()))
    if asked is not None and asked in covered:
        axes.axvline(covered[asked], color="black", linewidth=0.8, linestyle="--", label=f"band of {asked:.0%} of val")
    axes.set(
        xlabel=f"share of {total} {many(about.unit)} answered",
        ylabel="share right among them",
        ylim=(max(0, least - 0.03), 1.01),
    )
    axes.invert_xaxis()
    axes.grid(linewidth=0.3, color="#dddddd")
    legend(figure, axes)
    return figure
