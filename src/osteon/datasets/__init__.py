"""Layouts of datasets on disk, read into manifest rows. One module a kind; nothing here knows torch."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from osteon.config.specs import DatasetSpec
from osteon.datasets import box_files, folders, fracatlas, grazpedwri, knee_kl, mura, oai, rsna_boneage, table
from osteon.datasets.root import find_root
from osteon.errors import OsteonError, nearest
from osteon.manifest.target import Card, Reading

__all__ = ["ADAPTERS", "Adapter", "card", "check_target", "find_root", "read"]


class Adapter(Protocol):
    """What the module of a dataset kind offers. Each takes the spec of its own kind."""

    def card(self, spec: Any) -> Card:
        """Return what the dataset says of itself; touches no file."""

    def read(self, root: Path, spec: Any) -> Reading:
        """Read the dataset that lies in `root`."""


ADAPTERS: dict[str, Adapter] = {
    "mura": mura,
    "fracatlas": fracatlas,
    "grazpedwri": grazpedwri,
    "rsna_boneage": rsna_boneage,
    "knee_kl": knee_kl,
    "oai": oai,
    "folders": folders,
    "table": table,
    "coco": box_files,
    "voc": box_files,
    "yolo": box_files,
}


def card(spec: DatasetSpec) -> Card:
    """Return what a dataset says of itself: targets and their meaning, terms, counts, names of its folder.

    Raises:
        OsteonError: the spec of a table names a place outside its folder or a column that Osteon uses itself.
    """
    return ADAPTERS[spec.kind].card(spec)


def read(root: Path, spec: DatasetSpec) -> Reading:
    """Read the dataset that lies in `root` into manifest rows; no image is opened.

    Raises:
        OsteonError: the folder is not as the kind expects, or its tables have a fault; names file, column and rows.
    """
    about = card(spec)
    reading = ADAPTERS[spec.kind].read(root, spec)
    if reading.rows.empty:
        where = f"data.roots.{spec.name}" if about.private else str(root)
        first = "".join(f" First: {said}." for said in _reasons(reading.rejected, about.private))
        raise OsteonError(f"{where}: no image of the dataset {spec.name!r} can be used.{first}")
    return replace(reading, notes=(*_size_note(reading, about), *reading.notes))


def check_target(key: str, target: str, of: Card) -> None:
    """Refuse a target that a dataset does not declare.

    Raises:
        OsteonError: names `key`, the nearest right name, and all there are.
    """
    if target not in of.targets:
        has = ", ".join(of.targets) or "none"
        raise OsteonError(
            f"{key}: the dataset {of.name!r} has no target {target!r}.{nearest(target, of.targets)} It has: {has}. "
            f"Ask for that: {key}=<name>; or, in a table of your own, call the target {target!r} and map it to your "
            f"column: columns: {{{target}: <column>}}"
        )


def _size_note(reading: Reading, of: Card) -> tuple[str, ...]:
    expected, found = of.expected.get("images"), len(reading.rows) + len(reading.rejected)
    if expected is None or found == expected:
        return ()
    return (f"{found:,} images are listed, the complete release has {expected:,}",)


def _reasons(rejected: pd.DataFrame, private: bool) -> list[str]:
    return [str(row.reason) if private else f"{row.path}: {row.reason}" for row in rejected.head(1).itertuples()]
