"""Private places in a run's own words: a config and a command line without the folders of private sets."""

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from osteon.errors import OsteonError
from osteon.identity.ledger import ledger_of, look_up
from osteon.identity.names import HASH, Entry, entry_of

HIDDEN = "(hidden)"


@dataclass(frozen=True)
class Places:
    """What must not be written as it was typed; empty where no set is private.

    Attributes:
        keys: key of the config (`data.root`) -> the hash that is written instead of its value.
        texts: a private folder as typed, absolute or resolved -> its hash, wherever else it stands.
    """

    keys: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)


def find_places(
    config: Mapping[str, Any], folders: Sequence[str], files: Mapping[str, str], roots: Sequence[Path], key: bytes
) -> tuple[Places, list[Entry]]:
    """Return the places to hide, with the ledger's entries that map them back.

    Args:
        config: the run's settings as plain containers.
        folders: keys whose values are folders or files of this machine (`data.root`); known absolute to the ledger.
        files: key -> dataset, of values that are paths inside a private set (`tasks.hip.dataset.file`).
        roots: the folders of the private sets, as found.
        key: 32 bytes.
    """
    leaves = dict(_leaves(config))
    known = {name: leaves[name] for name in folders if leaves.get(name)}
    entries = {
        name: entry_of(key, "d", "", os.path.abspath(os.path.expanduser(typed))) for name, typed in known.items()
    }
    entries |= {name: entry_of(key, "f", of, leaves[name]) for name, of in files.items() if leaves.get(name)}
    private = [entry_of(key, "d", "", str(root)) for root in roots]
    texts = {text: name for typed, name in _private(known, entries) for text in _forms(typed)}
    texts |= {text: entry.hash for entry in private for text in _forms(entry.original)}
    places = Places({name: entry.hash for name, entry in entries.items()}, texts)
    for name, value in leaves.items():
        if name not in entries and redact_text(value, places) != value:
            entries[name] = entry_of(key, "d", "", value)
    return Places({name: entry.hash for name, entry in entries.items()}, texts), [*entries.values(), *private]


def _private(known: Mapping[str, str], entries: Mapping[str, Entry]) -> Iterator[tuple[str, str]]:
    """Return what was typed as the place of a set; a cache or a key may lie anywhere."""
    return ((typed, entries[name].hash) for name, typed in known.items() if name.startswith("data.root"))


def redacted(config: Mapping[str, Any], places: Places) -> dict[str, Any]:
    """Return a config (plain containers) with private places as hashes."""
    return _mapped(config, lambda name, value: places.keys.get(name, value))


def redact_words(words: Sequence[str], places: Places) -> list[str]:
    """Return a command line with private places as hashes: by the key that a word sets, and wherever they stand."""
    return [_word(word, places) for word in words]


def redact_text(text: str, places: Places) -> str:
    """Return a text with private folders, and whatever follows them in a path, as hashes."""
    for private in sorted(places.texts, key=len, reverse=True):
        if private in text:
            end = "" if private.endswith("/") else r"(?![\w-])"
            found = re.compile(rf"(?<![\w./-]){re.escape(private)}{end}[^\s'\",;:\]}})]*")
            text = found.sub(places.texts[private], text)
    return text


def restored(config: Mapping[str, Any], key_file: Path) -> dict[str, Any]:
    """Return a config with hashed places as they were, folders absolute, as the ledger beside `key_file` knows them.

    Raises:
        OsteonError: the ledger does not know a hash; names the key to give again.
    """
    hashed = {name: value for name, value in _leaves(config) if HASH.fullmatch(value) and _is_place(name, value)}
    known = look_up(ledger_of(key_file), list(hashed.values())) if hashed else {}
    for name, value in hashed.items():
        if not known[value]:
            raise OsteonError(
                f"{name}: {value} stands there for a private place that {ledger_of(key_file)} does not know. "
                f"Name the key that the run used: data.key_file=/path, or give {name} again."
            )
    return _mapped(config, lambda name, value: known[value][0].original if name in hashed else value)


def _is_place(name: str, value: str) -> bool:
    """Tell a hidden place from a hash that somebody typed, as in `tasks.hip.where.patient_id=p-...`."""
    return value.startswith("d-") or bool(re.search(r"(^|\.)dataset\.(file|images)$", name))


def _word(word: str, places: Places) -> str:
    key, equals, value = word.partition("=")
    if not equals:
        return redact_text(word, places)
    name = key.lstrip("+~")
    for hidden, by in places.keys.items():
        if hidden == name or (name.startswith("dataset.") and hidden.endswith(f".{name}")):
            return f"{key}={by}"
        if hidden.startswith(f"{name}.") and value.lstrip("'\" ").startswith("{"):
            return f"{key}={HIDDEN}"
    said = redact_text(value, places)
    # A path may go on behind a blank.
    return word if said == value else f"{key}={said.split(' ')[0]}"


def _forms(typed: str) -> set[str]:
    """Return how a folder may be written; a single relative name (`data`) only where a path goes on behind it."""
    plain = os.path.expanduser(typed)
    ways = (typed, plain, os.path.abspath(plain), os.path.realpath(plain), os.path.relpath(plain))
    forms = {text.rstrip("/") for text in ways}
    return {form if "/" in form else f"{form}/" for form in forms if form.strip("./~")}


def _leaves(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield every text of nested containers under its dotted key."""
    found: list[tuple[str, str]] = []

    def note(name: str, value: str) -> str:
        found.append((name, value))
        return value

    _mapped(config, note)
    return iter(found)


def _mapped(config: Mapping[str, Any], change: Callable[[str, str], str]) -> dict[str, Any]:
    def of(name: str, value: Any) -> Any:
        if isinstance(value, str):
            return change(name, value)
        if isinstance(value, Mapping):
            return {key: of(f"{name}.{key}" if name else str(key), item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [of(f"{name}.{number}", item) for number, item in enumerate(value)]
        return value

    changed: dict[str, Any] = of("", config)
    return changed
