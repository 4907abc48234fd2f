"""`osteon data ...`: what concerns data sets."""

from pathlib import Path
from typing import Annotated

import typer

verbs = typer.Typer(no_args_is_help=True)

Dataset = Annotated[str, typer.Argument(help="a file of conf/dataset, as `osteon data list` shows them")]
Root = Annotated[Path, typer.Argument(help="its folder, or one at most two levels above it")]
Words = Annotated[list[str] | None, typer.Argument(help="settings of the dataset, as of a run: dataset.size=224")]
KeyFile = Annotated[
    Path | None, typer.Option(help="the run's data.key_file; else OSTEON_KEY or ~/.config/osteon/identity.key")
]
CacheDir = Annotated[Path | None, typer.Option(help="the run's data.cache_dir; else OSTEON_CACHE or ~/.cache/osteon")]


@verbs.command()
def whois(
    hashes: Annotated[list[str], typer.Argument(help="hashes of private ids or paths, or ids that hold some")],
    key_file: KeyFile = None,
) -> None:
    """Say which patient, study, image, file or folder is behind a hash, as the ledger beside your key knows it."""
    from rich.console import Console

    from osteon.identity.whois import show_names

    show_names(hashes, key_file, Console())


@verbs.command("list")
def list_datasets() -> None:
    """Print the datasets that Osteon reads: terms, citation, counts of the complete release, targets."""
    from rich.console import Console

    from osteon.run.survey.listing import show_datasets

    show_datasets(Console())


@verbs.command()
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


@verbs.command()
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
