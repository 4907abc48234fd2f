"""`resume=<run>`: the command line of an interrupted run, put together again from its folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from osteon.config.neutral import PLACES, under
from osteon.errors import OsteonError
from osteon.identity import HASH, restored
from osteon.identity.key import default_key_file

CONFIG, OVERRIDES = "config.yaml", "overrides.txt"
KEY, CONFIG_DIR = "resume=", "--config-dir"


def continued(words: Sequence[str]) -> list[str]:
    """Return the command line of a resumed run: what its folder says, then what is said anew.

    Args:
        words: the command line, one of them `resume=<run folder>`.

    Raises:
        OsteonError: the folder is missing or holds no run that could be gone on with, or the ledger of private places
            does not know what stands there.
    """
    given = [word for word in words if word.startswith(KEY)]
    folder = _run_folder(given[-1].removeprefix(KEY).strip("'\""))
    before = _words(folder)
    new = [word for word in words if word not in given and not word.startswith("hydra.run.dir=")]
    new = [word for word in new if not _again(word, before)]
    names, key_file = [_name(word) for word in new], _key_file(new)
    kept = _said(before, names, key_file) + _places(folder, names, key_file)
    if any(word.startswith(CONFIG_DIR) for word in new):
        kept = [word for word in kept if not word.startswith(CONFIG_DIR)]
    place = quoted(str(folder))
    return [*kept, *new, f"{KEY}{place}", f"hydra.run.dir={place}"]


def way_on(folder: Path) -> str:
    """Return how an interrupted run goes on, with a blank before; empty where no epoch is whole."""
    whole = (folder / "checkpoints" / "last.ckpt").is_file()
    return f" Go on from the last whole epoch: python train.py resume={folder}" if whole else ""


def _words(folder: Path) -> list[str]:
    try:
        return [word for word in (folder / OVERRIDES).read_text(encoding="utf-8").splitlines() if word.strip()]
    except (OSError, UnicodeDecodeError) as fault:
        raise OsteonError(
            f"{folder / OVERRIDES}: cannot be read ({type(fault).__name__}). Start the run anew."
        ) from fault


def _again(word: str, before: Sequence[str]) -> bool:
    """Whether a setting is said as it was: a group (trainer=ddp) would drop what was said of its settings after it."""
    return word in before and not word.startswith("-") and not under(_name(word), PLACES)


def _said(words: Sequence[str], given: Sequence[str], key_file: Path) -> list[str]:
    """Return the overrides that the run began with and nobody gives anew, hashes of private places mapped back."""
    words = [word for word in words if not under(_name(word), (*PLACES, *given))]
    if not any(word.startswith(CONFIG_DIR) for word in given) and any(HASH.search(w) for w in words if w[:2] == "--"):
        raise OsteonError(f"resume: the run's {CONFIG_DIR} lies in a private folder and was not noted. Give it again.")
    typed = {name: text for name, equals, text in (word.partition("=") for word in words) if equals}
    known = restored(typed, key_file)
    found = {name: quoted(text) for name, text in known.items() if text != typed[name]}
    return [f"{name}={found[name]}" if (name := word.partition("=")[0]) in found else word for word in words]


def _name(word: str) -> str:
    return word.lstrip("+~").partition("=")[0]


def _places(folder: Path, given: Sequence[str], key_file: Path) -> list[str]:
    """Return overrides that name the places in a run's config, the hashes of private ones mapped back."""
    try:
        data = dict(saved_config(folder).get("data") or {})
        found = {f"data.{name}": data.get(name) for name in ("root", "cache_dir")}
        found |= {f"data.roots.{name}": text for name, text in dict(data.get("roots") or {}).items()}
    except (TypeError, ValueError) as fault:
        raise OsteonError(f"{folder / CONFIG}: damaged (data). Start the run anew.") from fault
    known = restored({name: str(text) for name, text in found.items() if text and not under(name, given)}, key_file)
    return [f"{'++' if name.startswith('data.roots.') else ''}{name}={quoted(text)}" for name, text in known.items()]


def _key_file(words: Sequence[str]) -> Path:
    """Return the key that hashed the run's places: config.yaml holds only the hash of where it lies."""
    typed = [word.partition("=")[2].strip("'\"") for word in words if word.lstrip("+").startswith("data.key_file=")]
    return Path(typed[-1]).expanduser() if typed else default_key_file()


def _run_folder(text: str) -> Path:
    folder = Path(text).expanduser().resolve()
    if not folder.is_dir():
        raise OsteonError(f"resume: there is no folder {folder}. Name a run's folder: resume=runs/<run>")
    missing = [name for name in (CONFIG, OVERRIDES) if not (folder / name).is_file()]
    if missing:
        raise OsteonError(f"resume: {folder} holds no run that began ({', '.join(missing)} missing). Start it anew.")
    return folder


def quoted(text: str) -> str:
    """Quote a value for Hydra's grammar, in which `=`, `,` and blanks mean something."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def saved_config(folder: Path) -> dict[str, Any]:
    """Return the settings that a run began with, as plain containers; private places are hashes.

    Raises:
        OsteonError: the file is damaged.
    """
    try:
        said = yaml.safe_load((folder / CONFIG).read_text(encoding="utf-8"))
        return {str(key): value for key, value in said.items()}
    except (OSError, UnicodeDecodeError, yaml.YAMLError, AttributeError) as fault:
        raise OsteonError(f"{folder / CONFIG}: cannot be read ({type(fault).__name__}). Start the run anew.") from fault
