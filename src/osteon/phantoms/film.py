"""One film of one patient: a body part in a view, with or without a finding; and where in a body a finding is put."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteon.phantoms.findings import Box, fracture, hardware, wear
from osteon.phantoms.positions import MOST, ANGLE, Aim, View, lay
from osteon.phantoms.positions import aim as point_camera
from osteon.phantoms.scene import Scene
from osteon.phantoms.solids import Vector, turn
from osteon.phantoms.xray import expose, exposure

# How displaced fractures are, and how often: one in five is subtle.
STRENGTHS, SHARES = (1.4, 1.0, 0.5), (0.5, 0.35, 0.15)


@dataclass(frozen=True)
class Finding:
    """What is wrong with a body part: `kind` (fracture | hardware | degenerative) at the scene's place `index`.

    `seed` draws its shape, the same in every view; `strength` scales a fracture's displacement.
    """

    kind: str
    index: int
    seed: int
    strength: float = 1.0


@dataclass(frozen=True)
class Film:
    """Pixels (height, width), white is bone, and the boxes (xyxy, px) round its fractures."""

    pixels: NDArray[Any]
    boxes: list[Box]


def film(
    part: str,
    body: int,
    view: View,
    size: int,
    left: bool,
    seed: Sequence[int],
    findings: Sequence[Finding] = (),
    bits: int = 8,
) -> Film:
    """Take a film.

    Args:
        part: a key of `positions.POSITIONS`.
        body: the patient's body; the same number gives the same bones.
        size: longest side, px.
        left: the left side of the body, else the right (mirrored).
        seed: this film's own pose, exposure and noise; films that differ in `findings` only differ by them only.
        bits: 8 or 16.
    """
    scene, at = lay(part, body, view)
    pose = np.random.default_rng([*seed, 1])
    camera, shape = point_camera(part, at, view, size, left, pose)
    how = exposure(pose, "L" if left else "R")
    fractures, metal = [], []
    for finding in findings:
        rng = np.random.default_rng(finding.seed)
        if finding.kind == "fracture":
            fractures.append(fracture(scene.sites[finding.index], rng, finding.strength, max(at.width, at.height)))
        elif finding.kind == "hardware":
            metal.append(hardware(scene.beds[finding.index], rng))
        else:
            wear(scene.joints[finding.index], scene, rng)
    noise = np.random.default_rng([*seed, 2])
    pixels, boxes = expose(scene, camera, shape, how, noise, tuple(fractures), tuple(metal), bits)
    return Film(pixels, boxes)


def place(
    part: str,
    body: int,
    kind: str,
    views: Sequence[View],
    rng: np.random.Generator,
    names: Sequence[str] = (),
    bone: str = "",
) -> Finding | None:
    """Choose where a finding sits, so that every view's film covers it; None where the part has no such place.

    Args:
        names: kinds of site a fracture may sit on (empty: any).
        bone: the bone's name must contain this.
    """
    seed = int(rng.integers(2**31))
    draw, strength = float(rng.random()), float(rng.choice(STRENGTHS, p=SHARES))
    covered = [_covered(*lay(part, body, view), part, view, kind, names, bone) for view in views]
    common = sorted(set.intersection(*covered)) or sorted(covered[0])
    if not common:
        return None
    return Finding(kind, common[int(draw * len(common))], seed, strength)


def _covered(scene: Scene, at: Aim, part: str, view: View, kind: str, names: Sequence[str], bone: str) -> set[int]:
    """Return the indices of a scene's places of `kind` that lie well inside the film's field."""
    rotation = turn("y", min(ANGLE[view], MOST.get(part, 90.0)))
    if kind == "fracture":
        points = [
            site.point if bone in site.bone and (not names or site.name in names) else None for site in scene.sites
        ]
    elif kind == "hardware":
        points = [(bed.start + bed.end) / 2 for bed in scene.beds]
    else:
        points = [joint.point for joint in scene.joints]
    return {i for i, point in enumerate(points) if point is not None and _inside(rotation @ (point - at.middle), at)}


def _inside(offset: Vector, at: Aim) -> bool:
    return bool(abs(offset[0]) < 0.37 * at.width and abs(offset[1]) < 0.37 * at.height)
