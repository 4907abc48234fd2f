"""A table with its heading: what terminal, Markdown and page are made of."""

from collections.abc import Sequence
from dataclasses import dataclass

from osteon.leaderboard.rows import Cell
from osteon.leaderboard.trainings import FINDING
from osteon.scoring.comparison.words import named

BEST = "best"


@dataclass(frozen=True)
class Entry:
    """What stands in a table's cell: its text, and the number that it is sorted by (None: by its text)."""

    text: str
    number: float | None = None


@dataclass(frozen=True)
class Column:
    """A column: its heading, and where it is shown.

    `part` is "name", "score" (beside it, everywhere), "group" (a table of its own on a terminal) or "fact" (on the page
    only: all rows of a block share it, or it is long).
    """

    heading: str
    part: str


@dataclass(frozen=True)
class Panel:
    """A table with its heading.

    Attributes:
        title: what the rows have in common.
        lead: the facts of the test set; empty for published rows.
        captions: what to know of the figures.
        columns: in their order.
        rows: an entry a column.
        stamped: whether the rows are of phantoms.
        by_group: heading of the table of groups; "" where there is none.
        sizes: how many units each group has, and how many are positive.
    """

    title: str
    captions: list[str]
    columns: list[Column]
    rows: list[list[Entry]]
    stamped: bool = False
    by_group: str = ""
    sizes: str = ""


def text_of(cell: Cell | None, decimals: int = 3) -> str:
    """Return "0.705 (0.012) [0.60, 0.80]": the value, its sd over seeds, its interval; "n/a" where there is none."""
    if cell is None or cell.value is None:
        return "n/a"
    spread = "" if cell.sd is None else f" ({cell.sd:.{decimals}f})"
    bound = 2 if decimals == 3 else decimals
    bounds = "" if cell.lo is None or cell.hi is None else f" [{cell.lo:.{bound}f}, {cell.hi:.{bound}f}]"
    return f"{cell.value:.{decimals}f}{spread}{bounds}"


def by_group(metric: str, groups: Sequence[str]) -> str:
    """Return the heading of a table of groups, such as "kappa by body part"; "" where there are none."""
    if not groups:
        return ""
    return f"{named(of_a_group(metric, groups))} by {groups[0].partition('=')[0].replace('_', ' ')}"


def of_a_group(metric: str, groups: Sequence[str]) -> str:
    """Return the metric that a group is scored by: a finding's own, where the one that ranks is their mean."""
    return metric.removeprefix("macro_") if groups and groups[0].startswith(f"{FINDING}=") else metric
