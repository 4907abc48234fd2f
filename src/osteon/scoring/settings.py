"""In which settings two runs differ, by their config.yaml: what tells two recipes apart."""

import json
from pathlib import Path
from typing import Any

import yaml

from osteon.config.neutral import REPLICATED, changed, flat, under

MOST = 6


def differing(one: Path, other: Path) -> str:
    """Return ": optimizer.lr is 0.001 and 0.01", the settings in which two run folders differ; "" where none is known.

    What replicates of a recipe may differ in, such as the seed, is no such setting. Runs of two versions of Osteon may
    differ in settings that one of them did not know: that is said, and both versions.
    """
    told = [_settings(folder) for folder in (one, other)]
    if not all(told):
        return ""
    a, b = told
    keys = sorted(changed(a, b, REPLICATED))
    said = [f"{key} is {_said(a, key)} and {_said(b, key)}" for key in keys[:MOST]]
    said += [f"{len(keys) - MOST} more"] if len(keys) > MOST else []
    versions = [_version(folder) for folder in (one, other)]
    if versions[0] != versions[1]:
        said.append(f"written by Osteon {versions[0]} and {versions[1]}")
    return f": {'; '.join(said)}" if said else ""


def drawn_otherwise(one: Path, other: Path) -> str:
    """Return the settings of phantoms in which two runs differ: their images have the same ids and are not the same."""
    a, b = _settings(one), _settings(other)
    keys = sorted(key for key in a if key in b and under(key, ["phantom"]) and a[key] != b[key])
    return ", ".join(f"{key} is {_said(a, key)} and {_said(b, key)}" for key in keys)


def _settings(folder: Path) -> dict[str, Any]:
    try:
        # libyaml's reader, where it is built in: ten times as fast, and a board may hold hundreds of runs.
        found = yaml.load((folder / "config.yaml").read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, ValueError, yaml.YAMLError):
        return {}  # an ensemble, or another framework's
    return dict(flat(found)) if isinstance(found, dict) else {}


def _said(settings: dict[str, Any], key: str) -> str:
    return json.dumps(settings[key], default=str) if key in settings else "not there"


def _version(folder: Path) -> str:
    try:
        told = json.loads((folder / "result.json").read_text(encoding="utf-8"))
        return f"{told['osteon']} ({str(told.get('git_commit') or 'no commit')[:7]})"
    except (OSError, ValueError, KeyError, TypeError):
        return "of unknown version"
