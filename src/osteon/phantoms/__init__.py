"""Phantoms: radiograph-like images drawn by code with known truth, in the layouts of real datasets.

They are used where no data root is given, so that every adapter, head and score is always exercised.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from osteon.errors import OsteonError, nearest
from osteon.files import aside
from osteon.phantoms import (
    fracatlas,
    grazpedwri,
    hip,
    knee_kl,
    mura,
    rsna_boneage,
    shoulder,
    shoulder_implant,
    views,
    wrist,
)
from osteon.phantoms.switches import OFF, Switches
from osteon.phantoms.writing import NOTICE

Writer = Callable[[Path, int, int, int], None]
Switched = Callable[[Path, int, int, int, Switches], None]

PHANTOMS: dict[str, Writer] = {
    "mura": mura.write,
    "fracatlas": fracatlas.write,
    "grazpedwri": grazpedwri.write,
    "hip": hip.write,
    "rsna_boneage": rsna_boneage.write,
    "knee_kl": knee_kl.write,
    "shoulder": shoulder.write,
    "shoulder_implant": shoulder_implant.write,
    "wrist": wrist.write,
    "views": views.write,
}
ROOTS = {
    "mura": "MURA-v1.1",
    "fracatlas": "FracAtlas",
    "grazpedwri": "GRAZPEDWRI-DX",
    "hip": "hip",
    "rsna_boneage": "rsna_boneage",
    "knee_kl": "kneeKL224",
    "shoulder": "shoulder",
    "shoulder_implant": "shoulder_implant",
    "wrist": "wrist",
    "views": "views",
}
SWITCHED: dict[str, Switched] = {
    "hip": hip.write,
    "shoulder": shoulder.write,
    "shoulder_implant": shoulder_implant.write,
    "wrist": wrist.write,
    "views": views.write,
}
# Which switches a set has.
SWITCHES: dict[str, tuple[str, ...]] = {
    "hip": ("label_noise", "missing", "shortcut", "hardware"),
    "shoulder": ("label_noise", "missing", "shortcut"),
    "shoulder_implant": ("label_noise", "shortcut"),
    "wrist": ("label_noise", "missing", "shortcut", "hardware", "cast"),
    "views": ("label_noise", "missing", "shortcut", "hardware"),
}
SMALLEST = 64  # px: below it no finding is seen


def draw(name: str, folder: Path, patients: int, seed: int, size: int = 256, switches: Switches = OFF) -> Path:
    """Draw a dataset's phantoms below `folder`, unless they are there already.

    Args:
        name: a key of `PHANTOMS`.
        folder: gets the dataset's own folder, `ROOTS[name]`. One folder belongs to one (patients, seed, size,
            switches); `Switches.slug` tells them apart.
        patients: how many patients, at least 1.
        seed: the same number gives the same files.
        size: the films' longest side, px, at least 64.
        switches: faults put in on purpose, of those that the set has (`SWITCHES`).

    Returns:
        The dataset's root: what a real download of it would be.

    Raises:
        OsteonError: an unknown name, a count or size out of range, a switch that the set lacks, or a folder that
            cannot be written.
    """
    if name not in PHANTOMS:
        raise OsteonError(f"{name!r} has no phantom; there are {sorted(PHANTOMS)}.{nearest(name, PHANTOMS)}")
    for key, value, least in (("patients", patients, 1), ("size", size, SMALLEST), ("seed", seed, 0)):
        if value < least:
            raise OsteonError(f"Phantoms of {name}: {key}={value}; expected {least} or more.")
    write = _writer(name, switches)
    root = folder / ROOTS[name]
    if not (root / NOTICE).is_file():
        _draw(write, root, patients, seed, size)
    return root


def _writer(name: str, switches: Switches) -> Writer:
    """Return a set's writer with its switches set.

    Raises:
        OsteonError: a switch that the set does not have.
    """
    if not switches.on:
        return PHANTOMS[name]
    has = SWITCHES.get(name, ())
    if lacks := [switch for switch in switches.on if switch not in has]:
        raise OsteonError(f"phantom.{lacks[0]}: phantoms of {name} do not have it; they have {list(has) or 'none'}.")
    return partial(SWITCHED[name], switches=switches)  # type: ignore[call-arg]


def _draw(write: Writer, root: Path, patients: int, seed: int, size: int) -> None:
    try:
        with aside(root) as draft:
            draft.mkdir(parents=True)
            write(draft, patients, seed, size)
    except OsteonError:
        if not (root / NOTICE).is_file():  # else another process was done first, with the same films
            raise
