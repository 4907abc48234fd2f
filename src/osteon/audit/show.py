"""An audit on the terminal: baselines beside the model, results by group, and what to be warned of."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from osteon.audit.run import Audited
from osteon.scoring.cells import cell
from osteon.scoring.comparison.words import named
from osteon.scoring.registry import IN_UNITS
from osteon.scoring.sheets import Sheet
from osteon.scoring.show import WIDTH, rich_table, said

VERDICTS = {
    "shortcut": "comes near the model",
    "weak": "model not shown better",
    "not judged": "not judged",
    "": "clear",
}


def show_audit(found: Audited, console: Any = None, groups: bool = True) -> None:
    """Print an audit to the terminal (or to a rich console); `groups`: results by group too."""
    from rich.console import Console

    console = console or Console()
    width = min(console.width, WIDTH)
    for sheet in sheets(found.table, groups):
        console.print(rich_table(sheet, len(sheet.header), width < WIDTH, console.encoding), width=width)
        console.print()
    for text in found.warnings:
        console.print(
            said(f"warning: {text}", console.encoding), style="yellow", markup=False, highlight=False, width=width
        )
    for text in found.notes:
        console.print(said(f"note: {text}.", console.encoding), markup=False, highlight=False, width=width)
    if not found.warnings and (found.table["kind"] == "baseline").any():
        judged = "no baseline comes near the model, and no group is shown to do worse"
        console.print(said(f"audit: {judged}.", console.encoding), markup=False, highlight=False, width=width)


def sheets(table: pd.DataFrame, groups: bool = True) -> Iterator[Sheet]:
    """Yield a sheet of baselines a task, then one a task of its groups."""
    stamp = "PHANTOM · " if table["source"].str.contains("phantom").any() else ""
    for task, part in table[table["kind"] == "baseline"].groupby("task", sort=False):
        title = f"{stamp}audit · {task} · test · {named(part['metric'].iloc[0])} of what sees no bone"
        header = ["baseline", "score", "model", "model - baseline", "verdict"]
        yield Sheet(title, "", header, [_baseline(row) for _, row in part.iterrows()], 3)
    for task, part in table[table["kind"] == "group"].groupby("task", sort=False) if groups else ():
        names = list(dict.fromkeys(part["metric"]))
        rows = [_group(name, rows, names) for name, rows in part.groupby("name", sort=False)]
        if len(rows) > 1:
            yield Sheet(
                f"{stamp}audit · {task} · test · by group", "", ["group", "n", *map(named, names)], rows, len(names)
            )


def _baseline(row: Any) -> list[str]:
    digits = _digits(row["value"])
    model = "n/a" if pd.isna(row["model"]) else f"{row['model']:.{digits}f}"
    difference = cell(
        pd.Series({"value": row["difference"], "lo": row["difference_lo"], "hi": row["difference_hi"]}), digits
    )
    return [row["name"], cell(row, digits), model, difference, VERDICTS[row["verdict"]]]


def _group(name: Any, rows: pd.DataFrame, names: list[str]) -> list[str]:
    found = {row["metric"]: row for _, row in rows.iterrows()}
    mark = " (worse)" if (rows["verdict"] == "worse").any() else ""
    whole = {one: row["value"] for one, row in found.items() if one in IN_UNITS}
    cells = [cell(found.get(one), _digits(whole[one]) if one in whole else None) for one in names]
    return [f"{name}{mark}", str(rows["n"].iloc[0]), *cells]


def _digits(value: Any) -> int:
    """Return one decimal of months, two of grades and shares."""
    return 1 if pd.notna(value) and abs(value) >= 10 else 2
