"""`osteon calibrate`, `audit`, `figures` and `boxes`: a finished run looked at more closely, from its files."""

from pathlib import Path
from typing import Annotated

import typer

Folder = Annotated[Path, typer.Argument(help="the folder of a finished run")]
Task = Annotated[str | None, typer.Option(help="this task only; else all that can be")]
Replicates = Annotated[int, typer.Option(min=100, help="bootstrap replicates behind every interval")]


def calibrate(
    run: Folder,
    prevalence: Annotated[
        list[float] | None,
        typer.Option(help="predictive values where this share has it, such as 0.05; may be repeated"),
    ] = None,
    inconclusive: Annotated[float, typer.Option(help="share of val units that may be left to a person")] = 0.1,
    task: Task = None,
    replicates: Replicates = 1000,
) -> None:
    """Fit temperature, operating points and an inconclusive band on val, and measure them on test.

    Writes calibration.json and figures beside the run. Nothing is fitted on test.
    """
    from rich.console import Console

    from osteon.figures import draw_run
    from osteon.scoring.calibrated import calibrate_run, freeze, frozen
    from osteon.scoring.calibrated.run import CALIBRATION, TEMPERATURES
    from osteon.scoring.calibrated.show import show_calibration
    from osteon.scoring.runs import load

    found = load(run)
    held = frozen(run / TEMPERATURES)
    more = {"prevalences": prevalence or [], "share": inconclusive, "replicates": replicates}
    made = calibrate_run(found.predictions, found.thresholds, held, task=task, **more)  # type: ignore[arg-type]
    made.write(run / CALIBRATION)
    freeze(run / TEMPERATURES, {name: one.temperature for name, one in made.tasks.items()} | held)
    draw_run(run, found.predictions, found.thresholds, made.tasks, only=("reliability", "coverage_accuracy"))
    console = Console()
    show_calibration(made, console)
    console.print(f"written: {run / CALIBRATION}, {run / 'figures'}", markup=False, soft_wrap=True)


def audit(run: Folder, task: Task = None, replicates: Replicates = 1000) -> None:
    """Hold a run to baselines that see no bone (metadata, size, margin of the film), and score it by group."""
    import json

    from rich.console import Console

    from osteon.audit import audit_run, show_audit
    from osteon.files import write_json
    from osteon.scoring.runs import load

    found = load(run)
    made = audit_run(run, found.predictions, found.thresholds, task=task, replicates=replicates)
    if task is None:
        made.write(run)
        result = json.loads((run / "result.json").read_text(encoding="utf-8"))
        write_json(run / "result.json", result | {"audit": made.to_json()})
    show_audit(made, Console())


def figures(run: Folder) -> None:
    """Draw the figures of a finished run again, from its files, into figures/ (SVG and PNG)."""
    from rich.console import Console

    from osteon.audit.run import read_audit
    from osteon.figures import draw_run
    from osteon.scoring.calibrated import calibrate_run, frozen
    from osteon.scoring.calibrated.run import TEMPERATURES
    from osteon.scoring.runs import load

    found = load(run)
    made = calibrate_run(found.predictions, found.thresholds, frozen(run / TEMPERATURES), strict=False)
    files = draw_run(run, found.predictions, found.thresholds, made.tasks, read_audit(run))
    Console().print(f"{len(files)} files in {run / 'figures'}", markup=False, soft_wrap=True)


def boxes(
    run: Folder,
    images: Annotated[list[str], typer.Argument(help="image_id of the films, as in manifest.parquet")],
) -> None:
    """Draw true and predicted boxes into films of your choice; the data must still be where the run found it."""
    from rich.console import Console

    from osteon.run.again import prepared_again
    from osteon.run.drawn import draw_films
    from osteon.scoring.runs import load

    found = load(run)
    config, prepared = prepared_again(found)
    for file in draw_films(found, config, prepared, images):
        Console().print(str(file), markup=False, soft_wrap=True)
