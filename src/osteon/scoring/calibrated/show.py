"""Calibration on the terminal: scores before and after, operating points, what is gained by not answering."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from osteon.scoring.calibrated.run import Calibrated
from osteon.scoring.calibrated.table import TaskCalibration
from osteon.scoring.cells import cell
from osteon.scoring.comparison.words import named
from osteon.scoring.sheets import Sheet
from osteon.scoring.show import WIDTH, rich_table, said

SHOWN = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5)  # shares of the curve


def show_calibration(found: Calibrated, console: Any = None) -> None:
    """Print the calibration of a run to the terminal (or to a rich console)."""
    from rich.console import Console

    console = console or Console()
    width = min(console.width, WIDTH)

    def line(text: str) -> None:
        console.print(said(text, console.encoding), markup=False, highlight=False, width=width)

    for one in found.tasks.values():
        for sheet in sheets(one):
            apart = sheet.metrics > 4 or width < WIDTH
            console.print(rich_table(sheet, len(sheet.header), apart, console.encoding), width=width)
            console.print()
        line(temperature_words(one))
        line(band_words(one))
        for note in one.notes:
            line(f"note: {note}.")
        console.print()
    for task, why in found.left_out.items():
        line(f"note: task {task} is left out: {why}")


def sheets(one: TaskCalibration) -> Iterator[Sheet]:
    """Yield scores before and after, operating points of a binary task, and bands of rising width."""
    stamp = ("PHANTOM · " if "phantom" in one.source else "") + f"{one.task} · test · per {one.facts.unit} · "
    header = ["score", "as predicted", "calibrated", "difference"]
    rows = [[named(row["metric"]), *(_cells(row))] for _, row in one.scores.iterrows()]
    yield Sheet(f"{stamp}calibration, temperature {one.temperature.value:.3f} fitted on val", "", header, rows, 3)
    if len(one.points):
        yield from _points(one, stamp)
    shown = one.curve[one.curve["asked"].isin(SHOWN)]
    names = list(dict.fromkeys(shown["metric"]))
    rows = []
    for asked, part in shown.groupby("asked", sort=False):
        values = {row["metric"]: row for _, row in part.iterrows()}
        rows.append([f"{asked:.0%} of val", *(cell(values.get(name)) for name in names)])
    yield Sheet(f"{stamp}left inconclusive, bands fitted on val", "", ["inconclusive", *names], rows, len(names))


def _cells(row: Any) -> Iterator[str]:
    for stage in ("before", "after", "difference"):
        yield cell(pd.Series({"value": row[stage], "lo": row[f"{stage}_lo"], "hi": row[f"{stage}_hi"]}), 3)


def _points(one: TaskCalibration, stamp: str) -> Iterator[Sheet]:
    """Yield what every rule's threshold gives on test, then its predictive values at every prevalence."""
    asked = list(dict.fromkeys(one.points["prevalence"].dropna()))
    called: list[list[str]] = []
    predictive: list[list[str]] = []
    for rule, part in one.points.groupby("rule", sort=False):
        found = {(row["metric"], row["prevalence"]): row for _, row in part.fillna({"prevalence": 0.0}).iterrows()}
        at = f"{part['threshold'].iloc[0]:.3g}"
        called.append([str(rule), at, *(cell(found[name, 0.0]) for name in ("sensitivity", "specificity"))])
        predictive.append([str(rule), *(cell(found[name, value]) for value in asked for name in ("ppv", "npv"))])
    title = f"{stamp}operating points fitted on val"
    yield Sheet(title, "", ["rule", "threshold", "sensitivity", "specificity"], called, 2)
    header = ["rule", *(f"{name} at {value:.3g}" for value in asked for name in ("PPV", "NPV"))]
    caption = f"{asked[0]:.3g} is the share of positives in test; others by Bayes' theorem" if len(asked) > 1 else ""
    if asked:
        yield Sheet(f"{title}: predictive values by prevalence", caption, header, predictive, 2 * len(asked))


def temperature_words(one: TaskCalibration) -> str:
    """Say what the temperature did, no more than its interval allows."""
    row = one.scores.iloc[0]
    low, high = row["difference_lo"], row["difference_hi"]
    name = named(row["metric"])
    if pd.isna(row["difference"]) or pd.isna(low):
        return f"{one.task}: the temperature's effect on the {name} has no interval here."
    verdict = "lowers" if high < 0 else "raises" if low > 0 else "is not shown to change"
    found = f"{row['difference']:+.3f} [{low:+.3f}, {high:+.3f}]"
    return f"{one.task}: a temperature of {one.temperature.value:.2f} {verdict} the {name} on test ({found})."


def band_words(one: TaskCalibration) -> str:
    """Say where the inconclusive band lies and what it gives on test."""
    values = {row["metric"]: row for _, row in one.band_rows.iterrows()}
    if not one.band.found:
        return f"{one.task}: no unit of val is left inconclusive ({one.band.asked:.0%} asked for)."
    where = (
        f"from {one.band.low:.3g} to {one.band.high:.3g}"
        if one.facts.head == "binary"
        else f"with no class above {one.band.high:.3g}"
    )
    return (
        f"{one.task}: units {where} are inconclusive ({one.band.found:.0%} of val, {one.band.asked:.0%} asked for); "
        f"on test {cell(values['coverage'])} are answered, {cell(values['accuracy'])} of them rightly."
    )
