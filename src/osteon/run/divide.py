"""Who stays together, which split they go to, and whether every split holds what the scores will need."""

import numpy as np
import pandas as pd

from osteon.config import Config
from osteon.errors import OsteonError
from osteon.images import Cache, clusters
from osteon.manifest import SplitRule, assign, group, join_copies, validate
from osteon.module import check_units


def divide(manifest: pd.DataFrame, config: Config, cache: Cache) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the manifest with `group_id` and `split`, and what is worth a note.

    Patients stay together, and so do copies of one image whatever their ids say: byte-identical files always,
    near-duplicates where a patient or an exam is unknown.

    Args:
        manifest: rows with their `slot` in the cache; two rows of one slot are copies.
        config: the run's settings.
        cache: perceptual hashes by slot.
    """
    parts = [_grouped(rows, cache) for _, rows in manifest.groupby("dataset", sort=False)]
    frame = join_copies(pd.concat(parts).sort_index(), manifest["slot"].to_numpy())
    data = config.data
    rule = SplitRule(data.split_seed, data.val_fraction, data.test_fraction, data.fold, data.folds)
    split = []
    for name, rows in frame.groupby("dataset", sort=False):
        target = next(task.target for task in config.tasks.values() if task.dataset.name == name)
        split.append(assign(rows, rule, strata=rows[target]))
    frame = pd.concat(split).sort_index()
    # A group that two datasets share follows the first of them.
    frame = frame.assign(split=frame.groupby("group_id")["split"].transform("first"))
    return validate(frame, {}), _copies_across(frame)


def _grouped(rows: pd.DataFrame, cache: Cache) -> pd.DataFrame:
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
    """Check that units can be told apart, and that train and val hold both outcomes and test anything at all.

    Raises:
        OsteonError: names the task, the split, what it holds and the way out.
    """
    for name, task in config.tasks.items():
        check_units(manifest[members[name]], task.unit, f"tasks.{name}.unit")
        for split in ("train", "val", "test"):
            rows = (manifest["split"] == split).to_numpy() & members[name]
            values = targets[name][rows]
            fault = _lack(values[~np.isnan(values)], int(rows.sum()), task.target, split)
            if fault:
                groups = manifest.loc[members[name], "group_id"].nunique()
                share = "data.test_fraction" if split == "test" else "data.val_fraction"
                raise OsteonError(
                    f"tasks.{name}: {fault}. The dataset has {groups:,} groups (patients) to divide. Label or add "
                    f"data, or change {share} or data.split_seed."
                )


def _lack(labelled: np.ndarray, images: int, target: str, split: str) -> str:
    """Say what a split lacks; an unlabelled test is predicted and never scored, so it needs images only."""
    if images == 0:
        return f"no image in {split}"
    if split == "test":
        return ""
    if len(labelled) == 0:
        return f"no labelled image in {split} ({images:,} without {target!r})"
    if len(np.unique(labelled)) > 1:
        return ""
    need = "train" if split == "train" else "choose a threshold"
    all_of = f"all {len(labelled):,} labelled images in {split} have {target}={labelled[0]:g}"
    return f"{all_of}; both outcomes are needed to {need}"
