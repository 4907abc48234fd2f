"""Keyed hashes: the names that ids and paths of private sets go by outside their reader."""

import hmac
import re
from typing import NamedTuple

KINDS = {"p": "patient", "s": "study", "i": "image", "f": "file", "d": "folder"}
DIGITS = 16
HASH = re.compile(rf"(?<![\w-])[{''.join(KINDS)}]-[0-9a-f]{{{DIGITS}}}(?![\w-])")


class Entry(NamedTuple):
    """A hash and what it stands for; `dataset` is empty for folders."""

    hash: str
    kind: str
    dataset: str
    original: str


def hash_of(key: bytes, kind: str, dataset: str, original: str) -> str:
    """Return the name of an id or a path: the kind's letter and 64 bits of HMAC-SHA256 (RFC 2104) as hex.

    The message is kind, dataset and original joined by NUL. One key gives one original the same name in every run, so
    that two runs can be paired; without the key neither can a name be guessed from an id nor an id from a name.

    Args:
        key: 32 bytes.
        kind: a letter of `KINDS`.
        dataset: the name of the set that the id belongs to.
        original: the id as the table has it, or a path below the set's root.
    """
    message = "\0".join((KINDS[kind], dataset, original)).encode("utf-8", "surrogatepass")
    return f"{kind}-{hmac.digest(key, message, 'sha256').hex()[:DIGITS]}"


def entry_of(key: bytes, kind: str, dataset: str, original: str) -> Entry:
    """Return the ledger's line of one original."""
    return Entry(hash_of(key, kind, dataset, original), kind, dataset, original)
