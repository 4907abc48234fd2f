"""The `osteon` command, a file a family of verbs. Every verb imports what it needs when it is called."""

import os
import sys
from typing import Annotated

import typer

from osteon.cli.data import verbs as data_verbs
from osteon.cli.ensemble import ensemble
from osteon.cli.examining import audit, boxes, calibrate, figures
from osteon.cli.leaderboard import export_verbs, leaderboard
from osteon.cli.scores import compare, score
from osteon.cli.sweep import verbs as sweep_verbs
from osteon.errors import OsteonError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.add_typer(data_verbs, name="data", help="What concerns data sets.")
app.add_typer(export_verbs, name="export", help="Write predictions as others want them.")
app.add_typer(sweep_verbs, name="sweep", help="Sweeps of a server.")


@app.callback()
def _about() -> None:
    """Osteon: train, measure and compare deep-learning models on musculoskeletal radiographs."""


@app.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
def train(words: Annotated[list[str] | None, typer.Argument(help="overrides, as of train.py")] = None) -> None:
    """Train and measure a model; takes what `python train.py` takes, `osteon train --help` included."""
    # A fresh process under its own name, so that the children of a distributed run start alike.
    os.execv(sys.executable, [sys.executable, "-m", "osteon.train", *(words or [])])


for verb in (score, compare, ensemble, leaderboard, calibrate, audit, figures, boxes):
    app.command()(verb)


def main() -> None:
    """Run the command; a fault of the input ends in its message and exit status 2, without a traceback."""
    try:
        app()
    except OsteonError as fault:
        print(f"osteon: {fault}", file=sys.stderr)
        raise SystemExit(2) from None
