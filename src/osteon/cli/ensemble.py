"""`osteon ensemble`: several runs as one."""

from pathlib import Path
from typing import Annotated

import typer


def ensemble(
    runs: Annotated[list[str], typer.Argument(help="run folders, folders of them, or patterns in quotes")],
    out: Annotated[Path, typer.Option(help="the run folder to write, such as runs/ensemble; new, or empty")],
    rule: Annotated[
        str, typer.Option(help="mean, weighted (weights fitted on val), vote, or median of the members' answers")
    ] = "mean",
    search: Annotated[bool, typer.Option("--search", help="take the subset of members that is best on val")] = False,
    metric: Annotated[str, typer.Option(help="what subsets are compared by; else what the runs monitored")] = "",
    task: Annotated[list[str] | None, typer.Option(help="this task only; may be repeated")] = None,
    replicates: Annotated[int, typer.Option(min=100, help="bootstrap replicates behind every interval")] = 1000,
) -> None:
    """Make one run of several from their predictions; weights, members and threshold are chosen on val alone.

    Members must have predicted the same images. The folder is a run as any other: score and compare work on it.
    """
    from rich.console import Console

    from osteon.ensemble import Request
    from osteon.ensemble import ensemble as make
    from osteon.ensemble.show import show_ensemble

    show_ensemble(make(runs, out, Request(rule, search, metric, tuple(task or ()), replicates)), Console())
