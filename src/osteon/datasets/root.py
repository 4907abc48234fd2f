"""Where a dataset lies: the folder given, or one of its known names at most two levels below."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from osteon.errors import OsteonError
from osteon.manifest.target import Card

LEVELS = 2
GLOB = frozenset("*?[")  # a landmark with one of these is a pattern
_SHOWN = 8


@dataclass(frozen=True)
class LocatedCard(Card):
    """A card that also knows its root by what lies in it.

    Attributes:
        landmarks: files or folders, relative to the root, or patterns of them; a root holds at least one.
        deeper: patterns of what may lie further down instead: `data.root` itself is the root where nothing else fits.
    """

    landmarks: tuple[str, ...] = ()
    deeper: tuple[str, ...] = ()


def find_root(data_root: Path | None, card: Card, roots: Mapping[str, str], private: bool = False) -> Path:
    """Return the folder of a dataset.

    `roots[card.name]` names it directly. Else `data_root` itself is taken, whatever its name, if it holds a landmark;
    else the dataset is looked for by its names and landmarks up to two levels below, the nearest first.

    Args:
        data_root: a dataset's folder, or one above it.
        card: what the dataset says of itself.
        roots: dataset -> its folder, where given by name.
        private: whether some set of the run is private, so that errors show no folder; a private card says so itself.

    Raises:
        OsteonError: a folder is missing, empty or a file, no folder fits, or several fit equally; lists what was
            looked for and where.
    """
    key = f"data.roots.{card.name}"
    given = roots.get(card.name)
    hidden = private or card.private
    if given:
        return _usable(Path(given).expanduser(), key, hidden)
    if data_root is None:
        raise OsteonError(f"data.root: not given. Name the folder of {card.name!r}: data.root=/path or {key}=/path")
    start = _usable(data_root, "data.root", hidden)
    if _holds(start, card):
        return start  # what was named and is a dataset is meant, not a copy of it further down
    return _found_below(start, card, key, hidden)


def _found_below(start: Path, card: Card, key: str, hidden: bool) -> Path:
    levels = list(_levels(start))
    named = [[folder for folder in level if _is_named(folder, card)] for level in levels]
    for fitting in ([folder for folder in level if _holds(folder, card)] for level in named):
        if len(fitting) > 1:
            raise OsteonError(
                f"{_said('data.root', start, hidden)}: {card.name!r} could be any of "
                f"{_listed(fitting, hidden)}. Give one of them as the folder, or {key}=/path"
            )
        if fitting:
            return fitting[0]
    almost = [folder for level in named for folder in level]
    if almost:
        return _usable(almost[-1], "data.root", hidden)  # the deepest; its adapter says what is missing there
    if isinstance(card, LocatedCard) and any(next(start.glob(mark), None) for mark in card.deeper):
        return start
    tables = sorted(path.name for path in start.glob("*.csv"))
    if isinstance(card, LocatedCard) and any(mark.endswith(".csv") for mark in card.landmarks) and tables:
        told = f"{len(tables)} other tables" if hidden else ", ".join(tables[:5])
        raise OsteonError(
            f"{_said('data.root', start, hidden)}: no {' or '.join(card.landmarks)} there, but {told}. If one of "
            f"them is the table of {card.name!r}, say so in the dataset: file: <name>, or dataset.file=<name>"
        )
    raise OsteonError(
        f"{_said('data.root', start, hidden)}: no folder named {' or '.join(card.folders)} there or up to {LEVELS} "
        f"levels below{_landmarks(card)}. Found: {_listed(levels[1], hidden) or 'no folder'}. Give its "
        f"folder itself, or {key}=/path"
    )


def _usable(folder: Path, key: str, hidden: bool) -> Path:
    said = _said(key, folder, hidden)
    if not folder.exists():
        raise OsteonError(f"{said}: there is no such folder. Name the one that holds the data: {key}=/path")
    if not folder.is_dir():
        raise OsteonError(f"{said}: this is a file; give the folder of the dataset.")
    try:
        empty = next(folder.iterdir(), None) is None
    except OSError as fault:
        raise OsteonError(f"{said}: cannot be listed ({fault.strerror}).") from fault
    if empty:
        raise OsteonError(f"{said}: the folder is empty.")
    return folder


def _said(key: str, folder: Path, hidden: bool) -> str:
    """Name a folder by its key; where a set is private its path may name a patient or a clinic."""
    return key if hidden else f"{key}={folder}"


def _levels(start: Path) -> Iterator[list[Path]]:
    level = [start]
    yield level
    for _ in range(LEVELS):
        level = [child for folder in level for child in _children(folder)]
        yield level


def _children(folder: Path) -> list[Path]:
    try:
        return sorted(child for child in folder.iterdir() if child.is_dir() and not child.name.startswith("."))
    except OSError:  # a folder that is closed to us cannot hold our data
        return []


def _is_named(folder: Path, card: Card) -> bool:
    return folder.name.casefold() in {name.casefold() for name in card.folders}


def _holds(folder: Path, card: Card) -> bool:
    marks = card.landmarks if isinstance(card, LocatedCard) else ()
    return any((folder / mark).exists() or (GLOB & set(mark) and any(folder.glob(mark))) for mark in marks)


def _landmarks(card: Card) -> str:
    return f", and {card.folders[0]}'s {' or '.join(card.landmarks)} not in it" if isinstance(card, LocatedCard) else ""


def _listed(folders: list[Path], hidden: bool) -> str:
    if hidden:
        return f"{len(folders)} folders" if folders else ""
    more = f" and {len(folders) - _SHOWN} more" if len(folders) > _SHOWN else ""
    return ", ".join(str(folder) for folder in folders[:_SHOWN]) + more
