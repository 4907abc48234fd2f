"""Hardware (plates, screws, wires, nails) and degenerative change, seen alike from every view."""

from dataclasses import dataclass

import cv2
import numpy as np

from osteon.phantoms.geometry import Array, Camera, Vector, cross, norm, unit, vector
from osteon.phantoms.scene import Bed, Joint, Scene
from osteon.phantoms.solids import Ellipsoid

THINNEST = 0.9  # px: half width of a rod, however small the film's scale
Line = tuple[Vector, Vector, float]  # start, end (world mm), radius (mm)


@dataclass(frozen=True)
class Hardware:
    """Metal on or in a bone, as straight rods."""

    lines: tuple[Line, ...]

    def draw(self, metal: Array, camera: Camera) -> None:
        """Raise the metal's thickness (mm) in `metal`, in place."""
        for start, end, radius in self.lines:
            a, b = camera.film(np.stack([start, end]))
            wide = unit(vector(a[1] - b[1], b[0] - a[0])) * max(radius * camera.scale, THINNEST)
            corners = np.round(np.stack([a + wide, b + wide, b - wide, a - wide]) * 16).astype(np.int32)
            mask = np.zeros(metal.shape, np.uint8)
            cv2.fillConvexPoly(mask, corners, 255, cv2.LINE_AA, 4)
            np.maximum(metal, mask * np.float32(2 * radius / 255), out=metal)


def hardware(bed: Bed, rng: np.random.Generator) -> Hardware:
    """Draw hardware for a bed: a nail, wires, a sliding hip screw, or a plate with screws."""
    if bed.kind == "nail":
        return Hardware(((bed.start, bed.end, bed.half * 0.42),))
    if bed.kind == "wire":
        return Hardware(tuple(_wires(bed, rng)))
    axis, into = bed.end - bed.start, bed.into
    if bed.kind == "hip_screw":
        along, top = unit(axis), bed.start
        lines = [(top, top + into * bed.half, 4.0), (top - along * 8, bed.end, 2.8)]
        inwards = unit(into - (into @ along) * along)
        return Hardware((*lines, *_screws(top, axis, inwards * 30, 2.0, 4, rng)))
    top = bed.start + into * (bed.half * 0.95)
    count = int(np.clip(norm(axis) / max(bed.half * 0.9, 9.0), 3, 8))
    screws = _screws(top, axis, -into * bed.half * 2, max(bed.half * 0.13, 0.9), count, rng)
    return Hardware(((top, top + axis, max(bed.half * 0.21, 1.3)), *screws))


def _wires(bed: Bed, rng: np.random.Generator) -> list[Line]:
    """Return one or two Kirschner wires along the bone, a little askew."""
    axis = bed.end - bed.start
    along = unit(axis)
    across = unit(cross(along, bed.into)) * 0.5 + bed.into
    starts = [bed.start + bed.into * bed.half * float(rng.uniform(-0.4, 0.4)) for _ in range(int(rng.integers(1, 3)))]
    return [(start - along * 4, start + axis + across * float(rng.normal(0, 2)), 1.1) for start in starts]


def _screws(top: Vector, axis: Vector, into: Vector, radius: float, count: int, rng: np.random.Generator) -> list[Line]:
    """Return screws at even steps along `axis` from `top`; some holes stay empty."""
    heads = [top + axis * float(at) for at in np.linspace(0.12, 0.92, count) if rng.random() < 0.85]
    return [(head - unit(into) * 1.5, head + into, radius) for head in heads]


def wear(joint: Joint, scene: Scene, rng: np.random.Generator) -> None:
    """Wear a joint out: osteophytes at its margins and sclerosis on both sides of it, added to `scene`."""
    grade, deep = float(rng.uniform(0.8, 1.5)), cross(joint.side, joint.across)
    for edge in (-1.0, 1.0):
        for level in (-1.0, 1.0):
            at = joint.point + (joint.side * edge * 1.02 + joint.across * level * 0.22) * joint.half
            size = joint.half * grade * float(rng.uniform(0.3, 0.5))
            if rng.random() < 0.8:
                axes = np.stack([joint.side, joint.across * 0.55, deep], 1) * size
                scene.add(joint.bone, Ellipsoid(at, axes, 0.8))
    for level in (-1.0, 1.0):
        at = joint.point + joint.across * level * joint.half * 0.18
        axes = np.stack([joint.side * 0.85, joint.across * 0.13 * grade, deep * 0.28], 1) * joint.half
        scene.add(f"{joint.bone}_sclerosis", Ellipsoid(at, axes, joint.half))
