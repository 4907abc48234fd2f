"""`osteon leaderboard` and `osteon export`: many runs in one table; a run as a competition's file."""

from pathlib import Path
from typing import Annotated

import typer

from osteon.cli.scores import tell

export_verbs = typer.Typer(no_args_is_help=True)


def leaderboard(
    runs: Annotated[list[str], typer.Argument(help="run folders, folders of them, files of predictions")],
    task: Annotated[str | None, typer.Option(help="rank this one; needed where the runs have several")] = None,
    metric: Annotated[str | None, typer.Option(help="rank by this one; else what the runs chose epochs by")] = None,
    point: Annotated[str | None, typer.Option(help="protocol or frozen threshold")] = None,
    replicates: Annotated[int, typer.Option(min=100, help="draws behind differences and unstored scores")] = 1000,
    csv: Annotated[Path | None, typer.Option(help="also write the table here")] = None,
    markdown: Annotated[Path | None, typer.Option(help="also write it as Markdown")] = None,
    html: Annotated[Path | None, typer.Option(help="also write it as a page whose columns sort by a click")] = None,
) -> None:
    """Rank the recipes of a task, replicate seeds as one row, beside published figures.

    Only rows on identical test units are ranked together, and only a paired difference makes a row the best. What
    cannot be read is named and left out; the exit status is then 1.
    """
    from rich.console import Console

    from osteon.errors import OsteonError
    from osteon.files import aside, write_text
    from osteon.leaderboard import leaderboard as rank
    from osteon.leaderboard.show import show_board, to_markdown

    board = rank(runs, task, metric=metric, point=point, replicates=replicates)
    show_board(board, Console())
    if csv:
        from osteon.leaderboard.sheet import to_table

        with aside(csv) as draft:
            to_table(board).to_csv(draft, index=False)
    if markdown:
        write_text(markdown, to_markdown(board))
    if html:
        from osteon.leaderboard.page import to_page

        write_text(html, to_page(board))
    tell([OsteonError(fault) for fault in board.faults])


@export_verbs.callback()
def _about() -> None:
    """Write predictions as others want them."""


@export_verbs.command()
def mura(
    run: Annotated[Path, typer.Argument(help="a run folder of MURA")],
    out: Annotated[Path, typer.Option(help="the file to write")] = Path("predictions.csv"),
    task: Annotated[str | None, typer.Option(help="which, where the run has several tasks of MURA")] = None,
) -> None:
    """Write the file of the MURA competition, a line a study with 0 or 1, and print the kappa of that very file."""
    from rich.console import Console

    from osteon.leaderboard.mura import export, show_export

    show_export(export(run, out, task), out, Console())
