"""Private sets leave their reader as keyed hashes: rows, rejected rows, and the places that a config names."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from osteon.config import BoxFilesSpec, Config, TableSpec
from osteon.identity import PHANTOM_KEY, Entry, Places, find_places, hide, ledger_of, load_key, record
from osteon.manifest import Card, Reading

Files = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Hidden:
    """What a run knows of its private sets beside their rows.

    Attributes:
        files: private dataset -> hash of a path -> the path, relative to the set's root; never written.
        places: folders and files of the config that must not be written as typed.
    """

    files: Files = field(default_factory=dict)
    places: Places = field(default_factory=Places)


def hide_private(
    readings: Mapping[str, Reading], cards: Mapping[str, Card], roots: Mapping[str, Path], config: Config, drawn: bool
) -> tuple[dict[str, Reading], Hidden]:
    """Return readings with the ids and paths of private sets as hashes, which the ledger beside the key maps back.

    Args:
        readings: dataset -> what its adapter found.
        cards: dataset -> what it says of itself.
        roots: dataset -> its folder.
        config: the run's settings.
        drawn: whether these are phantoms drawn for this run: they get a key that is no secret, and no ledger. Phantoms
            in a folder that the user named get his key, as real images may have been put there.

    Raises:
        OsteonError: the key cannot be read or made, or two ids share a hash.
    """
    private = [name for name in readings if cards[name].private]
    if not private:
        return dict(readings), Hidden()
    key_file = Path(config.data.key_file).expanduser()
    key = PHANTOM_KEY if drawn else load_key(key_file)
    done, files, entries = dict(readings), {}, []
    for name in private:
        reading = readings[name]
        (rows, rejected), named = hide([reading.rows, reading.rejected], name, key)
        done[name] = replace(reading, rows=rows, rejected=rejected)
        files[name] = {entry.hash: entry.original for entry in named if entry.kind == "f"}
        entries += named
    if drawn:
        return done, Hidden(files)
    places, more = _places(config, {name: roots[name] for name in private}, key)
    record(ledger_of(key_file), [*entries, *more])
    return done, Hidden(files, places)


def _typed(spec: TableSpec | BoxFilesSpec) -> list[str]:
    """Return the settings that name a place inside the set, where the user has typed one."""
    fields = type(spec).model_fields
    names = sorted({"file", "images", "annotations", "table"} & {*fields})
    return [name for name in names if getattr(spec, name) != fields[name].default]


def _places(config: Config, roots: Mapping[str, Path], key: bytes) -> tuple[Places, list[Entry]]:
    folders = ["data.root", *(f"data.roots.{name}" for name in roots), "data.cache_dir", "data.key_file"]
    files = dict[str, str]()
    for task, settings in config.tasks.items():
        said = {"dataset": settings.dataset} | {f"also.{name}": spec for name, spec in settings.also.items()}
        for place, spec in said.items():
            if isinstance(spec, (TableSpec, BoxFilesSpec)) and spec.private:
                files |= {f"tasks.{task}.{place}.{name}": spec.name for name in _typed(spec)}
    return find_places(config.model_dump(mode="json"), folders, files, list(roots.values()), key)
