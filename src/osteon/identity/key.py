"""The secret that names are made with: a file that the user keeps, made at first need, never overwritten."""

import os
import re
import secrets
import sys
import time
from pathlib import Path

from osteon.errors import OsteonError

# Phantoms have nothing to hide; they go the way of private data all the same, so that this way is always exercised.
PHANTOM_KEY = b"osteon phantoms have no secrets."
_BYTES = 32
_TRIES = 20  # of 0.1 s: the time that another process may take between making its file and filling it
_LOST = "Without it the same patients get other names, the same seed another split, and `osteon data whois` is lost"


def default_key_file() -> Path:
    """Return the key file of a run that names none, as `conf/data/default.yaml` has it."""
    return Path(os.environ.get("OSTEON_KEY") or "~/.config/osteon/identity.key").expanduser()


def load_key(file: Path) -> bytes:
    """Return the 32 bytes of the key file; where there is none, make it (mode 0600) and say so on stderr.

    Patients are shuffled into splits by their names, so that the split of a private set belongs to its key as well.

    Raises:
        OsteonError: the file is no key, or can be neither read nor made; names the file and the ways out.
    """
    if not file.name:
        raise OsteonError("data.key_file: found nothing, expected a file. Name one: data.key_file=/path/identity.key")
    try:
        made = not file.exists() and _made(file)
        if made:
            print(f"identity: made {file}. It names the patients of private data; keep it. {_LOST}.", file=sys.stderr)
        return _read(file)
    except OSError as fault:
        raise OsteonError(
            f"data.key_file={file}: the key that hides private ids cannot be read or made ({fault.strerror or fault}). "
            "Name a file of your own: data.key_file=/path/identity.key, or set OSTEON_KEY."
        ) from fault


def _made(file: Path) -> bool:
    """Make a key unless another process is first; the file is claimed before anything is written into it."""
    if not file.parent.is_dir():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    try:
        os.write(handle, f"{secrets.token_hex(_BYTES)}\n".encode())
        os.fsync(handle)
    except OSError:
        file.unlink()  # a full disk: an empty key would be refused for ever after
        raise
    finally:
        os.close(handle)
    return True


def _read(file: Path) -> bytes:
    for last in range(_TRIES, 0, -1):
        with file.open("rb") as handle:
            text = handle.read(4096)
        if re.fullmatch(rb"\s*[0-9A-Fa-f]{64}\s*", text):
            return bytes.fromhex(text.decode().strip())
        if len(text) >= 2 * _BYTES or last == 1:
            break
        time.sleep(0.1)
    raise OsteonError(
        f"data.key_file={file}: found {len(text):,} bytes that are no key, expected {2 * _BYTES} hex digits. Restore "
        f"your copy of the key, or name another: data.key_file=/path. {_LOST}, so nothing is overwritten."
    )
