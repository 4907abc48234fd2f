"""Who stays together, which split they go to, and whether every split holds what the scores will need."""

from collections.abc import Collection
from pathlib import Path

import numpy as np
import pandas as pd

from osteon.config import Config, Task
from osteon.errors import OsteonError
from osteon.images import Cache, clusters
from osteon.manifest import SplitRule, assign, from_file, group, join_copies, validate
from osteon.manifest.boxes import array_of, looked
from osteon.module import check_units
from osteon.run.external import hold_out, learn_from

TENTHS = 10


def divide(
    manifest: pd.DataFrame, config: Config, cache: Cache, left_out: Collection[str] = ()
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the manifest with `group_id` and `split`, and what is worth a note.

    Patients stay together, and so do copies of one image whatever their ids say: byte-identical files always,
    near-duplicates where a patient or an exam is unknown.

    Args:
        manifest: rows with their `slot` in the cache; two rows of one slot are copies.
        config: the run's settings.
        cache: perceptual hashes by slot.
        left_out: images of the datasets that the run does not use; a split file may name them.
    """
    parts = [grouped(rows, cache) for _, rows in manifest.groupby("dataset", sort=False)]
    frame = join_copies(pd.concat(parts).sort_index(), manifest["slot"].to_numpy())
    data = config.data
    told, more = tuple[str, ...](), tuple[str, ...]()
    if data.split_file is not None:
        frame = from_file(frame, Path(data.split_file), left_out)
    else:
        if data.test_on.wanted:
            frame, told = hold_out(frame, data.test_on)
        frame = _assigned(frame, config)
    if data.train_on.wanted:
        frame, more = learn_from(frame, data.train_on)
    frame = frame.reset_index(drop=True)
    return validate(frame, {}), (*told, *more, *_copies_across(frame))


def _assigned(frame: pd.DataFrame, config: Config) -> pd.DataFrame:
    """Fill `split`, one dataset after the other; where the test set is chosen, none other is cut."""
    data = config.data
    test = 0.0 if data.test_on.wanted else data.test_fraction
    rule = SplitRule(data.split_seed, data.val_fraction, test, data.fold, data.folds)
    split = []
    for name, rows in frame.groupby("dataset", sort=False):
        task = next(task for task in config.tasks.values() if name in task.dataset_names)
        split.append(assign(rows, rule, strata=strata(rows[list(task.targets)], task.head.kind)))
    return _followed(pd.concat(split).sort_index(), frame["split"].notna())


def _followed(frame: pd.DataFrame, official: pd.Series) -> pd.DataFrame:
    """Let a group that two datasets share lie in one split: in that of an official split, else of the first of them."""
    decided = frame["split"].where(official.loc[frame.index])
    by_group = decided.groupby(frame["group_id"]).transform("first")
    return frame.assign(split=by_group.fillna(frame.groupby("group_id")["split"].transform("first")))


def strata(labels: pd.DataFrame, kind: str) -> pd.Series:
    """Return what every part of a split should hold alike, one value a row, NaN where nobody looked.

    Args:
        labels: the target columns of one task.
        kind: of its head. Classes are kept as they are; numbers are cut into tenths, as the order of the numbers
            themselves would leave nothing for the seed to decide; of several labels a row counts for its rarest
            positive one, 0 where it has none; of boxes for the rarest class among them, -1 where it has none.
    """
    first = labels.iloc[:, 0]
    if kind == "detection":
        return _rarest_boxes(first)
    if kind == "regression":
        return pd.qcut(first.rank(method="first"), TENTHS, labels=False) if first.nunique() > TENTHS else first
    if kind != "multilabel":
        return first
    rarity = labels.sum().rank(method="first", ascending=False)
    rarest = (labels.fillna(0.0) * rarity).max(axis=1)
    return rarest.where(labels.notna().any(axis=1))


def _rarest_boxes(cells: pd.Series) -> pd.Series:
    """Return the class, of those that an image has boxes of, which the fewest images have; -1 where it has none."""
    held = [set(array_of(cell)[:, 4]) if said else None for cell, said in zip(cells, looked(cells), strict=True)]
    counts = pd.Series([one for classes in held if classes for one in classes], dtype=float).value_counts()
    rarest = [np.nan if one is None else min(one, key=lambda name: (counts[name], name), default=-1.0) for one in held]
    return pd.Series(rarest, index=cells.index, dtype=float)


def grouped(rows: pd.DataFrame, cache: Cache) -> pd.DataFrame:
    """Return rows of one dataset with `group_id`; near-duplicates are joined where patient and exam are unknown."""
    unknown = (rows["patient_id"].isna() & rows["study_id"].isna()).to_numpy()
    if not unknown.any():
        return group(rows)
    near = clusters(cache.hashes()[rows["slot"]])
    touched = pd.Series(unknown).groupby(near).transform("any").to_numpy()
    return join_copies(group(rows, near), np.where(touched, near, -1))


def _copies_across(frame: pd.DataFrame) -> tuple[str, ...]:
    """Tell of identical images that their owners put into two official splits; those splits are kept."""
    crossing = frame.groupby("slot")["split"].transform("nunique") > 1
    if not crossing.any():
        return ()
    first = ", ".join(frame.loc[crossing, "image_id"].head(3))
    return (f"{int(crossing.sum()):,} images are identical to one of another official split (first: {first})",)


def check_labels(
    config: Config, manifest: pd.DataFrame, targets: dict[str, np.ndarray], members: dict[str, np.ndarray]
) -> None:
    """Check that units can be told apart, and that train and val hold what is needed and test anything at all.

    A binary, multiclass or ordinal task needs two outcomes in train and val; a multilabel one both of every label in
    train and of some label in val; a regression two different numbers in train and one in val; boxes one in each.

    Raises:
        OsteonError: names the task, the split, what it holds and the way out.
    """
    for name, task in config.tasks.items():
        check_units(manifest[members[name]], task.unit, f"tasks.{name}.unit")
        for split in ("train", "val", "test"):
            rows = (manifest["split"] == split).to_numpy() & members[name]
            fault = _faults(targets[name][rows], task, split)
            if fault:
                groups = manifest.loc[members[name], "group_id"].nunique()
                raise OsteonError(
                    f"tasks.{name}: {fault}. The dataset has {groups:,} groups (patients) to divide. Label or add "
                    f"data, or change {_ways_out(config, split)}data.split_seed."
                )


def _ways_out(config: Config, split: str) -> str:
    """Return the settings that say what a split holds, each followed by `or`."""
    data = config.data
    if split == "test":
        return "data.test_on or " if data.test_on.wanted else "data.test_fraction or "
    chosen = {"data.test_on": data.test_on.wanted, "data.train_on": data.train_on.wanted, "data.val_fraction": True}
    return "".join(f"{key} or " for key, said in chosen.items() if said)


def _faults(values: np.ndarray, task: Task, split: str) -> str:
    """Say what a split lacks; an unlabelled test is predicted and never scored, so it needs images only."""
    if len(values) == 0:
        return f"no image in {split}"
    if split == "test":
        return ""
    if values.ndim == 3:
        return _no_boxes(values, split)
    columns = values[:, None] if values.ndim == 1 else values
    found = [_lack(column, name, task.head.kind, split) for column, name in zip(columns.T, task.targets, strict=True)]
    lacking = [fault for fault in found if fault]
    enough = len(lacking) < len(found) if split == "val" else not lacking
    return "" if enough else lacking[0]


def _no_boxes(values: np.ndarray, split: str) -> str:
    """Say where a split of (n, M, 5) boxes has none: nothing can be learned there, or no threshold found."""
    known = ~np.isnan(values).all(axis=(1, 2))
    if (values[known][..., 4] >= 0).any():
        return ""
    return f"no box on the {int(known.sum()):,} images of {split} that somebody looked at ({len(values):,} in all)"


def _lack(values: np.ndarray, target: str, kind: str, split: str) -> str:
    labelled = values[~np.isnan(values)]
    if len(labelled) == 0:
        return f"no labelled image in {split} ({len(values):,} without {target!r})"
    if len(np.unique(labelled)) > 1 or (kind == "regression" and split == "val"):
        return ""
    need = "train" if split == "train" else "choose a threshold"
    outcomes = "different values" if kind == "regression" else "both outcomes"
    all_of = f"all {len(labelled):,} labelled images in {split} have {target}={labelled[0]:g}"
    return f"{all_of}; {outcomes} are needed to {need}"
