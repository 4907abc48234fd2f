"""Values with their intervals under one another: groups, comparisons, ablations."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from osteon.errors import OsteonError
from osteon.figures.style import COLOURS, GREY, WIDTH, About, entitle, sheet, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NEEDED = ("label", "value", "lo", "hi")


@styled
def forest(
    rows: pd.DataFrame, about: About, what: str, *, axis: str, null: float | None = None, decimals: int = 2
) -> "Figure":
    """Return a row a value: a square with its 95 % interval, and both in figures beside it.

    Args:
        rows: label, value, lo, hi, and n where it is to be shown; rows without a value keep their line, empty.
        about: what it is of.
        what: the title.
        axis: what is measured, with its unit.
        null: where a vertical line stands, such as no difference or the score of all; None: none.
        decimals: of the figures; of values from 10 on one.

    Raises:
        OsteonError: a column is missing, or there is no row.
    """
    if lacking := [name for name in NEEDED if name not in rows]:
        raise OsteonError(f"forest: column(s) {', '.join(lacking)} missing; found {', '.join(map(str, rows))}.")
    if rows.empty:
        raise OsteonError("forest: no row to draw.")
    figure = sheet(about, WIDTH, 1.0 + 0.17 * len(rows))
    axes = figure.add_subplot()
    entitle(figure, about.title(what))
    numbers = rows[["value", "lo", "hi"]].astype("Float64").to_numpy(np.float64, na_value=np.nan)
    if null is not None:
        axes.axvline(null, color=GREY, linewidth=0.7, linestyle=":")
    for place, (value, low, high) in enumerate(numbers):
        axes.plot([low, high], [place, place], color=COLOURS[0], linewidth=1.0)
        axes.plot(value, place, "s", color=COLOURS[0], markersize=3.5)
        axes.text(
            1.02,
            place,
            _text(value, low, high, decimals),
            transform=axes.get_yaxis_transform(),
            va="center",
            fontsize=6,
        )
    counts = rows["n"] if "n" in rows else [None] * len(rows)
    labels = [
        f"{label} ({n})" if n is not None and pd.notna(n) else str(label)
        for label, n in zip(rows["label"], counts, strict=True)
    ]
    axes.set_yticks(range(len(rows)), labels, fontsize=6.5)
    axes.set(xlabel=axis, ylim=(len(rows) - 0.4, -0.6))
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", linewidth=0.3, color="#dddddd")
    return figure


def _text(value: float, low: float, high: float, decimals: int) -> str:
    if np.isnan(value):
        return "n/a"
    digits = decimals if max(abs(value), abs(np.nan_to_num(high))) < 10 else 1
    return f"{value:.{digits}f}" + ("" if np.isnan(low) else f" [{low:.{digits}f}, {high:.{digits}f}]")
