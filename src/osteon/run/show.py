"""What a person sees of a run: the splits before training, the scores after it."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from osteon.audit import Audited, show_audit
from osteon.config import Config
from osteon.run.prepare import Prepared
from osteon.scoring.show import show

# What a split's column tells beside how many are labelled.
BESIDE = {"regression": "mean (sd)", "detection": "boxes"}
console = Console(stderr=False, soft_wrap=False)


def show_prepared(config: Config, prepared: Prepared) -> None:
    """Print the splits with their counts, and the proof that no patient is in two."""
    stamp = "drawn PHANTOM images" if prepared.sources.kind == "phantom" else "real data"
    table = Table(title=f"{', '.join(config.tasks)} on {stamp}", title_justify="left")
    table.add_column("split")
    for heading in ("images", "groups", *(_heading(name, task.head.kind) for name, task in config.tasks.items())):
        table.add_column(heading, justify="right")
    for split, groups in prepared.groups.items():
        inside = (prepared.manifest["split"] == split).to_numpy()
        labels = [_labels(prepared.targets[name][inside], task.head.kind) for name, task in config.tasks.items()]
        table.add_row(split, f"{inside.sum():,}", f"{groups:,}", *labels)
    console.print(table)
    console.print(f"split by {prepared.kept_together}: 0 shared between any two splits; seed {config.data.split_seed}")
    for note in prepared.notes:
        console.print(f"note: {note}", style="yellow", markup=False)
    if len(prepared.rejected):
        console.print(f"{len(prepared.rejected):,} image(s) rejected, listed in rejected.csv", style="yellow")


def _heading(name: str, kind: str) -> str:
    return f"{name}: labelled, {BESIDE.get(kind, 'positive')}"


def _labels(values: np.ndarray, kind: str) -> str:
    """Say how many are labelled (of several labels: how many cells), and what the labels are."""
    known = values[~np.isnan(values)]
    if kind == "detection":
        images = int((~np.isnan(values[:, 0, 0])).sum())
        return f"{images:,}, {int((known.reshape(-1, 5)[:, 4] >= 0).sum()):,}"
    if not len(known):
        return "0"
    what = f"{known.mean():.1f} ({known.std():.1f})" if kind == "regression" else f"{(known > 0).mean():.1%}"
    return f"{len(known):,}, {what}"


def show_result(scores: pd.DataFrame, facts: dict[str, Any], folder: Path, audited: Audited | None = None) -> None:
    """Print the score table (of val where test was left out), what the audit warns of, and where the run lies."""
    show(scores[scores["split"] == ("test" if (scores["split"] == "test").any() else "val")], console)
    if audited is not None:
        show_audit(audited, console, groups=False)
    seconds = facts["seconds"]
    console.print(
        f"{facts['backbone']} (weights: {facts['weights']}), {facts['image_size'][0]}x{facts['image_size'][1]} px, "
        f"{facts['training']['epochs']} epochs in {seconds['train']:.0f} s on {facts['training']['device']}"
    )
    if "boxes_lost_an_epoch" in facts["training"]:
        lost, emptied = (facts["training"][f"{name}_an_epoch"] for name in ("boxes_lost", "images_emptied"))
        console.print(f"augmentation, an epoch: {lost:.1f} boxes lost, {emptied:.1f} images left with none")
    console.print(f"run: {folder}", markup=False, soft_wrap=True)
