"""What `osteon data whois` shows: hashes with what they stand for."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from osteon.errors import OsteonError
from osteon.identity.key import default_key_file
from osteon.identity.ledger import ledger_of, look_up, names_of
from osteon.identity.names import HASH, KINDS


def show_names(words: Sequence[str], key_file: Path | None, console: Console) -> None:
    """Print what every hash in `words` stands for, and the hashes of words that are ids or paths themselves.

    Ids that hold hashes (`patient:p-...`, `p-.../s-...`) will do.

    Raises:
        OsteonError: the ledger cannot be read, or does not know a word (the others are shown).
    """
    ledger = ledger_of((key_file or default_key_file()).expanduser())
    known = look_up(ledger, list(dict.fromkeys(name for word in words for name in HASH.findall(word))))
    known |= names_of(ledger, [word for word in words if not HASH.search(word)])
    table = Table("hash", "what", "dataset")
    table.add_column("original", overflow="fold")
    for entries in known.values():
        for entry in entries:
            table.add_row(entry.hash, KINDS[entry.kind], _plain(entry.dataset), _plain(entry.original))
    if table.row_count:
        console.print(table)
    unknown = [name for name, entries in known.items() if not entries]
    if unknown:
        raise OsteonError(
            f"{', '.join(map(repr, unknown))}: {ledger} does not know this, neither as a hash (one of "
            f"{', '.join(KINDS)}, a dash and 16 hex digits) nor as an id or path. Was the run made with another key, "
            "on another machine, or with this file closed? Name its key: --key-file=/path, or run on the set again."
        )


def _plain(text: str) -> Text:
    """Return a text as it stands: brackets are no markup, and control characters are no commands to the terminal."""
    return Text(text if text.isprintable() else repr(text))
