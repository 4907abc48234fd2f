"""From a config to a proven manifest: read, chosen, cached, split, and checked for what the scores will need."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from osteon.config import Config, Task
from osteon.errors import OsteonError, nearest
from osteon.images import Cache, build, clusters
from osteon.manifest import SplitRule, assign, group, kept_together_by, prove_disjoint, validate
from osteon.run.sources import Sources, read


@dataclass(frozen=True)
class Prepared:
    """Everything a model is trained and measured on.

    Attributes:
        manifest: index 0..N-1; `slot` is the row's place in the pixel store.
        targets: task -> (N,) float32, NaN where nobody looked or the row is not the task's.
        members: task -> (N,) bool, rows that the task asks about.
        groups: split -> number of groups (patients); proven disjoint.
        kept_together: what the groups are, in words.
        rejected: rows left out, with the reason.
        notes: findings of the adapters worth a line.
    """

    sources: Sources
    cache: Cache
    size: tuple[int, int]
    manifest: pd.DataFrame
    targets: dict[str, np.ndarray]
    members: dict[str, np.ndarray]
    groups: dict[str, int]
    kept_together: str
    rejected: pd.DataFrame
    notes: tuple[str, ...]


def prepare(config: Config, sources: Sources, size: tuple[int, int]) -> Prepared:
    """Read, filter, cache, split and check.

    Raises:
        OsteonError: any fault of the data, before training.
    """
    sources, reading = read(sources, config)
    rows = _chosen(config, reading.rows)
    cache_dir = Path(config.data.cache_dir).expanduser()
    progress = config.callbacks.progress_bar
    cache = build(sources.roots, rows, size, cache_dir, workers=os.cpu_count() or 1, progress=progress)
    rejected = pd.concat([reading.rejected, cache.rejected], ignore_index=True)
    _check_rejected(rejected, len(rows), config.data.max_rejected)
    kept = cache.slots >= 0
    manifest = rows.assign(slot=cache.slots)[kept].reset_index(drop=True)
    manifest = _split(manifest, config, cache)
    groups = prove_disjoint(manifest)
    members = {name: _asked(manifest, task) for name, task in config.tasks.items()}
    targets = {
        name: np.where(members[name], manifest[task.target], np.nan).astype(np.float32)
        for name, task in config.tasks.items()
    }
    _check_labels(config, manifest, targets)
    together = kept_together_by(manifest)
    return Prepared(sources, cache, size, manifest, targets, members, groups, together, rejected, reading.notes)


def _chosen(config: Config, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that some task asks about."""
    for name, task in config.tasks.items():
        _check_columns(name, task, rows)
    chosen = rows[np.any([_asked(rows, task) for task in config.tasks.values()], axis=0)].reset_index(drop=True)
    if chosen.empty:
        raise OsteonError(f"tasks.*.where: none of {len(rows):,} images is left. Loosen the filter.")
    return chosen


def _check_columns(name: str, task: Task, rows: pd.DataFrame) -> None:
    for key, columns in (("where", list(task.where)), ("groups", task.groups)):
        for column in columns:
            if column not in rows:
                raise OsteonError(f"tasks.{name}.{key}: no column {column!r}.{nearest(column, rows.columns)}")


def _asked(rows: pd.DataFrame, task: Task) -> np.ndarray:
    asked = (rows["dataset"] == task.dataset.name).to_numpy(dtype=bool, copy=True)
    for column, wanted in task.where.items():
        asked &= rows[column].isin(wanted if isinstance(wanted, list) else [wanted]).to_numpy(dtype=bool)
    return asked


def _check_rejected(rejected: pd.DataFrame, images: int, allowed: float) -> None:
    if len(rejected) <= allowed * images:
        return
    first = "; ".join(f"{row.path}: {row.reason}" for row in rejected.head(5).itertuples())
    raise OsteonError(
        f"data.max_rejected: {len(rejected):,} of {images:,} images cannot be used ({len(rejected) / images:.1%}), "
        f"allowed are {allowed:.1%}. First: {first}. Mend them, or allow more: "
        f"data.max_rejected={len(rejected) / images + 0.001:.3f}"
    )


def _split(manifest: pd.DataFrame, config: Config, cache: Cache) -> pd.DataFrame:
    data = config.data
    rule = SplitRule(data.split_seed, data.val_fraction, data.test_fraction, data.fold, data.folds)
    parts = []
    for name, rows in manifest.groupby("dataset", sort=False):
        target = next(task.target for task in config.tasks.values() if task.dataset.name == name)
        unknown = rows["patient_id"].isna() & rows["study_id"].isna()
        near = clusters(cache.hashes()[rows["slot"]]) if unknown.any() else None
        parts.append(assign(group(rows, near), rule, strata=rows[target]))
    return validate(pd.concat(parts).sort_index(), {})


def _check_labels(config: Config, manifest: pd.DataFrame, targets: dict[str, np.ndarray]) -> None:
    for name, task in config.tasks.items():
        for split in ("train", "val"):
            values = targets[name][(manifest["split"] == split).to_numpy()]
            values = values[~np.isnan(values)]
            if len(values) == 0:
                raise OsteonError(f"tasks.{name}: no labelled image in {split}. Check {task.target!r}.")
            if len(np.unique(values)) < 2:
                raise OsteonError(
                    f"tasks.{name}: all {len(values):,} labelled images in {split} have {task.target}={values[0]:g}; "
                    f"both outcomes are needed to {'train' if split == 'train' else 'choose a threshold'}. "
                    "Give more data, another seed=, or larger data.val_fraction."
                )
