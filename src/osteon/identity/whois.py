"""What `osteon data whois` shows: hashes with what they stand for."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from osteon.errors import OsteonError
from osteon.identity.key import default_key_file
from osteon.identity.ledger import ledger_of, look_up
from osteon.identity.names import HASH, KINDS


def show_names(words: Sequence[str], key_file: Path | None, console: Console) -> None:
    """Print what every hash in `words` stands for; ids that hold hashes (`patient:p-...`, `p-.../s-...`) will do.

    Raises:
        OsteonError: a word holds no hash, the ledger cannot be read, or it does not know a hash (the others are shown).
    """
    for word in words:
        if not HASH.search(word):
            kinds = ", ".join(f"{letter}- {kind}" for letter, kind in KINDS.items())
            raise OsteonError(f"{word}: found no hash in it, expected a letter and 16 hex digits ({kinds}).")
    ledger = ledger_of((key_file or default_key_file()).expanduser())
    known = look_up(ledger, list(dict.fromkeys(name for word in words for name in HASH.findall(word))))
    table = Table("hash", "what", "dataset")
    table.add_column("original", overflow="fold")
    for name, entries in known.items():
        for entry in entries:
            table.add_row(name, KINDS[entry.kind], _plain(entry.dataset), _plain(entry.original))
    if table.row_count:
        console.print(table)
    unknown = [name for name, entries in known.items() if not entries]
    if unknown:
        raise OsteonError(
            f"{', '.join(unknown)}: {ledger} does not know this. Was the run made with another key, on another "
            "machine, or with this file closed? Name its key: --key-file=/path, or start a run on the set again."
        )


def _plain(text: str) -> Text:
    """Return a text as it stands: brackets are no markup, and control characters are no commands to the terminal."""
    return Text(text if text.isprintable() else repr(text))
