"""From a dataset's name and folder to its rows, ids and paths of a private one hashed as a run hashes them."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from osteon import datasets
from osteon.compose import composed, conf_dir
from osteon.config import DatasetSpec
from osteon.config.check import check_dataset
from osteon.errors import OsteonError, nearest
from osteon.identity import hide, ledger_of, load_key, record
from osteon.identity.key import default_key_file
from osteon.images import Cache, build
from osteon.manifest import Card, Reading, complete, typed

SIDE = 64  # px of the pictures kept; the hashes are made from the originals, whatever this is


@dataclass(frozen=True)
class Chosen:
    """A dataset as it was found.

    Attributes:
        reading: its rows, completed; hashes where it is private.
        paths: where the image of each row lies, relative to `root`; never to be shown of a private set.
    """

    spec: DatasetSpec
    card: Card
    root: Path
    reading: Reading
    paths: tuple[str, ...]


def names() -> list[str]:
    """Return the datasets that `conf/dataset` describes."""
    return sorted(file.stem for file in (conf_dir() / "dataset").glob("*.yaml"))


def spec_of(name: str, words: Sequence[str] = ()) -> DatasetSpec:
    """Return the settings of `conf/dataset/<name>.yaml`.

    Args:
        name: of the file.
        words: settings to change, as of a run: `dataset.size=224`, or without the prefix.

    Raises:
        OsteonError: no such file, or a setting is unknown or out of its range.
    """
    if name not in names():
        known = names()
        raise OsteonError(f"conf/dataset: no file {name!r}.{nearest(name, known)} There are: {', '.join(known)}")
    typed = [word.removeprefix("dataset.") for word in words]
    return check_dataset(composed(conf_dir() / "dataset", name, typed))


def choose(name: str, root: Path, words: Sequence[str] = (), key_file: Path | None = None) -> Chosen:
    """Read the dataset in `root`, which may also be a folder at most two levels above it.

    Args:
        name: of a file of `conf/dataset`.
        root: the folder.
        words: settings to change.
        key_file: of the hashes of a private set; None: where a run looks for it.

    Raises:
        OsteonError: the dataset is not there, or not as its adapter expects.
    """
    spec = spec_of(name, words)
    card = datasets.card(spec)
    folder = datasets.find_root(root.expanduser().resolve(), card, {})
    reading = datasets.read(folder, spec)
    paths = tuple(reading.rows["path"])
    if card.private:
        key_file = key_file or default_key_file()
        (rows, rejected), entries = hide([reading.rows, reading.rejected], spec.name, load_key(key_file))
        record(ledger_of(key_file), entries)
        reading = Reading(rows, rejected, reading.notes, reading.split_names)
    rows = typed(complete(reading.rows), card.targets)
    reading = Reading(rows, reading.rejected, reading.notes, reading.split_names)
    return Chosen(spec, card, folder, reading, paths)


def cached(chosen: Chosen, cache_dir: Path | None = None, progress: bool = False) -> Cache:
    """Return the images, decoded once; `rejected` names those that cannot be read.

    Args:
        chosen: the dataset.
        cache_dir: where they are kept; None: where a run keeps them.
        progress: whether to show a bar.

    Raises:
        OsteonError: see `osteon.images.build`; no path of a private set is in it.
    """
    rows, workers = chosen.reading.rows, os.cpu_count() or 1
    folder = (cache_dir or Path(os.environ.get("OSTEON_CACHE", "~/.cache/osteon"))).expanduser().absolute()
    opened = rows.assign(path=list(chosen.paths))
    try:
        cache = build({chosen.spec.name: chosen.root}, opened, (SIDE, SIDE), folder, workers, progress)
    except OsteonError as fault:
        text = str(fault)
        for path, shown in zip(chosen.paths, rows["path"], strict=True):
            text = text.replace(str(chosen.root / path), shown) if chosen.card.private else text
        raise OsteonError(text) from None
    rejected = cache.rejected.assign(path=rows["path"].to_numpy()[cache.slots < 0])
    return Cache(cache.folder, cache.slots, cache.index, rejected)
