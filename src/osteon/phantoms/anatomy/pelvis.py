"""The pelvis and the proximal femora. Local frames: origin in the femoral head's centre, x lateral, y distal, z dorsal."""

import numpy as np

from osteon.phantoms.scene import Bed, Build, Joint, Scene, Site
from osteon.phantoms.solids import Ellipsoid, Frame, Plate, Vector, ball, cross, turn, unit, vector

MIDLINE = 88.0  # mm from a femoral head's centre to the midline


def pelvis(body: Build, scene: Scene, rotation: float = 0.0) -> dict[str, Frame]:
    """Add a pelvis and both femora; `rotation` (degrees) turns the thighs outwards. Returns each side's head frame."""
    half = body.vary(MIDLINE, 0.03)
    shape = _Femur.draw(body)
    heads = {}
    for side, sign in (("left", 1.0), ("right", -1.0)):
        frame = Frame(vector(sign * half, 0, 0), np.diag([sign, 1.0, 1.0]))
        _hip_bone(body, scene, frame, half, side)
        heads[side] = frame
        femur(body, scene, frame, shape, side, rotation)
    _spine(body, scene, half)
    _flesh(body, scene, half)
    return heads


def _outline(frame: Frame, size: float, *points: tuple[float, float]) -> Vector:
    return np.stack([frame.point(x * size, y * size) for x, y in points])


def _hip_bone(body: Build, scene: Scene, frame: Frame, half: float, side: str) -> None:
    s, bone = body.size, f"hip_bone_{side}"
    medial = -half / s
    wing = _outline(
        frame, s, (24, -17), (27, -36), (40, -62), (58, -88), (60, -106), (42, -130), (10, -144), (-20, -138),
        (-42, -112), (-46, -84), (-38, -58), (-31, -30), (-31, -8), (-27, 14), (-14, 8), (4, -14),
    )  # fmt: skip
    fossa = body.loft(
        frame, (-27 * s, 2 * s), (27 * s, -16 * s), (0, -10, 4, 14, 2.2), (0.5, -26, 5, 20, 3), (1, -12, 3, 10, 2)
    )
    scene.add(bone, Plate(wing, 11 * body.girth, 1.3 * body.cortex, 9 * s), fossa)
    scene.add(
        bone,
        body.loft(
            frame,
            (-26 * s, 4 * s),
            ((medial + 4) * s, 30 * s),
            (0, 0, 13, 12, 2),
            (0.5, 2, 8, 8, 2.2),
            (1, 0, 10, 9, 2),
        ),
        body.loft(frame, ((medial + 9) * s, 26 * s), ((medial + 8) * s, 58 * s), (0, 0, 9, 9, 2), (1, 0, 8, 8, 2)),
        body.loft(frame, ((medial + 9) * s, 54 * s), (-44 * s, 82 * s), (0, 0, 7, 6, 2), (1, 0, 9, 8, 2)),
        body.loft(
            frame, (-25 * s, 16 * s), (-41 * s, 74 * s), (0, 0, 14, 15, 2.4), (0.6, 0, 12, 15, 2.4), (1, 0, 14, 16, 2.2)
        ),
        ball(frame, (-42 * s, 76 * s, 6), (14 * s, 15 * s, 15 * s), 2.2),
    )


class _Femur:
    """The proximal femur's measures (mm, degrees), the same on both sides and in every view."""

    def __init__(self, head: float, neck: float, angle: float, bow: float) -> None:
        self.head, self.neck, self.angle, self.bow = head, neck, angle, bow

    @classmethod
    def draw(cls, body: Build) -> "_Femur":
        return cls(
            body.vary(23.5, 0.03), body.vary(50, 0.05), float(body.rng.normal(127, 4)), float(body.rng.normal(7, 1.5))
        )


def femur(
    body: Build, scene: Scene, frame: Frame, shape: _Femur, side: str, rotation: float, length: float = 260
) -> None:
    """Add a femur hanging from its head's centre; its shaft is drawn for `length` mm."""
    bone, s, a = f"femur_{side}", body.size, np.radians(180 - shape.angle)
    thigh = Frame(frame.origin, frame.axes @ turn("z", shape.bow) @ turn("y", rotation))
    out, down = shape.neck * np.sin(a), shape.neck * np.cos(a)
    neck = body.loft(
        thigh,
        (0, 0, 0),
        (out, down, 0),
        (0, 0, 17, 17, 1.5),
        (0.45, 0, 15.5, 13, 2.4),
        (0.75, 0, 17, 14, 2.6),
        (1, 0, 22, 16, 2.2),
    )
    shaft = body.loft(
        thigh, (out + 2, down - 14 * s), (out + 2, down + length * s),
        (0, 0, 19, 17, 1.6), (0.1, 0, 23, 19, 2.2), (0.22, -1, 18, 17, 4.5), (0.36, 0, 14.5, 14.5, 6), (1, 0, 13.5, 14, 6.5),
    )  # fmt: skip
    scene.add(
        bone,
        ball(thigh, (0, 0), (shape.head,) * 3, 1.6),
        neck,
        shaft,
        ball(thigh, (out + 13 * s, down - 17 * s, 4), (12 * s, 21 * s, 15 * s), 1.8, -14),
        ball(thigh, (out - 16 * s, down + 27 * s, 6), (9 * s, 14 * s, 9 * s), 2, 24),
    )
    _hip_places(scene, bone, thigh, (out, down), neck.end - neck.start, shape, s)
    scene.breaks(bone, shaft, 0.45, 0.6)
    scene.tissue.append(
        body.sleeve(thigh, (out - 18, down - 20), (out - 30, down + length * 1.2), (84, 80), (82, 80), (68, 68))
    )


def _hip_places(
    scene: Scene, bone: str, thigh: Frame, corner: tuple[float, float], axis: Vector, shape: _Femur, s: float
) -> None:
    along = unit(axis)
    out, down = corner
    for name, at, half in (("neck", 0.55, 17.0), ("neck", 0.72, 18.5), ("neck", 0.47, 17.0)):
        point = thigh.origin + at * axis
        scene.sites.append(
            Site(bone, name, point, along, unit(cross(along, thigh.axes[:, 2])), half * s, at * shape.neck, 75 * s)
        )
    slant = unit(thigh.axes @ vector(0.62, 0.78, 0))
    for shift in (-4.0, 3.0):
        point = thigh.point(out + shift, down + 2 + shift)
        scene.sites.append(
            Site(bone, "intertrochanteric", point, slant, unit(cross(slant, thigh.axes[:, 2])), 30 * s, 45 * s, 90 * s)
        )
    middle = thigh.point(0, -shape.head - 2)
    scene.joints.append(Joint(bone, middle, thigh.axes[:, 1], thigh.axes[:, 0], shape.head * 0.9))
    top, foot = thigh.point(out + 17 * s, down + 22 * s), thigh.point(out + 17 * s, down + 125 * s)
    scene.beds.append(Bed("hip_screw", top, foot, unit(thigh.origin - thigh.point(out, down)), shape.neck + 14 * s))


def _spine(body: Build, scene: Scene, half: float) -> None:
    s, frame = body.size, Frame(vector(0, 0, 20), np.eye(3))
    wide = (half - 42 * s) / s
    sacrum = _outline(
        frame, s, (-wide, -116), (-30, -132), (0, -126), (30, -132), (wide, -116), (wide - 4, -84), (22, -46),
        (9, -22), (0, -12), (-9, -22), (-22, -46), (-wide + 4, -84),
    )  # fmt: skip
    scene.add("sacrum", Plate(sacrum, 24 * body.girth, 1.0 * body.cortex, 22 * s))
    for x, y in ((-17, -98), (17, -98), (-14, -76), (14, -76), (-11, -56), (11, -56)):
        scene.gas.append((ball(frame, (x * s, y * s), (3.6 * s, 2.6 * s, 9)), 0.6))
    for level in range(4):
        y = (-136 - 36 * level) * s
        name = f"vertebra_{level}"
        scene.add(
            name,
            body.loft(
                frame, (0, y, 0), (0, y - 30 * s, 0), (0, 0, 26, 18, 1.8), (0.5, 0, 22, 17, 1.6), (1, 0, 26, 18, 1.8)
            ),
            body.loft(
                frame,
                (-42 * s, y - 18 * s, 4),
                (42 * s, y - 18 * s, 4),
                (0, 0, 4, 4, 1.5),
                (0.5, 0, 8, 8, 2),
                (1, 0, 4, 4, 1.5),
            ),
            body.loft(frame, (0, y - 14 * s, 20), (0, y + 6 * s, 34), (0, 0, 3.5, 10, 1.5), (1, 0, 5, 8, 1.5)),
        )


def _flesh(body: Build, scene: Scene, half: float) -> None:
    s, frame, rng = body.size, Frame(vector(0, 0, 0), np.eye(3)), body.rng
    scene.tissue.append(
        body.sleeve(frame, (0, -420 * s), (0, 110 * s), (165, 85), (160, 86), (178, 92), (165, 84), (100, 50))
    )
    for _ in range(int(rng.integers(4, 12))):
        at = (rng.normal(0, 42), rng.uniform(-160, -20), -30)
        half_axes = vector(*rng.uniform(5, 17, 2), rng.uniform(8, 26))
        scene.gas.append(
            (Ellipsoid(frame.point(*at), frame.axes @ turn("z", rng.uniform(0, 180)) @ np.diag(half_axes)), 0.9)
        )
