"""`osteon data split`: the split that a run would make, as files that others can use."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.table import Table

from osteon import datasets
from osteon.errors import OsteonError
from osteon.files import aside
from osteon.images import Cache
from osteon.manifest import SplitRule, assign, join_copies, kept_together_by, prove_disjoint, validate
from osteon.run.divide import grouped, strata
from osteon.run.survey.chosen import Chosen
from osteon.run.survey.counts import labels

COLUMNS = ["image_id", "group_id", "split"]


@dataclass(frozen=True)
class Wanted:
    """How to divide: the settings `data.split_seed`, `data.val_fraction`, `data.test_fraction`, `data.folds`."""

    seed: int
    val: float
    test: float
    folds: int | None
    target: str


def wanted(chosen: Chosen, seed: int, val: float, test: float, folds: int | None, target: str | None) -> Wanted:
    """Return the settings, checked; without a target the dataset's first one is taken.

    Raises:
        OsteonError: shares that leave nothing to train on, or a target that the dataset does not have.
    """
    if not (0 < val < 1 and 0 < test < 1 and val + test < 1):
        raise OsteonError(f"--val={val:g} --test={test:g}: each must be above 0, and both together below 1.")
    target = target or next(iter(chosen.card.targets), "")
    datasets.check_target("--target", target, chosen.card)
    return Wanted(seed, val, test, folds, target)


def divided(chosen: Chosen, cache: Cache, wanted: Wanted) -> list[pd.DataFrame]:
    """Return the manifest with `group_id` and `split`, once, or once a fold; as a run of one task divides it.

    Raises:
        OsteonError: no image can be read, folds of a dataset with an official test, too few groups, or a patient in two
            official splits.
    """
    kept = cache.slots >= 0
    if not kept.any():
        raise OsteonError(f"{chosen.card.name}: none of {len(kept):,} images can be read; osteon data check says why.")
    rows = chosen.reading.rows.assign(slot=cache.slots)[kept].reset_index(drop=True)
    rows = join_copies(grouped(validate(rows, chosen.card.targets), cache), rows["slot"].to_numpy())
    levels = strata(rows[[wanted.target]], chosen.card.targets[wanted.target].kind)
    numbers: list[int | None] = [None] if wanted.folds is None else [*range(wanted.folds)]
    rules = [SplitRule(wanted.seed, wanted.val, wanted.test, fold, wanted.folds) for fold in numbers]
    return [assign(rows, rule, strata=levels) for rule in rules]


def write_splits(parts: list[pd.DataFrame], out: Path) -> list[Path]:
    """Write each split; several are numbered: `split.csv` becomes `split-fold0.csv` and so on."""
    files = [out.with_stem(f"{out.stem}-fold{number}") for number in range(len(parts))] if len(parts) > 1 else [out]
    for file, frame in zip(files, parts, strict=True):
        with aside(file) as draft:
            frame[COLUMNS].sort_values("image_id").to_csv(draft, index=False, lineterminator="\n")
    return files


def _useless(frame: pd.DataFrame, target: str) -> list[str]:
    """Return why nothing could be trained, or chosen, or scored on a split."""
    absent = [name for name in ("train", "val", "test") if not (frame["split"] == name).any()]
    learned = {name: frame.loc[frame["split"] == name, target] for name in ("train", "val") if name not in absent}
    bare = [name for name, values in learned.items() if values.isna().all()]
    found = [f"no image is in {', '.join(absent)}; there are too few patients, or one holds all"] if absent else []
    return found + ([f"no image of {', '.join(bare)} is labelled with {target}"] if bare else [])


def show_split(chosen: Chosen, frame: pd.DataFrame, file: Path, wanted: Wanted, console: Console) -> None:
    """Print what each part of a split holds, after proving that no group is in two."""
    groups = prove_disjoint(frame)
    table = Table(title=str(file), title_justify="left")
    for name in ("split", "images", "groups", wanted.target):
        table.add_column(name, justify="right" if name in ("images", "groups") else "left")
    for name, count in groups.items():
        part = frame[frame["split"] == name]
        told = labels(part, wanted.target, chosen.card.targets[wanted.target])
        table.add_row(name, f"{len(part):,}", f"{count:,}", told)
    console.print(table)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    told = f"split by {kept_together_by(frame)}: 0 shared between any two; seed {wanted.seed}; sha256 {digest}"
    console.print(told, soft_wrap=True, highlight=False)
    for fault in _useless(frame, wanted.target):
        console.print(f"warning: {fault}", soft_wrap=True, highlight=False)
    lost = len(chosen.reading.rows) + len(chosen.reading.rejected) - len(frame)
    if lost:
        console.print(
            f"{lost:,} image(s) cannot be used and are not listed; osteon data check says why", style="yellow"
        )
