"""What Osteon says when something is wrong: which file or key, what was found, what was expected, the way out."""

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


class OsteonError(Exception):
    """A fault of the input, not of the program: printed as its message alone, without a traceback.

    Attributes:
        status: what the process ends with.
    """

    status = 2


@contextmanager
def named(place: Path) -> Iterator[None]:
    """Have a fault within name the file or folder that it is of, where it does not."""
    try:
        yield
    except OsteonError as fault:
        if str(place) in str(fault):
            raise
        raise OsteonError(f"{place}: {fault}") from fault


def nearest(word: str, options: Iterable[str], count: int = 3) -> str:
    """Return " Did you mean 'x'?" for the option(s) most like `word`, or an empty string where none is alike."""
    names = [str(option) for option in options]
    found = [name for name in names if name.lower() == word.lower()]
    found = found or difflib.get_close_matches(word, names, n=count, cutoff=0.6)
    return f" Did you mean {' or '.join(repr(name) for name in found)}?" if found else ""
