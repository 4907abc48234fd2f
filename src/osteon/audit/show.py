"""An audit on the terminal: baselines beside the model, results by group, and what to be warned of."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from osteon.audit.run import Audited
from osteon.scoring.cells import cell
from osteon.scoring.comparison.words import named
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
    """Yield a sheet of baselines, then one a task of its groups."""
    known = table[table["kind"] == "baseline"]
    stamp = "PHANTOM · " if table["source"].str.contains("phantom").any() else ""
    if len(known):
        header = ["task, baseline", "score", "baseline", "model", "model - baseline", "verdict"]
        rows = [_baseline(row) for _, row in known.iterrows()]
        yield Sheet(f"{stamp}audit · test · what sees no bone", "", header, rows, 3)
    for task, part in table[table["kind"] == "group"].groupby("task", sort=False) if groups else ():
        names = list(dict.fromkeys(part["metric"]))
        rows = [_group(name, rows, names) for name, rows in part.groupby("name", sort=False)]
        if len(rows) > 1:
            yield Sheet(
                f"{stamp}audit · {task} · test · by group", "", ["group", "n", *map(named, names)], rows, len(names)
            )


def _baseline(row: Any) -> list[str]:
    digits = 1 if row["metric"] == "mae" else 2
    model = "n/a" if pd.isna(row["model"]) else f"{row['model']:.{digits}f}"
    difference = cell(
        pd.Series({"value": row["difference"], "lo": row["difference_lo"], "hi": row["difference_hi"]}), digits
    )
    name = f"{row['task']}, {row['name']}"
    return [name, named(row["metric"]), cell(row, digits), model, difference, VERDICTS[row["verdict"]]]


def _group(name: Any, rows: pd.DataFrame, names: list[str]) -> list[str]:
    found = {row["metric"]: row for _, row in rows.iterrows()}
    mark = " (worse)" if (rows["verdict"] == "worse").any() else ""
    cells = [cell(found.get(one), 1 if one in ("mae", "bias") else None) for one in names]
    return [f"{name}{mark}", str(rows["n"].iloc[0]), *cells]
