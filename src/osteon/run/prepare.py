"""From a config to a proven manifest: read, chosen, cached, split, and checked for what the scores will need."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from osteon.config import Config, Task
from osteon.data import Canvas, canvas_of, mirrored
from osteon.errors import OsteonError, nearest
from osteon.identity import HASH
from osteon.images import Cache
from osteon.manifest import asked_of, kept_together_by, prove_disjoint
from osteon.manifest.boxes import padded
from osteon.run.clip_boxes import clip_boxes
from osteon.run.divide import check_labels, divide
from osteon.run.film_facts import add_film_facts
from osteon.run.opening import build_cache
from osteon.run.sources import Sources, read


@dataclass(frozen=True)
class Prepared:
    """Everything a model is trained and measured on.

    Attributes:
        manifest: index 0..N-1; `slot` is the row's place in the pixel store.
        targets: task -> (N,) float64, (N, labels) where a task lists several targets, (N, M, 5) boxes in original
            pixels (see `manifest.boxes.padded`); NaN where nobody looked or the row is not the task's.
        members: task -> (N,) bool, rows that the task asks about.
        groups: split -> number of groups (patients); proven disjoint.
        kept_together: what the groups are, in words.
        rejected: rows left out, with the reason.
        notes: findings of the adapters worth a line.
        canvas: where the images lie in their canvas.
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
    canvas: Canvas


def prepare(config: Config, sources: Sources, size: tuple[int, int]) -> Prepared:
    """Read, filter, cache, split and check.

    Raises:
        OsteonError: any fault of the data, before training.
    """
    sources, reading = read(sources, config)
    rows = _chosen(config, reading.rows)
    cache = build_cache(config, sources, rows, size)
    rejected = pd.concat([reading.rejected, cache.rejected], ignore_index=True)
    _check_rejected(rejected, len(rows) + len(reading.rejected), config.data.max_rejected)
    kept = cache.slots >= 0
    manifest = rows.assign(slot=cache.slots)[kept].reset_index(drop=True)
    manifest, told = add_film_facts(manifest, cache.index)
    manifest, cut, lost = clip_boxes(manifest, cache.index, _box_columns(config))
    left_out = {*reading.rows["image_id"], *rejected["image_id"]} - {*manifest["image_id"]}
    manifest, copies = divide(manifest, config, cache, left_out)
    groups, sources = prove_disjoint(manifest), sources.divided_by(config.data)
    members = {name: asked_of(manifest, task.dataset_names, task.where) for name, task in config.tasks.items()}
    targets = {name: _targets(manifest, members[name], task) for name, task in config.tasks.items()}
    check_labels(config, manifest, targets, members)
    together = kept_together_by(manifest)
    notes = (*reading.notes, *_unknown_patients(manifest, sources.kind), *told, *cut, *lost, *copies)
    notes += _never_seen(config, sources, manifest, targets)
    mirror = mirrored(manifest, config.data.canonical_laterality)
    canvas = canvas_of(manifest["slot"].to_numpy(), cache.index, size, mirror)
    return Prepared(sources, cache, size, manifest, targets, members, groups, together, rejected, notes, canvas)


def _box_columns(config: Config) -> list[str]:
    return [name for task in config.tasks.values() if task.head.kind == "detection" for name in task.targets]


def _unknown_patients(manifest: pd.DataFrame, kind: str) -> tuple[str, ...]:
    """Warn where nobody says whose an image is: a patient may then be in two splits, and count as several."""
    unknown = int(manifest["patient_id"].isna().sum())
    if not unknown or kind == "phantom":
        return ()
    return (
        f"no patient_id for {unknown:,} of {len(manifest):,} images: the same patient may be in train and test, and "
        "intervals may be too short. Give patient_id where it is known",
    )


def _never_seen(
    config: Config, sources: Sources, manifest: pd.DataFrame, targets: dict[str, np.ndarray]
) -> tuple[str, ...]:
    """Warn of classes that train has no image of: a model can hardly call them, and scores of the others hide it."""
    train = (manifest["split"] == "train").to_numpy()
    notes = []
    for name, task in config.tasks.items():
        classes = sources.target(name, task).classes if task.head.kind in ("multiclass", "ordinal") else ()
        lacking = [label for index, label in enumerate(classes) if not (targets[name][train] == index).any()]
        if lacking:
            notes.append(f"{name}: no image in train of {', '.join(lacking)}; the model cannot learn to tell it")
    return tuple(notes)


def _chosen(config: Config, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that some task asks about."""
    for name, task in config.tasks.items():
        _check_columns(name, task, rows)
    asked = [asked_of(rows, task.dataset_names, task.where) for task in config.tasks.values()]
    chosen = rows[np.any(asked, axis=0)].reset_index(drop=True)
    if chosen.empty:
        raise OsteonError(f"tasks.*.where: none of {len(rows):,} images is left. Loosen the filter.")
    return chosen


def _check_columns(name: str, task: Task, rows: pd.DataFrame) -> None:
    for key, columns in (("where", list(task.where)), ("groups", task.groups), ("covariates", task.covariates)):
        for column in columns:
            if column not in rows:
                raise OsteonError(f"tasks.{name}.{key}: no column {column!r}.{nearest(column, rows.columns)}")


def _targets(manifest: pd.DataFrame, member: np.ndarray, task: Task) -> np.ndarray:
    """Return the task's targets, in float64: scores are of the labels themselves."""
    if task.head.kind == "detection":
        return padded([cell if mine else None for cell, mine in zip(manifest[task.target], member, strict=True)])
    values = manifest[task.target].to_numpy(dtype=np.float64, copy=True)
    values[~member] = np.nan
    return values


def _check_rejected(rejected: pd.DataFrame, images: int, allowed: float) -> None:
    """Stop where more images than allowed are unusable; `images` counts the unusable ones too."""
    share = len(rejected) / max(images, 1)
    if share <= allowed and len(rejected) < images:
        return
    first = "; ".join(f"{row.path}: {row.reason}" for row in rejected.head(5).itertuples())
    if rejected["path"].astype(str).str.fullmatch(HASH.pattern).any():
        first += ". `osteon data whois <hash>` names a file"
    more = f", or allow more: data.max_rejected={min(share + 0.001, 1.0):.3f}" if share < 1 else ""
    raise OsteonError(
        f"data.max_rejected: {len(rejected):,} of {images:,} images cannot be used ({share:.1%}), "
        f"allowed are {allowed:.1%}. First: {first}. Mend them{more}."
    )
