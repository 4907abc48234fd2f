"""What an ablation leaves for people: table, forest plot, and the sentences that may be claimed."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from rich.console import Console
from rich.table import Table

from osteon.config import Ablation
from osteon.figures.forest import forest
from osteon.figures.style import About, save
from osteon.files import write_text
from osteon.scoring.comparison.words import chance, named, p_is, plural, signed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PHANTOM = "PHANTOM: drawn images, not patients; nothing here is a claim about patients."


def write_results(folder: Path, asked: Ablation, metric: str, found: pd.DataFrame, seeds: int) -> None:
    """Write `ablation.csv`, `ablation.md` and `forest.svg` and `.png` to a folder, and print table and claims."""
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / "ablation.csv", found.to_csv(index=False))
    said = claims(asked, metric, found, seeds)
    phantom = found["source"].astype(str).str.contains("phantom").any()
    lines = [f"# {asked.question}", "", *([PHANTOM, ""] if phantom else []), *markdown(found, metric), "", *said]
    write_text(folder / "ablation.md", "\n".join(lines) + "\n")
    save(drawn(asked, metric, found), folder, "forest")
    show(found, metric, folder, seeds)
    for line in said:
        print(line)


def drawn(asked: Ablation, metric: str, found: pd.DataFrame) -> "Figure":
    """Return a forest plot of the differences to the base."""
    first = found.iloc[0]
    rows = found.iloc[1:].rename(columns={"variant": "label", "difference": "value"}).drop(columns="n")
    about = About(named(metric), "test", str(first["unit"]), str(first["source"]))
    axis = f"difference to {asked.base_name} ({first['mean']:.3f})\n95 % interval over patients"
    return forest(rows, about, asked.question, axis=axis, null=0.0, decimals=3)


def cells(row: Any) -> list[str]:
    """Return the cells of a variant: mean (sd), difference with interval, p and Holm's."""
    mean = f"{row.mean:.3f}" + ("" if pd.isna(row.sd) else f" ({row.sd:.3f})")
    if pd.isna(row.difference):
        return [row.variant, mean, "", "", ""]
    bounds = "" if pd.isna(row.lo) else f" [{signed(row.lo, 3)}, {signed(row.hi, 3)}]"
    return [row.variant, mean, f"{signed(row.difference, 3)}{bounds}", chance(row.p), chance(row.p_holm)]


def headings(metric: str) -> list[str]:
    """Return the headings of `cells`."""
    return ["variant", f"{named(metric)} (sd over seeds)", "difference to base [95 %]", "p", "p Holm"]


def markdown(found: pd.DataFrame, metric: str) -> list[str]:
    """Return the table as Markdown lines."""
    rows = [headings(metric), ["---"] + ["---:"] * 4, *(cells(row) for row in found.itertuples())]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]


def show(found: pd.DataFrame, metric: str, folder: Path, seeds: int) -> None:
    """Print the table."""
    table = Table(title=f"{folder}: {plural(seeds, 'seed')} each, {_on(found)}", title_justify="left")
    for place, heading in enumerate(headings(metric)):
        table.add_column(heading, justify="left" if place == 0 else "right", overflow="fold")
    for row in found.itertuples():
        table.add_row(*cells(row))
    Console().print(table)


def claims(asked: Ablation, metric: str, found: pd.DataFrame, seeds: int) -> list[str]:
    """Return what may be claimed: a difference where Holm's p is at most 0.05 and the interval leaves out 0."""
    rows: list[Any] = list(found.iloc[1:].itertuples())
    base, name, count = asked.base_name, named(metric), len(rows)
    words = {"variant": "is better than", "base": "is worse than", "differs": "differs from"}
    said = [
        f"{row.variant!r} {words[row.better]} {base} in {name}: {signed(row.difference, 3)} "
        f"[{signed(row.lo, 3)}, {signed(row.hi, 3)}], p {p_is(row.p_holm)} after Holm over {plural(count, 'variant')}."
        for row in rows
        if row.better
    ]
    silent = [repr(row.variant) for row in rows if not row.better]
    if silent:
        said.append(
            f"No difference in {name} to {base} can be claimed for {', '.join(silent)}. That does not show them equal."
        )
    one = "one trained model a variant" if seeds == 1 else f"the mean of {seeds} trainings a variant"
    said.append(
        f"On {_on(found)}. Intervals cover other patients, not other trainings: they are of {one}"
        + (", so that nothing is said of recipes." if seeds == 1 else "; the spread over seeds stands beside it.")
    )
    if found["source"].astype(str).str.contains("phantom").any():
        said.append(PHANTOM)
    return said


def _on(found: pd.DataFrame) -> str:
    row = found.iloc[-1]
    return f"{plural(int(row['n']), str(row['unit']))} of {plural(int(row['n_clusters']), 'patient')}"
