"""What the boxes of GRAZPEDWRI-DX enclose, drawn on a wrist: each function puts one finding into a scene.

Each takes the scene and a generator that draws the finding's shape in the wrist's own axes (x radial, y distal, z
dorsal; mm), so that one seed gives one finding in every view. Fractures and metal are returned.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from osteon.phantoms.findings import hardware
from osteon.phantoms.fixation import pinned_wrist
from osteon.phantoms.fractures import Fracture, fracture
from osteon.phantoms.metal import Implant, Metal
from osteon.phantoms.scene import Scene
from osteon.phantoms.solids import ball

Added = tuple[Sequence[Fracture], Sequence[Metal]]
Put = Callable[[Scene, np.random.Generator], Added]
FIELD = 150.0  # mm: the film's longest side
LOCAL = 13.0  # mm from a child's break within which its bone is bent: greenstick and torus fractures stay in place
SHIFT = 7.0  # mm by which a break lies higher or lower than the place that the skeleton has for it
STRENGTHS, FAINT = (0.5, 0.95), 0.1  # displacement, as a share of a grown bone's; of one that nobody is sure of
# x of the middle, half width and half depth of the forearm's bones, some 50 mm above the wrist.
SHAFTS = {"radius": (8.4, 8.6, 7.6), "ulna": (-15.5, 5.9, 5.7)}
PLATE, PINNED = 2, 0.5  # the bed of the distal radius; share of metal that is wires


def broken(bone: str, sure: bool = True) -> Put:
    """Return what breaks the distal end of `bone`; a break that nobody is sure of is a thin line."""

    def put(scene: Scene, rng: np.random.Generator) -> Added:
        sites = [site for site in scene.sites if site.bone == bone and site.name == "distal"]
        site = sites[int(rng.integers(len(sites)))]
        moved = site.point + site.axis * float(rng.uniform(-SHIFT, SHIFT))
        near = replace(site, point=moved, before=LOCAL, after=LOCAL)
        return [fracture(near, rng, float(rng.uniform(*STRENGTHS)) if sure else FAINT, FIELD)], ()

    return put


def metal(scene: Scene, rng: np.random.Generator) -> Added:
    """Hold the distal radius by wires or a plate."""
    held = pinned_wrist(scene, 0, rng) if rng.random() < PINNED else [hardware(scene.beds[PLATE], rng)]
    return (), held


def periosteal_reaction(scene: Scene, rng: np.random.Generator) -> Added:
    """Lay new bone along a shaft, as thin lines beside its cortex."""
    mark, (x, wide, deep) = scene.marks["wrist"], SHAFTS["radius" if rng.random() < 0.7 else "ulna"]
    s, y, half = mark.size, float(rng.uniform(-60, -40)), float(rng.uniform(8, 14))
    for side in (-1.0, 1.0):
        beside, over = (x + side * (wide + 1.7), y, 0.0), (x, y, side * (deep + 1.5))
        scene.add("periosteum", ball(mark.frame, _scaled(s, *beside), _scaled(s, 1.2, half, 4.5)))
        scene.add("periosteum", ball(mark.frame, _scaled(s, *over), _scaled(s, 4.5, half, 1.2)))
    return (), ()


def pronator_sign(scene: Scene, rng: np.random.Generator) -> Added:
    """Lift the fat stripe before the pronator quadratus: a dark bow on lateral films, not seen on others."""
    mark = scene.marks["wrist"]
    at = (4.0, float(rng.uniform(-30, -20)), float(rng.uniform(-18, -15)))
    fat = ball(mark.frame, _scaled(mark.size, *at), _scaled(mark.size, 11, float(rng.uniform(11, 16)), 2.3))
    scene.gas.append((fat, 0.9))
    return (), ()


def soft_tissue(scene: Scene, rng: np.random.Generator) -> Added:
    """Let the flesh swell on one side of the wrist and over its back."""
    mark, side = scene.marks["wrist"], float(rng.choice((-1.0, 1.0)))
    at, half = (29.0 * mark.flesh * side, float(rng.uniform(-16, 10)), 6.0), (11, float(rng.uniform(15, 22)), 16)
    scene.tissue.append(ball(mark.frame, _scaled(mark.size, *at), _scaled(mark.size, *half)))
    return (), ()


def anomaly(scene: Scene, rng: np.random.Generator) -> Added:
    """Let a bony outgrowth stand off the radius or the ulna."""
    bone = "radius" if rng.random() < 0.5 else "ulna"
    mark, (x, wide, _), out = scene.marks["wrist"], SHAFTS[bone], 1.0 if bone == "radius" else -1.0
    at, size = (x + out * (wide + 0.5), float(rng.uniform(-56, -36)), float(rng.normal(0, 2))), float(rng.uniform(4, 6))
    scene.add("exostosis", ball(mark.frame, _scaled(mark.size, *at), _scaled(mark.size, size, size * 1.5, size), 1.2))
    return (), ()


def lesion(scene: Scene, rng: np.random.Generator) -> Added:
    """Put a dense round island into the end of the radius."""
    mark, size = scene.marks["wrist"], float(rng.uniform(3.5, 5.5))
    at = (float(rng.uniform(3, 11)), float(rng.uniform(-20, -10)), 0.0)
    scene.add("bone_island", ball(mark.frame, _scaled(mark.size, *at), _scaled(mark.size, size, size * 1.2, size)))
    return (), ()


def foreign_body(scene: Scene, rng: np.random.Generator) -> Added:
    """Leave a splinter in the flesh."""
    mark, side = scene.marks["wrist"], float(rng.choice((-1.0, 1.0)))
    at = (side * float(rng.uniform(24, 29)), float(rng.uniform(0, 30)), float(rng.uniform(-9, 9)))
    splinter = ball(mark.frame, _scaled(mark.size, *at), (0.9, 3.4, 0.9), 0.0, float(rng.uniform(0, 180)))
    return (), [Implant((splinter,))]


def _scaled(size: float, *values: float) -> tuple[float, ...]:
    return tuple(size * value for value in values)
