"""`osteon score` and `osteon compare`: predictions to tables."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer


def score(
    runs: Annotated[
        list[str], typer.Argument(help="run folders, folders of them, or files of predictions (CSV, parquet)")
    ],
    replicates: Annotated[int, typer.Option(min=100, help="bootstrap replicates behind every interval")] = 1000,
    csv: Annotated[Path | None, typer.Option(help="also write the tidy table here")] = None,
) -> None:
    """Recompute the scores of runs from their prediction files; the folds of one task are joined.

    Takes what `osteon compare` takes. What cannot be scored is named and left out; the exit status is then 1.
    """
    from rich.console import Console

    from osteon.files import aside
    from osteon.scoring.folds import score_each
    from osteon.scoring.foreign import open_all
    from osteon.scoring.show import show

    opened, faults = open_all(runs)
    if not opened:
        raise faults[0]
    table, lost = score_each(opened, replicates=replicates)
    show(table, Console())
    if csv:
        with aside(csv) as draft:
            table.to_csv(draft, index=False)
    tell([*faults, *lost])


def compare(
    a: Annotated[str, typer.Argument(help="a run folder, a folder of seeds or folds, a pattern in quotes, or a file")],
    b: Annotated[str, typer.Argument(help="the other one; differences are B minus A")],
    metric: Annotated[list[str] | None, typer.Option(help="compare this one only; may be repeated")] = None,
    split: Annotated[str, typer.Option(help="test or val")] = "test",
    replicates: Annotated[int, typer.Option(min=100, help="bootstrap replicates behind every interval and p")] = 1000,
    csv: Annotated[Path | None, typer.Option(help="also write the tidy table here")] = None,
) -> None:
    """Compare two runs, or two recipes of several trainings each, on the same test units; say what may be claimed.

    Several runs a side are seeds of one recipe (their mean is compared) or the folds of a cross-validation (joined).
    Predictions of other frameworks are compared too: a folder with predictions/test.parquet or .csv, or one file.
    """
    from rich.console import Console

    from osteon.files import aside
    from osteon.scoring.comparison import compare as judge
    from osteon.scoring.comparison import side
    from osteon.scoring.comparison.show import show_comparison

    asked = tuple(metric or ())
    found = judge(side("A", a), side("B", b), metrics=asked, split=split, replicates=replicates)
    show_comparison(found, bool(asked), Console())
    if csv:
        with aside(csv) as draft:
            found.table.to_csv(draft, index=False)


def tell(faults: Sequence[Exception]) -> None:
    """Print what was left out, and end with status 1 where anything was."""
    for fault in faults:
        print(f"osteon: left out: {fault}", file=sys.stderr)
    if faults:
        raise typer.Exit(1)
