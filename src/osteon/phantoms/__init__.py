"""Phantoms: radiograph-like images drawn by code with known truth, in the layouts of real datasets.

They are used where no data root is given, so that every adapter, head and score is always exercised.
"""

from collections.abc import Callable
from pathlib import Path

from osteon.errors import OsteonError, nearest
from osteon.files import aside
from osteon.phantoms import fracatlas, hip, mura
from osteon.phantoms.writing import NOTICE

Writer = Callable[[Path, int, int, int], None]

PHANTOMS: dict[str, Writer] = {"mura": mura.write, "fracatlas": fracatlas.write, "hip": hip.write}
ROOTS = {"mura": "MURA-v1.1", "fracatlas": "FracAtlas", "hip": "hip"}
SMALLEST = 64  # px: below it no finding is seen


def draw(name: str, folder: Path, patients: int, seed: int, size: int = 256) -> Path:
    """Draw a dataset's phantoms below `folder`, unless they are there already.

    Args:
        name: a key of `PHANTOMS`.
        folder: gets the dataset's own folder, `ROOTS[name]`. One folder belongs to one (patients, seed, size).
        patients: how many patients, at least 1.
        seed: the same number gives the same files.
        size: the films' longest side, px, at least 64.

    Returns:
        The dataset's root: what a real download of it would be.

    Raises:
        OsteonError: an unknown name, a count or size out of range, or a folder that cannot be written.
    """
    if name not in PHANTOMS:
        raise OsteonError(f"{name!r} has no phantom; there are {sorted(PHANTOMS)}.{nearest(name, PHANTOMS)}")
    for key, value, least in (("patients", patients, 1), ("size", size, SMALLEST), ("seed", seed, 0)):
        if value < least:
            raise OsteonError(f"Phantoms of {name}: {key}={value}; expected {least} or more.")
    root = folder / ROOTS[name]
    if not (root / NOTICE).is_file():
        _draw(PHANTOMS[name], root, patients, seed, size)
    return root


def _draw(write: Writer, root: Path, patients: int, seed: int, size: int) -> None:
    try:
        with aside(root) as draft:
            draft.mkdir(parents=True)
            write(draft, patients, seed, size)
    except OsteonError:
        if not (root / NOTICE).is_file():  # else another process was done first, with the same films
            raise
