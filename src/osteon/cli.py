"""The `osteon` command. Every verb imports what it needs when it is called."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from osteon.errors import OsteonError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
data = typer.Typer(no_args_is_help=True)
app.add_typer(data, name="data", help="What concerns data sets.")

Dataset = Annotated[str, typer.Argument(help="a file of conf/dataset, as `osteon data list` shows them")]
Root = Annotated[Path, typer.Argument(help="its folder, or one at most two levels above it")]
Words = Annotated[list[str] | None, typer.Argument(help="settings of the dataset, as of a run: dataset.size=224")]
KeyFile = Annotated[
    Path | None, typer.Option(help="the run's data.key_file; else OSTEON_KEY or ~/.config/osteon/identity.key")
]
CacheDir = Annotated[Path | None, typer.Option(help="the run's data.cache_dir; else OSTEON_CACHE or ~/.cache/osteon")]


@app.callback()
def _about() -> None:
    """Osteon: train, measure and compare deep-learning models on musculoskeletal radiographs."""


@app.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
def train(words: Annotated[list[str] | None, typer.Argument(help="overrides, as of train.py")] = None) -> None:
    """Train and measure a model; takes what `python train.py` takes, `osteon train --help` included."""
    # A fresh process under its own name, so that the children of a distributed run start alike.
    os.execv(sys.executable, [sys.executable, "-m", "osteon.train", *(words or [])])


@app.command()
def score(
    runs: Annotated[list[Path], typer.Argument(help="run folders, or folders of run folders")],
    replicates: Annotated[int, typer.Option(min=100, help="bootstrap replicates behind every interval")] = 1000,
    csv: Annotated[Path | None, typer.Option(help="also write the tidy table here")] = None,
) -> None:
    """Recompute the scores of runs from their prediction files; the folds of one task are joined."""
    from rich.console import Console

    from osteon.files import aside
    from osteon.scoring.folds import score_runs
    from osteon.scoring.show import show

    table = score_runs([folder for run in runs for folder in run_folders(run)], replicates=replicates)
    show(table, Console())
    if csv:
        with aside(csv) as draft:
            table.to_csv(draft, index=False)


@app.command()
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


@data.command()
def whois(
    hashes: Annotated[list[str], typer.Argument(help="hashes of private ids or paths, or ids that hold some")],
    key_file: KeyFile = None,
) -> None:
    """Say which patient, study, image, file or folder is behind a hash, as the ledger beside your key knows it."""
    from rich.console import Console

    from osteon.identity.whois import show_names

    show_names(hashes, key_file, Console())


@data.command("list")
def list_datasets() -> None:
    """Print the datasets that Osteon reads: terms, citation, counts of the complete release, targets."""
    from rich.console import Console

    from osteon.run.survey.listing import show_datasets

    show_datasets(Console())


@data.command()
def check(
    dataset: Dataset,
    root: Root,
    words: Words = None,
    subset: Annotated[bool, typer.Option(help="this is not the complete release: do not judge its counts")] = False,
    key_file: KeyFile = None,
    cache_dir: CacheDir = None,
) -> None:
    """Check a dataset: counts, rejected files, labels, leaks between official splits; status 1 where one is wrong."""
    from rich.console import Console

    from osteon.run.survey.check import check as judge
    from osteon.run.survey.check import show_checked
    from osteon.run.survey.chosen import cached, choose

    chosen = choose(dataset, root, words or [], key_file)
    checked = judge(chosen, cached(chosen, cache_dir), subset)
    show_checked(chosen, checked, Console())
    raise typer.Exit(1 if checked.wrong else 0)


@data.command()
def split(
    dataset: Dataset,
    root: Root,
    words: Words = None,
    out: Annotated[Path, typer.Option(help="the file to write; a number is added for every fold")] = Path("split.csv"),
    seed: Annotated[int, typer.Option(min=0, help="data.split_seed")] = 0,
    val: Annotated[float, typer.Option(help="data.val_fraction: share of the patients")] = 0.15,
    test: Annotated[float, typer.Option(help="data.test_fraction")] = 0.2,
    folds: Annotated[int | None, typer.Option(min=2, help="data.folds: one file a fold")] = None,
    target: Annotated[str | None, typer.Option(help="what the parts should share evenly; else the first")] = None,
    key_file: KeyFile = None,
    cache_dir: CacheDir = None,
) -> None:
    """Write the split that a run would make, by patient: image_id, group_id, split; official splits are kept."""
    from rich.console import Console

    from osteon.run.survey.chosen import cached, choose
    from osteon.run.survey.splitting import divided, show_split, wanted, write_splits

    chosen = choose(dataset, root, words or [], key_file)
    asked = wanted(chosen, seed, val, test, folds, target)
    parts = divided(chosen, cached(chosen, cache_dir), asked)
    for file, part in zip(write_splits(parts, out), parts, strict=True):
        show_split(chosen, part, file, asked, Console())


def run_folders(folder: Path) -> list[Path]:
    """Return the finished runs in `folder`, or `folder` itself where it is one (or nothing that we know)."""
    if (folder / "result.json").is_file():
        return [folder]
    return sorted(path.parent for path in folder.glob("*/result.json")) or [folder]


def main() -> None:
    """Run the command; a fault of the input ends in its message and exit status 2, without a traceback."""
    try:
        app()
    except OsteonError as fault:
        print(f"osteon: {fault}", file=sys.stderr)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
