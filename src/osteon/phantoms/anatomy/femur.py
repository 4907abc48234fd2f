"""The proximal femur. Local frame: origin in the femoral head's centre, x lateral, y distal, z dorsal."""

from dataclasses import dataclass

import numpy as np

from osteon.phantoms.body import Build
from osteon.phantoms.geometry import Frame, Vector, cross, turn, unit, vector
from osteon.phantoms.scene import Bed, Joint, Mark, Scene, Site
from osteon.phantoms.solids import ball

LENGTH = 260.0  # mm of shaft that is drawn


@dataclass(frozen=True)
class Femur:
    """The proximal femur's measures, the same on both sides and in every view.

    Attributes:
        head: radius, mm.
        neck: from the head's centre to the shaft's axis, mm.
        angle: between neck and shaft, degrees.
        bow: of the shaft towards the midline, degrees.
    """

    head: float
    neck: float
    angle: float
    bow: float

    @property
    def corner(self) -> tuple[float, float]:
        """Where neck and shaft meet: local x and y, mm."""
        slope = np.radians(180 - self.angle)
        return float(self.neck * np.sin(slope)), float(self.neck * np.cos(slope))


def measures(body: Build) -> Femur:
    """Draw a patient's measures."""
    angle, bow = float(body.rng.normal(127, 4)), float(body.rng.normal(7, 1.5))
    return Femur(body.vary(23.5, 0.03), body.vary(50, 0.05), angle, bow)


def femur(body: Build, scene: Scene, frame: Frame, shape: Femur, side: str, rotation: float) -> None:
    """Add a femur that hangs from its head's centre, turned outwards by `rotation` degrees; `side` names it."""
    bone, s, (out, down) = f"femur_{side}", body.size, shape.corner
    thigh = Frame(frame.origin, frame.axes @ turn("z", shape.bow) @ turn("y", rotation))
    neck = body.loft(
        thigh, (0, 0, 0), (out, down, 0),
        (0, 0, 17, 17, 1.5), (0.45, 0, 15.5, 13, 2.4), (0.75, 0, 17, 14, 2.6), (1, 0, 22, 16, 2.2),
    )  # fmt: skip
    shaft = body.loft(
        thigh, (out + 2, down - 14 * s), (out + 2, down + LENGTH * s),
        (0, 0, 19, 17, 1.6), (0.1, 0, 23, 19, 2.2), (0.22, -1, 18, 17, 4.5), (0.36, 0, 14.5, 14.5, 6),
        (1, 0, 13.5, 14, 6.5),
    )  # fmt: skip
    greater = ball(thigh, (out + 13 * s, down - 17 * s, 4), (12 * s, 21 * s, 15 * s), 1.8, -14)
    lesser = ball(thigh, (out - 16 * s, down + 27 * s, 6), (9 * s, 14 * s, 9 * s), 2, 24)
    scene.add(bone, ball(thigh, (0, 0), (shape.head,) * 3, 1.6), neck, shaft, greater, lesser)
    scene.marks[bone] = Mark(thigh, s, body.flesh, shape.corner)
    _sites(scene, bone, thigh, shape, s)
    scene.breaks(bone, shaft, 0.45, 0.6)
    _places(scene, bone, thigh, shape, s)
    scene.tissue.append(
        body.sleeve(thigh, (out - 18, down - 20), (out - 30, down + LENGTH * 1.2), (84, 80), (82, 80), (68, 68))
    )


def _sites(scene: Scene, bone: str, thigh: Frame, shape: Femur, s: float) -> None:
    """Let the neck break across, and the trochanteric region obliquely."""
    out, down = shape.corner
    neck = thigh.point(out, down) - thigh.origin
    for at, half in ((0.55, 17.0), (0.72, 18.5), (0.47, 17.0)):
        side = _across(unit(neck), thigh)
        before, after = at * shape.neck, 75 * s
        scene.sites.append(Site(bone, "neck", thigh.origin + at * neck, unit(neck), side, half * s, before, after))
    slant = unit(thigh.axes @ vector(0.62, 0.78, 0))
    for shift in (-4.0, 3.0):
        point, side = thigh.point(out + shift, down + 2 + shift), _across(slant, thigh)
        scene.sites.append(Site(bone, "intertrochanteric", point, slant, side, 30 * s, 45 * s, 90 * s))


def _across(axis: Vector, thigh: Frame) -> Vector:
    return unit(cross(axis, thigh.axes[:, 2]))


def _places(scene: Scene, bone: str, thigh: Frame, shape: Femur, s: float) -> None:
    """Put a sliding hip screw's bed beside the shaft, and the joint space above the head."""
    out, down = shape.corner
    middle = thigh.point(0, -shape.head - 2)
    scene.joints.append(Joint(bone, middle, thigh.axes[:, 1], thigh.axes[:, 0], shape.head * 0.9))
    top, foot = thigh.point(out + 17 * s, down + 22 * s), thigh.point(out + 17 * s, down + 125 * s)
    into = unit(thigh.origin - thigh.point(out, down))
    scene.beds.append(Bed("hip_screw", top, foot, into, shape.neck + 14 * s))
