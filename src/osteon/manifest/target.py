"""What a dataset says of itself: targets with their meaning, terms, counts, and the folder it lies in."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteon.errors import OsteonError

Kind = Literal["binary", "multiclass", "ordinal", "regression", "multilabel", "boxes"]
INDEXED = ("multiclass", "ordinal")  # kinds whose values are indices into the classes


@dataclass(frozen=True)
class Target:
    """A label column, or for `multilabel` several binary ones.

    Attributes:
        meaning: what a value of 1, the class or the number states clinically, in words.
        kind: `binary` (0 or 1), `multiclass` (index into `classes`), `ordinal` (the same, classes in rising order),
            `regression` (a number from `low` to `high`), `multilabel` (a vector of 0 and 1; never a column of its
            own, see `target_of`) or `boxes` (a list of `[x1, y1, x2, y2, index into classes]`, see
            `osteon.manifest.boxes`). A missing value means nobody looked.
        classes: class names in index order; the labels of a multilabel target; empty for binary and regression.
        unit: of a regression target, in words, such as "months".
        low: least value that a regression target can have, in `unit`; None: none is known.
        high: greatest value.
    """

    meaning: str
    kind: Kind = "binary"
    classes: tuple[str, ...] = ()
    unit: str = ""
    low: float | None = None
    high: float | None = None


def target_of(names: str | Sequence[str], targets: Mapping[str, Target], key: str = "target") -> Target:
    """Return the target that a task asks for: the one of a name, or for a list of names their multilabel target.

    Args:
        names: a target column, or several binary ones.
        targets: target column -> Target, as a dataset declares them; it must have the names.
        key: of the config, for messages.

    Raises:
        OsteonError: a target of several that is not binary.
    """
    if isinstance(names, str):
        return targets[names]
    for name in names:
        if targets[name].kind != "binary":
            raise OsteonError(
                f"{key}: {name!r} is of kind {targets[name].kind} ({targets[name].meaning}); of several targets each "
                "must be binary. Leave it out, or ask for it in a task of its own."
            )
    return Target("; ".join(targets[name].meaning for name in names), "multilabel", tuple(names))


@dataclass(frozen=True)
class Card:
    """A dataset's passport.

    Attributes:
        folders: names its folder goes by, looked for at `data.root` and up to two levels below.
        gated: terms forbid passing images on; no image of it is logged anywhere.
        private: its ids and paths leave the reader as keyed hashes only.
        patient_ids: whether patients are known; else near-duplicates are kept together.
        targets: target column -> Target.
        expected: what -> count in the complete release (`images`, `patients`, ...).
        split_names: our split -> the name its owners gave it (`test` -> `public-valid`), in the complete release;
            `Reading.split_names` tells what was found.
    """

    name: str
    title: str
    folders: tuple[str, ...]
    licence: str
    citation: str
    gated: bool
    patient_ids: bool
    targets: Mapping[str, Target]
    private: bool = False
    expected: Mapping[str, int] = field(default_factory=dict)
    split_names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Reading:
    """What an adapter found on disk.

    Attributes:
        rows: manifest rows, one an image (columns of `osteon.manifest.schema`).
        rejected: `image_id`, `path`, `reason` of rows that could not be used.
        notes: findings worth a line at the start of a run (conflicts, missing files).
        split_names: our split -> the name its owners gave the rows that were found (`test` -> `public-valid`); empty
            where no row has an official split. It is this that a run reports; the card tells of a complete release.
    """

    rows: pd.DataFrame
    rejected: pd.DataFrame
    notes: tuple[str, ...] = ()
    split_names: Mapping[str, str] = field(default_factory=dict)


def asked_of(manifest: pd.DataFrame, datasets: Collection[str], where: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Return (N,) bool: the rows that a task asks about, those of its datasets that hold what it wants.

    Args:
        manifest: N rows.
        datasets: their names.
        where: column -> the value, or values, wanted.
    """
    asked = manifest["dataset"].isin(list(datasets)).to_numpy(bool, copy=True)
    for column, wanted in where.items():
        asked &= manifest[column].isin(wanted if isinstance(wanted, list) else [wanted]).to_numpy(bool)
    return np.asarray(asked, bool)
