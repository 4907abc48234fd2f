"""A forest plot: a value with its interval a row, and a line where there is no difference."""

import math
from collections.abc import Sequence
from pathlib import Path

from osteon.files import aside

Row = tuple[str, float, float, float]


def forest(path: Path, rows: Sequence[Row], label: str, title: str) -> None:
    """Draw rows (label, value, lo, hi) from top to bottom; a row without an interval is a point.

    Args:
        path: of the PNG.
        rows: values of one quantity; lo and hi may be NaN or NA.
        label: below the axis.
        title: above it.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.0, 1.4 + 0.38 * len(rows)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for place, (_, value, low, high) in enumerate(rows):
        value, low, high = _number(value), _number(low), _number(high)
        clear = low * high > 0  # False where one is NaN
        colour = "#1b5e9c" if clear else "#6b6b6b"
        if not math.isnan(low):
            axes.plot([low, high], [place, place], color=colour, linewidth=1.8, solid_capstyle="butt")
        axes.plot([value], [place], marker="s", color=colour, markersize=6)
    axes.axvline(0.0, color="#222222", linewidth=0.8, linestyle=(0, (4, 3)))
    axes.set_yticks(range(len(rows)), [row[0] for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlabel(label)
    figure.suptitle(title, fontsize=10, x=0.01, ha="left", wrap=True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="#e3e3e3", linewidth=0.6)
    axes.set_axisbelow(True)
    with aside(path) as draft:
        figure.savefig(draft, format="png", dpi=150)


def _number(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):  # pandas' NA
        return math.nan
