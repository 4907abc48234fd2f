"""Who is behind a hash: the key, the names that private ids and paths go by, and the ledger that maps them back."""

from osteon.identity.frames import hide
from osteon.identity.key import PHANTOM_KEY, load_key
from osteon.identity.ledger import ledger_of, look_up, record
from osteon.identity.names import HASH, KINDS, Entry, hash_of
from osteon.identity.places import Places, find_places, redact_text, redact_words, redacted, restored

__all__ = [
    "HASH",
    "KINDS",
    "PHANTOM_KEY",
    "Entry",
    "Places",
    "find_places",
    "hash_of",
    "hide",
    "ledger_of",
    "load_key",
    "look_up",
    "record",
    "redact_text",
    "redact_words",
    "redacted",
    "restored",
]
