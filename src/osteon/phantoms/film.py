"""One film of one patient: a body part in a view, with or without findings; and where in a body a finding is put."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteon.phantoms.exposure import Exposure, exposure
from osteon.phantoms.findings import hardware, wear
from osteon.phantoms.fractures import Fracture, fracture
from osteon.phantoms.geometry import Bounds, Camera, Vector, turn
from osteon.phantoms.metal import Metal
from osteon.phantoms.positions import ANGLE, MOST, Aim, View, lay
from osteon.phantoms.positions import aim as point_camera
from osteon.phantoms.remaking import REMADE
from osteon.phantoms.scene import Scene
from osteon.phantoms.xray import expose

# How displaced fractures are, and how often: one in twelve is subtle.
STRENGTHS, SHARES = (1.3, 1.0, 0.5), (0.5, 0.42, 0.08)

POSE, NOISE = 2**31 + 1, 2**31 + 2  # a film's two streams, at places that no patient, study or image has


@dataclass(frozen=True)
class Finding:
    """What is wrong with a body part, the same in every view.

    Attributes:
        kind: fracture | hardware | degenerative, or a key of `remaking.REMADE`.
        index: which of the scene's places for that kind; which make or form for what is remade.
        seed: draws its shape.
        strength: scales a fracture's displacement.
        field: the film's longest side, mm, on which it was placed.
    """

    kind: str
    index: int
    seed: int
    strength: float
    field: float


@dataclass(frozen=True)
class Film:
    """Pixels (height, width), white is bone; the boxes (xyxy, px) round the fractures seen; mm a pixel."""

    pixels: NDArray[Any]
    boxes: list[Bounds]
    spacing: float


@dataclass(frozen=True)
class Subject:
    """Whose film it is: a body part (a key of `positions.POSITIONS`), the body's number, and its side."""

    part: str
    body: int
    left: bool


def film(
    subject: Subject, view: View, size: int, seed: Sequence[int], findings: Sequence[Finding] = (), bits: int = 8
) -> Film:
    """Take a film.

    Args:
        subject: who and what; the same body gives the same bones.
        view: frontal | lateral | oblique.
        size: longest side, px.
        seed: this film's pose, exposure and noise; films with equal seeds differ by their findings only.
        findings: what is wrong.
        bits: 8 or 16.
    """
    scene, camera, shape, how = posed(subject, view, size, seed)
    fractures, metal = apply(findings, scene)
    noise = np.random.default_rng([*seed, NOISE])
    return Film(*expose(scene, camera, shape, how, noise, fractures, metal, bits), 1 / camera.scale)


def posed(
    subject: Subject, view: View, size: int, seed: Sequence[int]
) -> tuple[Scene, Camera, tuple[int, int], Exposure]:
    """Return what a film of these arguments shows before any finding, its camera, height and width, and exposure."""
    scene, at = lay(subject.part, subject.body, view)
    pose = np.random.default_rng([*seed, POSE])
    camera, shape = point_camera(subject.part, at, view, size, subject.left, pose)
    return scene, camera, shape, exposure(pose, "L" if subject.left else "R")


def apply(findings: Sequence[Finding], scene: Scene) -> tuple[list[Fracture], list[Metal]]:
    """Return a scene's fractures and metal; bones and joints are changed in the scene itself, in the order given."""
    fractures: list[Fracture] = []
    metal: list[Metal] = []
    for finding in findings:
        rng = np.random.default_rng(finding.seed)
        if finding.kind == "fracture":
            fractures.append(fracture(scene.sites[finding.index], rng, finding.strength, finding.field))
        elif finding.kind == "hardware":
            metal.append(hardware(scene.beds[finding.index], rng))
        elif finding.kind in REMADE:
            metal += REMADE[finding.kind](scene, finding.index, rng)
        else:
            wear(scene.joints[finding.index], scene, rng)
    return fractures, metal


def place(
    subject: Subject, kind: str, views: Sequence[View], rng: np.random.Generator, bone: str = "", names: str = ""
) -> Finding | None:
    """Choose where a finding sits, so that every view's film covers it; None where the part has no such place.

    Args:
        subject: who and what.
        kind: fracture | hardware | degenerative.
        views: the films that are to show it.
        rng: draws the place, the seed of its shape and its strength.
        bone: what the name of a fracture's bone must contain.
        names: what the name of a fracture's site must contain.
    """
    seed, draw, strength = int(rng.integers(2**31)), float(rng.random()), float(rng.choice(STRENGTHS, p=SHARES))
    laid = [lay(subject.part, subject.body, view) for view in views]
    covered = []
    for view, (scene, at) in zip(views, laid, strict=True):
        seen = turn("y", min(ANGLE[view], MOST.get(subject.part, 90.0)))
        points = _points(scene, kind, bone, names)
        covered.append({i for i, point in points.items() if _inside(seen @ (point - at.middle), at)})
    common = sorted(set.intersection(*covered)) or sorted(covered[0])
    if not common:
        return None
    field = max(laid[0][1].width, laid[0][1].height)
    return Finding(kind, common[int(draw * len(common))], seed, strength, field)


def _points(scene: Scene, kind: str, bone: str, names: str) -> dict[int, Vector]:
    """Return the middle of each of a scene's places for `kind`."""
    if kind == "fracture":
        return {i: site.point for i, site in enumerate(scene.sites) if bone in site.bone and names in site.name}
    if kind == "hardware":
        return {i: (bed.start + bed.end) / 2 for i, bed in enumerate(scene.beds)}
    return {i: joint.point for i, joint in enumerate(scene.joints)}


def _inside(offset: Vector, at: Aim) -> bool:
    return bool(abs(offset[0]) < 0.37 * at.width and abs(offset[1]) < 0.37 * at.height)
