"""What changes a scene itself: joints out of place, lime, implants in place of bone, metal that holds it, casts.

Each function takes a scene, which form of the change it is, and a generator that draws its shape in the bone's own
axes, so that one seed gives one change in every view. What is metal is returned.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from osteon.phantoms.endoprosthesis import hip_replaced, shoulder_replaced
from osteon.phantoms.fixation import fixed_hip, fixed_shoulder, pinned_wrist, staples
from osteon.phantoms.geometry import Vector
from osteon.phantoms.metal import Metal
from osteon.phantoms.plates import Plate
from osteon.phantoms.scene import Mark, Scene
from osteon.phantoms.solids import Ellipsoid, Loft, Solid, ball

Remake = Callable[[Scene, int, np.random.Generator], Sequence[Metal]]
POSTERIOR = 1  # form of a dislocation; 0 is anterior
CAST_ENDS = (-132.0, 58.0)  # mm along the forearm from the wrist: below the elbow, before the knuckles


def dislocated(scene: Scene, form: int, rng: np.random.Generator) -> Sequence[Metal]:
    """Move the humerus out of the glenoid: forwards, down and to the middle, or (form 1) backwards."""
    mark, blade = scene.marks["humerus"], scene.joints[0]
    deep = np.cross(blade.across, blade.side)
    if form == POSTERIOR:
        x, y, z = rng.uniform(3, 9), rng.uniform(-3, 3), rng.uniform(20, 27)
    else:
        x, y, z = rng.uniform(-34, -20), rng.uniform(14, 27), rng.uniform(-25, -16)
    _shift(scene, "humerus", mark.size * (blade.across * x + blade.side * y + deep * z))
    return ()


def calcified(scene: Scene, form: int, rng: np.random.Generator) -> Sequence[Metal]:
    """Add lime in the tendon above the greater tuberosity: one to three dense, blurred lumps."""
    mark = scene.marks["humerus"]
    lumps = []
    for _ in range(int(rng.integers(2, 4))):
        along = float(rng.uniform(0.2, 1.0))
        at = (6 + 18 * along + rng.normal(0, 1.5), -29 + 13 * along + rng.normal(0, 1.5), rng.normal(-3, 4))
        size, flat = float(rng.uniform(5.0, 10.0)), float(rng.uniform(0.4, 0.7))
        half = (size, size * flat, size * float(rng.uniform(1.0, 1.6)))
        lumps.append(ball(mark.frame, [mark.size * v for v in at], half, 0.0, 38 + rng.normal(0, 10)))
    scene.add("calcification", *lumps)
    return ()


def arthritic(scene: Scene, form: int, rng: np.random.Generator) -> Sequence[Metal]:
    """Wear the shoulder out: a narrow joint, sclerosis, and a spur below the head (Samilson and Prieto 1983)."""
    mark, joint = scene.marks["humerus"], scene.joints[0]
    s, narrow = mark.size, float(rng.uniform(3.5, 5.5))
    _shift(scene, "humerus", -joint.across * narrow * s)
    deep = np.cross(joint.across, joint.side)
    for edge in (-1.0, 1.0):
        rim = np.stack([joint.across * 3, joint.side * 4.5, deep * 7], 1) * s * float(rng.uniform(1.0, 1.6))
        scene.add(joint.bone, Ellipsoid(joint.point + joint.side * edge * joint.half, rim, 1.2))
    hard = np.stack([joint.across * 1.4, joint.side * 14, deep * 5], 1) * s
    scene.add("glenoid_sclerosis", Ellipsoid(joint.point - joint.across * 2.5 * s, hard))
    spur = float(rng.uniform(7, 13)) * s
    at = scene.marks["humerus"].frame
    scene.add("humerus", ball(at, (-14 * s, 21 * s, 0), (spur * 0.75, spur, 12 * s), 1.6, 28))
    scene.add("humerus_sclerosis", ball(at, (-18 * s, 0, 0), (2.8 * s, 13 * s, 6 * s)))
    return ()


def plastered(scene: Scene, form: int, rng: np.random.Generator) -> Sequence[Metal]:
    """Wrap the forearm and hand in a cast; its turns overlap."""
    mark = scene.marks["wrist"]
    thick, wide = float(rng.uniform(3.5, 7.0)), float(rng.uniform(1.0, 1.08)) * mark.flesh
    first, last = CAST_ENDS[0] + float(rng.normal(0, 8)), CAST_ENDS[1] + float(rng.normal(0, 6))
    scene.casts.append(_shell(mark, first, last, wide, thick))
    edges = np.linspace(first, last, int(rng.integers(5, 9)) + 1)
    for low, high in pairwise(edges.tolist()):
        over = float(rng.uniform(4, 14))
        scene.casts.append(_shell(mark, low, min(high + over, last), wide, float(rng.uniform(0.5, 1.4)), thick))
    return ()


def _shell(mark: Mark, low: float, high: float, wide: float, thick: float, out: float = 0.0) -> Loft:
    """Return a tube round forearm and hand from `low` to `high` (mm from the wrist), `out` mm off the padding."""
    at = np.linspace(low, high, 7)
    knots = (-140.0, -60.0, -20.0, 5.0, 35.0, 70.0)
    width = np.interp(at, knots, (45.0, 38.0, 32.0, 33.0, 39.0, 43.0)) * wide + out
    depth = np.interp(at, knots, (40.0, 33.0, 26.0, 25.0, 25.0, 26.0)) * wide + out
    zero = np.zeros(7)
    rows = np.stack([np.linspace(0, 1, 7), zero, zero, width + thick, depth + thick, zero + thick], 1)
    s = mark.size
    return Loft(mark.frame.point(0, low * s), mark.frame.point(3, high * s), mark.frame.axes[:, 0], rows, 0.02)


def _shift(scene: Scene, bone: str, offset: Vector) -> None:
    """Move a bone by `offset` (3,) mm with the places where it breaks or is plated."""
    scene.bones[bone] = [_moved(solid, offset) for solid in scene.bones[bone]]
    scene.sites = [replace(one, point=one.point + offset) if one.bone == bone else one for one in scene.sites]
    mark = scene.marks[bone]
    scene.marks[bone] = replace(mark, frame=replace(mark.frame, origin=mark.frame.origin + offset))


def _moved(solid: Solid, offset: Vector) -> Solid:
    if isinstance(solid, Ellipsoid):
        return replace(solid, centre=solid.centre + offset)
    if isinstance(solid, Loft):
        return replace(solid, start=solid.start + offset, end=solid.end + offset)
    return replace(solid, outline=solid.outline + offset) if isinstance(solid, Plate) else solid


REMADE: dict[str, Remake] = {
    "dislocation": dislocated, "calcification": calcified, "osteoarthritis": arthritic, "cast": plastered,
    "shoulder_replaced": shoulder_replaced, "hip_replaced": hip_replaced, "shoulder_fixed": fixed_shoulder,
    "hip_fixed": fixed_hip, "wrist_pinned": pinned_wrist, "staples": staples,
}  # fmt: skip
