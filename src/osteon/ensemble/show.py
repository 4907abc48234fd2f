"""An ensemble on the terminal: who takes part, what was chosen on val, and the score table."""

from typing import Any

import numpy as np

from osteon.ensemble.made import Ensemble
from osteon.ensemble.search import Search
from osteon.scoring.comparison.words import named
from osteon.scoring.show import WIDTH, said, show


def show_ensemble(made: Ensemble, console: Any = None) -> None:
    """Print an ensemble to the terminal (or to a rich console)."""
    from rich.console import Console

    console = console or Console()
    width = min(console.width, WIDTH)

    def line(text: str = "") -> None:
        console.print(said(text, console.encoding), markup=False, highlight=False, width=width)

    for task, weights in made.weights.items():
        for text in _members(made, task, weights):
            line(text)
    for task, found in made.searches.items():
        line()
        for text in searched(task, found, [member.name for member in made.members]):
            line(text)
    line()
    for note in made.notes:
        line(f"note: {note}.")
    show(made.scores, console)
    line(f"run: {made.folder}")


def _members(made: Ensemble, task: str, weights: np.ndarray) -> list[str]:
    inside = weights > 0
    lines = [f"{task}: {inside.sum()} of {len(made.members)} members, weights with sum 1"]
    for member, weight in zip(made.members, weights, strict=True):
        own = member.run.said("backbone")
        lines.append(f"  {weight:5.3f}  {member.name}" + (f" ({own})" if own else ""))
    return lines


def searched(task: str, found: Search, names: list[str]) -> list[str]:
    """Return what a search found, in lines: what val chose, what stands beside it, what choosing on test would show."""
    rows = {
        "chosen on val": found.best,
        "all members": len(found.chosen) - 1,
        "best single on val": found.best_single,
    }
    lines = [f"{task}: {len(found.chosen)} subsets of {len(names)} members, by {named(found.metric)} on val"]
    lines.append(f"  {'':18}  {'val':>6} {'test':>6}  members")
    lines += [_line(label, found, place, names) for label, place in rows.items()]
    gain = abs(found.test[found.best_on_test] - found.test[found.best])
    if np.isnan(gain):
        return lines
    told = _line("(chosen on test)", found, found.best_on_test, names)
    return [*lines, told, f"  Chosen on test it would look {gain:.3f} better: optimism, not a result."]


def _line(label: str, found: Search, place: int, names: list[str]) -> str:
    inside = [name for name, chosen in zip(names, found.chosen[place], strict=True) if chosen]
    return f"  {label:18}  {found.val[place]:6.3f} {found.test[place]:6.3f}  {' + '.join(inside)}"
