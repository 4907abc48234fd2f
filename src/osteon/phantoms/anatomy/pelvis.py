"""The pelvis. A hip bone's local frame: origin in the femoral head's centre, x lateral, y distal, z dorsal."""

import numpy as np

from osteon.phantoms.anatomy.femur import femur, measures
from osteon.phantoms.body import Build
from osteon.phantoms.geometry import WORLD, Frame, Vector, turn, vector
from osteon.phantoms.plates import Plate
from osteon.phantoms.scene import Scene
from osteon.phantoms.solids import Ellipsoid, ball

MIDLINE = 88.0  # mm from a femoral head's centre to the midline


def pelvis(body: Build, scene: Scene, rotation: float = 0.0) -> dict[str, Frame]:
    """Add a pelvis and both femora; `rotation` (degrees) turns the thighs outwards. Returns each side's head frame."""
    half = body.vary(MIDLINE, 0.03)
    shape = measures(body)
    heads = {}
    for side, sign in (("left", 1.0), ("right", -1.0)):
        frame = Frame(vector(sign * half, 0, 0), np.diag([sign, 1.0, 1.0]))
        _hip_bone(body, scene, frame, half, side)
        heads[side] = frame
        femur(body, scene, frame, shape, side, rotation)
    _spine(body, scene, half)
    _flesh(body, scene)
    return heads


def _outline(frame: Frame, size: float, *points: tuple[float, float]) -> Vector:
    return np.stack([frame.point(x * size, y * size) for x, y in points])


def _hip_bone(body: Build, scene: Scene, frame: Frame, half: float, side: str) -> None:
    """Add the iliac wing and acetabulum, pubis and ischium of one side; `half` is the way to the midline, mm."""
    s, bone = body.size, f"hip_bone_{side}"
    middle = -half / s
    wing = _outline(
        frame, s, (24, -17), (27, -36), (40, -62), (58, -88), (60, -106), (42, -130), (10, -144), (-20, -138),
        (-42, -112), (-46, -84), (-38, -58), (-31, -30), (-31, -8), (-27, 14), (-14, 8), (4, -14),
    )  # fmt: skip
    parts = (
        # the socket's roof, superior ramus, body of the pubis, inferior ramus, ischium
        ((-27.0, 2.0), (27.0, -16.0), ((0.0, -10.0, 4, 14, 2.2), (0.5, -26, 5, 20, 3), (1, -12, 3, 10, 2))),
        ((-26, 4), (middle + 4, 30), ((0, 0, 13, 12, 2), (0.5, 2, 8, 8, 2.2), (1, 0, 10, 9, 2))),
        ((middle + 9, 26), (middle + 8, 58), ((0, 0, 9, 9, 2), (1, 0, 8, 8, 2))),
        ((middle + 9, 54), (-44, 82), ((0, 0, 7, 6, 2), (1, 0, 9, 8, 2))),
        ((-25, 16), (-41, 74), ((0, 0, 14, 15, 2.4), (0.6, 0, 12, 15, 2.4), (1, 0, 14, 16, 2.2))),
    )
    scene.add(bone, Plate(wing, 11 * body.girth, 1.3 * body.cortex, 9 * s))
    for start, end, stations in parts:
        scene.add(bone, body.loft(frame, (start[0] * s, start[1] * s), (end[0] * s, end[1] * s), *stations))
    scene.add(bone, ball(frame, (-42 * s, 76 * s, 6), (14 * s, 15 * s, 15 * s), 2.2))


def _spine(body: Build, scene: Scene, half: float) -> None:
    """Add the sacrum with its foramina and the lower lumbar vertebrae."""
    s, frame = body.size, Frame(vector(0, 0, 20), np.eye(3))
    wide = (half - 42 * s) / s
    sacrum = _outline(
        frame, s, (-wide, -116), (-30, -132), (0, -126), (30, -132), (wide, -116), (wide - 4, -84), (22, -46),
        (9, -22), (0, -12), (-9, -22), (-22, -46), (-wide + 4, -84),
    )  # fmt: skip
    scene.add("sacrum", Plate(sacrum, 24 * body.girth, 1.0 * body.cortex, 22 * s))
    for x, y in ((-17, -98), (17, -98), (-14, -76), (14, -76), (-11, -56), (11, -56)):
        scene.gas.append((ball(frame, (x * s, y * s), (3.6 * s, 2.6 * s, 9)), 0.6))
    waisted = ((0, 0, 26, 18, 1.8), (0.5, 0, 22, 17, 1.6), (1, 0, 26, 18, 1.8))
    wings = ((0, 0, 4, 4, 1.5), (0.5, 0, 8, 8, 2), (1, 0, 4, 4, 1.5))
    for level in range(4):
        top, bone = (-136 - 36 * level) * s, f"lumbar_{level}"
        scene.add(bone, body.loft(frame, (0, top, 0), (0, top - 30 * s, 0), *waisted))
        scene.add(bone, body.loft(frame, (-42 * s, top - 18 * s, 4), (42 * s, top - 18 * s, 4), *wings))
        spine = ((0, 0, 3.5, 10, 1.5), (1, 0, 5, 8, 1.5))
        scene.add(bone, body.loft(frame, (0, top - 14 * s, 20), (0, top + 6 * s, 34), *spine))


def _flesh(body: Build, scene: Scene) -> None:
    """Add the trunk, and gas in the bowel."""
    s, rng = body.size, body.rng
    girths = ((165, 85), (160, 86), (178, 92), (165, 84), (100, 50))
    scene.tissue.append(body.sleeve(WORLD, (0, -420 * s), (0, 110 * s), *girths))
    for _ in range(int(rng.integers(4, 12))):
        at = WORLD.point(rng.normal(0, 42), rng.uniform(-160, -20), -30)
        half = vector(*rng.uniform(5, 17, 2), rng.uniform(8, 26))
        scene.gas.append((Ellipsoid(at, turn("z", rng.uniform(0, 180)) @ np.diag(half)), 0.9))
