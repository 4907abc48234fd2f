"""`osteon sweep ...`: searches that lie on somebody's server."""

from pathlib import Path
from typing import Annotated

import typer

verbs = typer.Typer(no_args_is_help=True)


@verbs.callback()
def _about() -> None:
    """Say what there is; grids, searches and ablations of one's own are `osteon train` with -m, sweep= or ablation=."""


@verbs.command()
def wandb(
    file: Annotated[Path, typer.Argument(help="a W&B sweep file, or the name of one of conf/sweep/wandb")],
    count: Annotated[int | None, typer.Option(min=1, help="runs of this agent; else until the sweep is over")] = None,
    project: Annotated[str, typer.Option(help="on W&B's server")] = "osteon",
    join: Annotated[str | None, typer.Option(help="id of a sweep that exists; else one is made")] = None,
    check: Annotated[bool, typer.Option("--check", help="check the file and stop")] = False,
) -> None:
    """Check a W&B sweep file, make the sweep and run an agent of it: one `train.py` a run, in this process's place."""
    from osteon.launch.wandb_sweep import read, run_agent

    if check:
        read(file)
        print(f"{file}: every key, value and metric is one of ours")
        return
    raise typer.Exit(run_agent(file, count, project, join))
