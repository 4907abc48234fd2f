"""One look for all figures: a column wide, colours that colour-blind readers tell apart, a stamp on phantoms."""

import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from osteon.files import aside
from osteon.scoring.comparison.words import plural

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

P = ParamSpec("P")
T = TypeVar("T")
# Okabe and Ito (2008), Color Universal Design; yellow left out, as lines of it are not seen on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
LINES = ("-", "--", ":")
GREY = "#767676"
WIDTH = 3.5  # inches, one column
DPI = 200
LETTERS = 17  # of a title, an inch
LOOK: dict[str, Any] = {
    "font.size": 7.5,
    "font.family": "DejaVu Sans",
    "axes.titlesize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "axes.axisbelow": True,
    "lines.linewidth": 1.3,
    "legend.fontsize": 6.5,
    "legend.frameon": False,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "osteon",  # the same figure is the same file
}


@dataclass(frozen=True)
class About:
    """What a figure is of: task, split, what is scored, and real or phantom."""

    task: str
    split: str = "test"
    unit: str = "unit"
    source: str = "real"

    def title(self, what: str) -> str:
        """Return the title of a figure."""
        return f"{what}\n{self.task}, {self.split}, per {self.unit}"


def styled(draw: Callable[P, T]) -> Callable[P, T]:
    """Have a function draw in this look, whatever the caller's settings are."""

    @wraps(draw)
    def drawn(*args: P.args, **more: P.kwargs) -> T:
        import matplotlib

        settings: dict[Any, Any] = {**matplotlib.rcParamsDefault, **LOOK, "backend": "agg"}
        with matplotlib.rc_context(settings):
            return draw(*args, **more)

    return drawn


def canvas(about: About, what: str, height: float = WIDTH, width: float = WIDTH) -> "tuple[Figure, Axes]":
    """Return a figure with one pair of axes, its title, and PHANTOM across it where images were drawn."""
    figure = sheet(about, width, height)
    entitle(figure, about.title(what))
    return figure, figure.add_subplot()


def two_rows(about: About, what: str, height: float) -> "tuple[Figure, Axes, Axes]":
    """Return a figure as `canvas` does, with a low pair of axes below that shares the x axis."""
    figure = sheet(about, WIDTH, height)
    entitle(figure, about.title(what))
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    return figure, above, below


def entitle(figure: "Figure", text: str) -> None:
    """Set the title over the whole figure, not over its axes: they are narrow where labels are long."""
    most = int(figure.get_size_inches()[0] * LETTERS)
    lines = [part for line in text.splitlines() for part in textwrap.wrap(line, most, break_on_hyphens=False)]
    figure.suptitle("\n".join(lines), x=0.01, ha="left", fontsize=LOOK["axes.titlesize"])


def sheet(about: About, width: float, height: float) -> "Figure":
    """Return an empty figure, stamped where it is of phantoms; sizes in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # Laid out at the dpi of the PNG: text is a little wider at others, and was cut off at the edge.
    figure = Figure(figsize=(width, height), layout="constrained", dpi=DPI)
    FigureCanvasAgg(figure)
    stamp(figure, about)
    return figure


def stamp(figure: "Figure", about: About) -> None:
    """Write PHANTOM across a figure of drawn images."""
    if "phantom" in about.source:
        figure.text(
            0.5, 0.5, "PHANTOM", fontsize=34, color=GREY, alpha=0.16, rotation=30, ha="center", va="center", zorder=10
        )


def square(axes: "Axes", x: str, y: str) -> None:
    """Set both axes to shares from 0 to 1, with a light grid."""
    axes.set(xlabel=x, ylabel=y, xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
    axes.grid(linewidth=0.3, color="#dddddd")


def look_of(place: int) -> dict[str, Any]:
    """Return colour and line of the curve at a place: 21 that differ."""
    return {"color": COLOURS[place % len(COLOURS)], "linestyle": LINES[place // len(COLOURS) % len(LINES)]}


def legend(figure: "Figure", axes: "Axes") -> None:
    """Put the legend below the axes, where it covers nothing, and make room for it."""
    handles, labels = axes.get_legend_handles_labels()
    columns = 1 if max(map(len, labels)) > 30 else 2
    width, height = figure.get_size_inches()
    figure.set_size_inches(width, height + 0.14 * -(-len(labels) // columns))
    figure.legend(handles, labels, loc="outside lower center", ncols=columns)


def whole_numbers(axis: "Axis") -> None:
    """Label an axis of counts with whole numbers only."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(nbins=5, integer=True))


def many(unit: str) -> str:
    """Return what is scored, as many of it: images, studies."""
    return plural(2, unit).removeprefix("2 ")


def settle(figure: "Figure") -> None:
    """Find the layout once, in two passes as titles need, and not again for every format."""
    for _ in range(2):
        figure.draw_without_rendering()
    figure.set_layout_engine("none")


@styled
def pixels(figure: "Figure") -> NDArray[np.uint8]:
    """Return a figure as (H, W, 4) RGBA at 200 dpi, as its PNG is."""
    settle(figure)
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())  # type: ignore[attr-defined]


@styled
def save(figure: "Figure", folder: Path, name: str) -> list[Path]:
    """Write a figure as SVG and PNG (200 dpi), each whole or not at all, and return where.

    Raises:
        OsteonError: the folder cannot be written.
    """
    settle(figure)
    files = []
    for kind, more in (("svg", {"metadata": {"Date": None}}), ("png", {"dpi": DPI})):
        file = folder / f"{name}.{kind}"
        with aside(file) as draft:
            figure.savefig(draft, format=kind, **more)
        files.append(file)
    return files
