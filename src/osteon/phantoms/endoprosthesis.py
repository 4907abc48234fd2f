"""Joint replacements: shoulders whose shape differs by make, as in Stark 2018 (doi:10.24432/C5XS4Q), and hips."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from osteon.phantoms.findings import Hardware
from osteon.phantoms.geometry import Frame, Vector, cross, unit, vector
from osteon.phantoms.metal import Implant, Metal
from osteon.phantoms.scene import Mark, Scene
from osteon.phantoms.solids import Loft, Solid, ball


@dataclass(frozen=True)
class Make:
    """A make's typical shoulder replacement, mm; each one built differs from it by some per cent.

    Attributes:
        head: radius of the head's base.
        dome: the head's height over its base.
        overhang: how far the head's base reaches down over the neck.
        stem: length below the neck.
        top: the stem's half width below the neck.
        waist: its half width at a third of its length.
        tip: its half width at the end.
        fin: how far the lateral fin stands out; 0 for none.
        holes: in the fin.
        calcar: half width of the curve from the neck to the stem's inner side; 0 for a notch.
        glenoid: `tray` (metal), `pegs` (markers in plastic) or an empty string.
    """

    head: float
    dome: float
    overhang: float
    stem: float
    top: float
    waist: float
    tip: float
    fin: float
    holes: int
    calcar: float
    glenoid: str


MAKES = {
    "Cofield": Make(23.5, 22.0, 1.0, 140.0, 8.0, 5.6, 5.2, 8.5, 3, 0.0, "tray"),
    "Depuy": Make(26.5, 24.0, 3.0, 112.0, 10.0, 6.6, 4.4, 6.0, 3, 3.5, "pegs"),
    "Tornier": Make(23.5, 18.0, 0.0, 116.0, 13.0, 9.2, 5.6, 0.0, 0, 8.0, "pegs"),
    "Zimmer": Make(25.0, 21.0, 5.0, 80.0, 11.5, 8.2, 7.4, 4.0, 2, 0.0, ""),
}
REVERSE = len(MAKES)  # form of a replacement with the ball on the shoulder blade
SPREAD = 0.055  # relative sd of a built implant's measures about its make's


def shoulder_replaced(scene: Scene, form: int, rng: np.random.Generator) -> Sequence[Metal]:
    """Put a replacement in the humeral head's place: the make of that index of `MAKES`, or `REVERSE`."""
    mark = scene.marks["humerus"]
    scene.bones["humerus"] = scene.bones["humerus"][1:]  # the head comes first
    if form == REVERSE:
        return _reverse(mark, scene, rng)
    make = tuple(MAKES.values())[form]
    scale = {name: float(np.clip(rng.normal(1, SPREAD), 0.82, 1.2)) for name in ("head", "dome", "stem", "wide", "fin")}
    tilt = float(rng.normal(0, 4))
    solids = [*_head(mark, make, scale, tilt), *_stem(mark, make, scale)]
    holes: list[Solid] = []
    if make.fin:
        out = make.fin * scale["fin"]
        solids.append(ball(mark.frame, (11, 15, 0), (out + 2, 17, 3.5), 0.0, -4))
        for hole in range(make.holes - int(rng.random() < 0.25)):
            at = (11 + out * 0.5, 8 + 7 * hole, 0)
            holes.append(ball(mark.frame, at, (1.4, 1.4, 6)))
    return [Implant(tuple(solids), tuple(holes)), *_glenoid(make.glenoid, scene, rng)]


def _head(mark: Mark, make: Make, scale: dict[str, float], tilt: float) -> list[Solid]:
    """Return the dome, looking up and to the middle at 45 degrees, give or take `tilt`, and its neck."""
    angle = np.radians(222 + tilt)
    up = unit(mark.frame.axes @ vector(float(np.cos(angle)), float(np.sin(angle)), 0))
    down = unit(cross(up, mark.frame.axes[:, 2]))
    base = mark.frame.point(2, 2) + up * 1.0 + down * make.overhang * 0.5
    return [
        dome(base, up, make.head * scale["head"], make.dome * scale["dome"], mark.frame),
        _tube(mark.frame.point(9, 11), base + up * 1, mark.frame, (0, 8.5, 8.5), (1, 9.5, 9.5)),
    ]


def _stem(mark: Mark, make: Make, scale: dict[str, float]) -> list[Solid]:
    wide, length = scale["wide"], make.stem * scale["stem"]
    rows = [(0.0, make.top), (0.12, make.top), (0.34, make.waist), (0.8, make.tip * 1.04), (1.0, make.tip)]
    start, end = mark.frame.point(8, 2), mark.frame.point(8 - 8 * length / 290, 2 + length)
    solids: list[Solid] = [_tube(start, end, mark.frame, *((u, w * wide, w * wide) for u, w in rows), ends=1.0)]
    if make.calcar:
        curve = make.calcar * wide
        solids.append(ball(mark.frame, (-1, 17, 0), (curve + 2, curve * 1.9 + 4, 7), 0.0, 32))
    return solids


def _glenoid(kind: str, scene: Scene, rng: np.random.Generator) -> list[Metal]:
    """Return a metal tray with its screws, or the wires that mark plastic; half of them have none."""
    joint = scene.joints[0]
    if not kind or rng.random() < 0.5:
        return []
    face = joint.point - joint.across * 1.5
    if kind == "tray":
        lines = [(face - joint.side * 13, face + joint.side * 13, 1.6)]
        lines += [(face + joint.side * at, face - joint.across * 18 + joint.side * at * 0.6, 1.7) for at in (-7, 7)]
        return [Hardware(tuple(lines))]
    pegs = [(face + joint.side * at, face - joint.across * 9 + joint.side * at, 0.5) for at in (-8, 0, 8)]
    return [Hardware(tuple(pegs))]


def _reverse(mark: Mark, scene: Scene, rng: np.random.Generator) -> list[Metal]:
    """Return a reverse replacement: a half ball screwed to the shoulder blade, a cup on the stem below it."""
    joint, frame = scene.joints[0], mark.frame
    radius, length = float(rng.uniform(18, 21)), float(rng.uniform(80, 125))
    face = joint.point + joint.side * 4
    screws = [(face + joint.side * at, face - joint.across * 26 + joint.side * at * 1.5, 1.9) for at in (-8, 8)]
    up = unit(frame.axes @ vector(-0.55, -0.83, 0))
    cup = frame.point(-2, 10)
    stem = _tube(frame.point(7, 10), frame.point(4, 10 + length), frame, (0, 11, 11), (0.3, 7, 7), (1, 5, 5), ends=1.0)
    body = (dome(cup, -up, 17.0, 15.0, frame), stem, _tube(cup, frame.point(8, 26), frame, (0, 12, 12), (1, 8, 8)))
    return [Implant((dome(face, joint.across, radius, radius * 0.95, frame), *body)), Hardware(tuple(screws))]


def hip_replaced(scene: Scene, form: int, rng: np.random.Generator) -> Sequence[Metal]:
    """Replace the left hip: head, neck and stem, with a metal cup (form 0) or with a head as large as the old one."""
    mark = scene.marks["femur_left"]
    (out, down), frame = mark.corner, mark.frame
    scene.bones["femur_left"] = scene.bones["femur_left"][2:]  # head and neck come first
    length, wide = float(rng.uniform(115, 165)), float(rng.uniform(0.9, 1.12))
    rows = ((0.0, 13.0), (0.12, 12.0), (0.35, 8.2), (1.0, 4.8))
    start, end = frame.point(out - 4, down - 8), frame.point(out + 2, down + length)
    solids: list[Solid] = [_tube(start, end, frame, *((u, w * wide, 0.8 * w * wide) for u, w in rows), ends=1.0)]
    solids.append(_tube(frame.point(out - 4, down), frame.point(0, 0), frame, (0, 10, 8), (0.4, 6.5, 6.5), (1, 6, 6)))
    if form:
        return [Implant((*solids, ball(frame, (0, 0, 0), (23.0 * mark.size,) * 3)))]
    radius = float(rng.uniform(23, 27)) * mark.size
    tilt = np.radians(float(rng.normal(232, 5)))
    up = unit(frame.axes @ vector(float(np.cos(tilt)), float(np.sin(tilt)), 0))
    cup = dome(frame.point(0, 0), up, radius, radius * 0.9, frame)
    screws = [(frame.point(0, 0) + up * 20, frame.point(0, 0) + up * 46 + frame.axes[:, 0] * 4, 2.2)]
    parts = (*solids, ball(frame, (0, 0, 0), (float(rng.uniform(14, 17)),) * 3), cup)
    return [Implant(parts), Hardware(tuple(screws[: int(rng.random() < 0.5)]))]


def dome(base: Vector, up: Vector, radius: float, height: float, frame: Frame) -> Loft:
    """Return half an ellipsoid: `radius` at `base` (3,), `height` along `up` (unit, (3,)), flat below; mm."""
    at = np.sin(np.linspace(0, np.pi / 2, 9))
    wide = radius * np.sqrt(np.maximum(1 - at**2, 1e-4))
    stations = ((float(u), float(w), float(w)) for u, w in zip(at, wide, strict=True))
    return _tube(base, base + up * height, frame, *stations, ends=0.0)


def _tube(start: Vector, end: Vector, frame: Frame, *stations: tuple[float, ...], ends: float = 0.3) -> Loft:
    """Return a solid loft; stations are (position, half width in the frame's plane, half depth), mm."""
    axis = unit(end - start)
    side = unit(cross(axis, frame.axes[:, 2]))
    return Loft(start, end, side, np.asarray([(u, 0.0, 0.0, w, d, 0.0) for u, w, d in stations], float), ends)
