"""Settings that change no number; each list of what may differ between runs is made of these."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

# Where files lie.
PLACES = ("data.root", "data.roots", "data.cache_dir", "data.key_file")
# How many processes share a batch.
PROCESSES = ("trainer.devices", "trainer.nodes")
# Who reads the files, and how progress is shown.
WATCHING = ("data.workers", "logger", "callbacks.progress_bar")
# What may differ between two folds of one cross-validation, or two replicates of one recipe.
REPLICATED = (*PLACES, *PROCESSES, *WATCHING, "seed", "data.fold", "bootstrap", "test", "resume")


def under(name: str, keys: Sequence[str]) -> bool:
    """Tell whether a dotted name is one of `keys` or lies below one."""
    return any(name == key or name.startswith(f"{key}.") for key in keys)


def changed(was: Mapping[str, Any], now: Mapping[str, Any], free: Sequence[str]) -> list[str]:
    """Return the dotted names that two flat configs say otherwise, or only one of them says, but for `free` ones."""
    return [key for key in {**now, **was} if was.get(key) != now.get(key) and not under(key, free)]


def nested(keys: Sequence[str]) -> dict[str, Any]:
    """Return dotted names as pydantic wants what a dump is to leave out: {"data": {"fold": True}}."""
    found: dict[str, Any] = {}
    for key in keys:
        *path, last = key.split(".")
        place = found
        for part in path:
            place = place.setdefault(part, {})
        place[last] = True
    return found


def flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (dotted name, value) of every leaf of nested mappings; an empty mapping is a leaf."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from flat(inner, f"{path}.{key}" if path else str(key))
    else:
        yield path, value
