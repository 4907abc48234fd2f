"""What a dataset says of itself: targets with their meaning, terms, counts, and the folder it lies in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd


@dataclass(frozen=True)
class Target:
    """A label column.

    Attributes:
        meaning: what a value of 1, or the class, states clinically, in words.
        kind: `binary` (0 or 1) or `multiclass` (index into `classes`). A missing value means nobody looked.
        classes: class names in index order; empty for binary.
    """

    meaning: str
    kind: Literal["binary", "multiclass"] = "binary"
    classes: tuple[str, ...] = ()


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
