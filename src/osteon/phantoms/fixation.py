"""Osteosynthesis: plates with screws, nails, pins and staples that hold a shoulder, a hip or a wrist together."""

from collections.abc import Sequence

import numpy as np

from osteon.phantoms.findings import Hardware, Line, hardware
from osteon.phantoms.metal import Metal
from osteon.phantoms.scene import Mark, Scene

SHOULDER_FORMS = ("plate", "nail", "screws")
HIP_FORMS = ("sliding screw", "three screws", "nail")
Point = tuple[float, float, float]


def fixed_shoulder(scene: Scene, form: int, rng: np.random.Generator) -> Sequence[Metal]:
    """Hold the proximal humerus: a lateral plate whose screws fan into the head, a nail, or two or three screws."""
    mark = scene.marks["humerus"]
    if SHOULDER_FORMS[form] == "plate":
        return [_rods(mark, _lateral_plate(rng))]
    if SHOULDER_FORMS[form] == "nail":
        long = float(rng.uniform(130, 210))
        rods = [((6.0, -19.0, 0.0), (6.0, 26.0, 0.0), 5.2), ((6.0, 26.0, 0.0), (3.0, long, 0.0), 4.2)]
        for depth in (rng.uniform(0, 4) + np.arange(0, 30, 10)).tolist():
            end = (-14.0, depth - 3, float(rng.normal(0, 6)))
            rods += [((24.0, depth, 2.0), end, 1.9)]
        return [_rods(mark, rods)]
    screws = []
    for start in range(int(rng.integers(2, 4))):
        top = (24.0 - 2 * start, 2.0 + 9 * start, float(rng.normal(0, 4)))
        screws.append((top, (-8.0 + float(rng.normal(0, 4)), -6.0 + 9 * start, float(rng.normal(0, 6))), 2.0))
    return [_rods(mark, screws)]


def _lateral_plate(rng: np.random.Generator) -> list[tuple[Point, Point, float]]:
    foot = float(rng.uniform(75, 115))
    rods: list[tuple[Point, Point, float]] = [((25.0, -2.0, 0.0), (22.0, 30.0, 0.0), 2.4)]
    rods.append(((22.0, 30.0, 0.0), (14.0, foot, 0.0), 2.0))
    for depth in (2.0, 7.0, 12.0, 18.0, 25.0):
        if rng.random() < 0.85:
            end = (float(rng.uniform(-17, -6)), depth - 12 + float(rng.normal(0, 5)), float(rng.normal(0, 8)))
            rods.append(((25.5, depth, 0.0), end, 1.6))
    for depth in np.arange(42.0, foot - 4, 14.0):
        side = 22.0 - 8 * (depth - 30) / (foot - 30)
        rods.append(((side + 2, float(depth), 0.0), (-10.0, float(depth), 0.0), 1.7))
    return rods


def fixed_hip(scene: Scene, form: int, rng: np.random.Generator) -> Sequence[Metal]:
    """Hold the left hip: a sliding screw with its plate, three screws through the neck, or a nail with a neck screw."""
    mark = scene.marks["femur_left"]
    out, down = mark.corner
    if HIP_FORMS[form] == "sliding screw":
        return [hardware(next(bed for bed in scene.beds if bed.kind == "hip_screw"), rng)]
    if HIP_FORMS[form] == "nail":
        long = float(rng.uniform(110, 190))
        nail = [((out + 2, down - 32, 4.0), (out + 1, down + 40, 0.0), 6.4)]
        nail += [((out + 1, down + 40, 0.0), (out + 2, down + long, 0.0), 5.2)]
        neck = [((out + 19, down + 22 + 5, 0.0), (float(rng.normal(-8, 2)), -6.0, 0.0), 4.6)]
        lock = [((out + 18, down + long - 14, 0.0), (out - 14, down + long - 14, 0.0), 2.3)]
        return [_rods(mark, [*nail, *neck, *lock], own=True)]
    screws = []
    for below, deep in ((-3.0, 0.0), (6.0, 6.0), (14.0, -6.0)):
        wobble = rng.normal(0, 1.5, 2)
        start = (out + 19, down + 12 + below + float(wobble[0]), deep)
        screws.append((start, (-9.0, below - 10 + float(wobble[1]), deep), 2.4))
    return [_rods(mark, screws, own=True)]


def pinned_wrist(scene: Scene, form: int, rng: np.random.Generator) -> Sequence[Metal]:
    """Pin the distal radius: two or three Kirschner wires from its styloid and its back, crossing the shaft."""
    pins = []
    for pin in range(int(rng.integers(2, 4))):
        side = 22.0 if pin % 2 == 0 else 2.0
        start = (side + float(rng.normal(0, 2)), 8.0 + float(rng.normal(0, 3)), 6.0 if pin else 0.0)
        pins.append((start, (float(rng.normal(0 if side > 9 else 13, 2)), float(rng.uniform(-72, -48)), 0.0), 0.8))
    return [_rods(scene.marks["wrist"], pins)]


def staples(scene: Scene, form: int, rng: np.random.Generator) -> Sequence[Metal]:
    """Lay a row of skin staples over a fresh shoulder wound; they tell of the day, not of the implant."""
    mark = scene.marks["humerus"]
    start, end = np.array([-12.0, -44.0, -48.0]), np.array([34.0, 62.0, -48.0]) + rng.normal(0, 10, 3)
    rods = []
    for share in np.linspace(0, 1, int(rng.integers(9, 17))):
        middle = start + share * (end - start) + rng.normal(0, 1.2, 3)
        across = np.array([3.2, -1.6, 0.0]) + rng.normal(0, 0.7, 3)
        rods.append((_point(middle - across), _point(middle + across), 0.5))
    return [_rods(mark, rods)]


def _point(values: np.ndarray) -> Point:
    x, y, z = (float(v) for v in values)
    return x, y, z


def _rods(mark: Mark, rods: Sequence[tuple[Point, Point, float]], own: bool = False) -> Hardware:
    """Return rods between points of a bone's own axes, scaled with the body (`own`: they are in its mm already)."""
    s = 1.0 if own else mark.size
    lines: list[Line] = []
    for start, end, radius in rods:
        ends = (mark.frame.point(*(s * v for v in place)) for place in (start, end))
        lines.append((next(ends), next(ends), radius))
    return Hardware(tuple(lines))
