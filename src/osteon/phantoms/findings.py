"""Findings with known truth: fractures, hardware, degenerative change. Drawn once a patient, seen from every view."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from osteon.phantoms.scene import Bed, Joint, Scene, Site
from osteon.phantoms.solids import Array, Camera, Ellipsoid, Vector, cross, unit, vector

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Fracture:
    """A break across a bone at `site`.

    `normal` is the fracture plane's normal (world); `step` and `bow` displace the distal fragment, and both fragments
    at the break (mm, world), each fading to nothing at the bone's ends; `gap` mm of width lose `loss` (0..1) of their
    bone, or gain it where negative (impaction); the edge is jagged by `jag` mm.
    """

    site: Site
    normal: Vector
    step: Vector
    bow: Vector
    gap: float
    loss: float
    jag: float
    phase: Vector

    def seen(self, camera: Camera) -> "Break":
        """Project onto the film."""
        normal = camera.along(self.normal)[:2]
        lean = max(float(np.linalg.norm(normal)), 0.35)
        step, bow = (camera.along(v)[:2] * camera.scale for v in (self.step, self.bow))
        return Break(self, camera.film(self.site.point), unit(normal), step, bow, camera.scale, lean)


@dataclass(frozen=True)
class Break:
    """A fracture on one film: where its line runs and how the bone's pixels are displaced."""

    fracture: Fracture
    point: Vector
    normal: Vector
    step: Vector
    bow: Vector
    scale: float
    lean: float

    def signed(self, x: Array, y: Array) -> tuple[Array, Array]:
        """Return distances (px) beyond the line and along it."""
        dx, dy = x - np.float32(self.point[0]), y - np.float32(self.point[1])
        nx, ny = self.normal.astype(np.float32)
        beyond, along = dx * nx + dy * ny, dy * nx - dx * ny
        a, b = self.fracture.phase
        t = along / np.float32(self.scale)
        ragged = np.sin(t * 0.5 + np.float32(a)) + 0.5 * np.sin(t * 1.3 + np.float32(b))
        return beyond - np.float32(self.fracture.jag * self.scale) * ragged, along

    def bend(self, x: Array, y: Array) -> tuple[Array, Array, Array]:
        """Return where each pixel's bone lay before the break, and the share of bone left there."""
        beyond, along = self.signed(x, y)
        near = self._near(along, 3.4)
        after = np.clip(1 - beyond / np.float32(self.fracture.site.after * self.scale), 0, 1) * near
        before = np.clip(1 + beyond / np.float32(self.fracture.site.before * self.scale), 0, 1) * near
        distal = beyond > 0
        shift = [
            np.where(distal, np.float32(self.step[k] + self.bow[k]) * after, np.float32(self.bow[k]) * before)
            for k in (0, 1)
        ]
        width = np.float32(max(self.fracture.gap * self.scale / 2, 0.45))
        left = 1 - np.float32(self.fracture.loss) * np.exp(-((beyond / width) ** 4)) * self._near(along, 2.2)
        return x - shift[0], y - shift[1], left

    def _near(self, along: Array, reach: float) -> Array:
        """Return 1 across the bone, falling smoothly to 0 at `reach` half widths beside it."""
        far = np.abs(along) / np.float32(self.fracture.site.half * self.scale)
        t = np.clip((np.float32(reach) - far) / np.float32(reach * 0.55), 0, 1)
        return np.asarray(t * t * (3 - 2 * t), np.float32)

    def box(self, x: Array, y: Array, bone: Array) -> Box | None:
        """Return the box (xyxy, px) round the bone at the break, or None where none of it is on the film."""
        beyond, along = self.signed(x, y)
        reach = max(self.fracture.gap * self.scale, 2.0) + 0.7 * float(np.linalg.norm(self.step)) + 1
        hit = (bone > 0.4) & (np.abs(beyond) < reach) & (np.abs(along) < 1.5 * self.fracture.site.half * self.scale)
        if hit.sum() < 4:
            return None
        pad = 2.0
        return (
            float(x[hit].min()) - pad,
            float(y[hit].min()) - pad,
            float(x[hit].max()) + pad,
            float(y[hit].max()) + pad,
        )


def fracture(site: Site, rng: np.random.Generator, strength: float = 1.0, field: float = 0.0) -> Fracture:
    """Draw a fracture at `site`.

    `strength` scales its displacement (1: as most are, 0: only a line). `field` is the film's longest side in mm: a
    small bone on a large film is broken more plainly, as what nobody could see would be no truth.
    """
    lateral = unit(site.side - (site.side @ site.axis) * site.axis)
    across = lateral * rng.normal(0, 1) + cross(site.axis, lateral) * rng.normal(0, 0.7)
    across = unit(across)
    slope = np.radians(float(np.clip(rng.normal(0, 22), -50, 50)))
    normal = unit(site.axis * np.cos(slope) + lateral * np.sin(slope))
    size = max(site.half, 0.034 * field) * strength
    impacted = rng.random() < 0.12
    shorten = -site.axis * float(rng.uniform(0.02, 0.25)) * size
    step = across * float(rng.uniform(0.45, 1.1)) * size + shorten
    bow = unit(across * rng.normal(0.6, 0.5) + lateral * rng.normal(0, 0.5)) * float(rng.uniform(0.1, 0.55)) * size
    gap = float(np.clip(rng.uniform(0.2, 0.38) * max(site.half, 0.034 * field), 0.9, 6.0)) * (0.45 + 0.55 * strength)
    loss = -float(rng.uniform(0.4, 0.7)) if impacted else float(rng.uniform(0.75, 1.0))
    return Fracture(
        site, normal, step, bow, gap, loss, float(rng.uniform(0.02, 0.06)) * site.half, rng.uniform(0, 6.28, 2)
    )


@dataclass(frozen=True)
class Hardware:
    """Metal on or in a bone: lines (start, end, radius in mm, world) each of a thickness in mm."""

    lines: tuple[tuple[Vector, Vector, float], ...]

    def draw(self, metal: Array, camera: Camera) -> None:
        """Add the metal's thickness (mm) to `metal`, in place."""
        for start, end, radius in self.lines:
            a, b = camera.film(np.stack([start, end]))
            mask = np.zeros(metal.shape, np.uint8)
            normal = vector(-(b - a)[1], (b - a)[0])
            normal = unit(normal) * radius * camera.scale
            corners = np.stack([a + normal, b + normal, b - normal, a - normal])
            cv2.fillConvexPoly(mask, np.round(corners * 16).astype(np.int32), 255, cv2.LINE_AA, 4)
            np.maximum(metal, mask * np.float32(2 * radius / 255), out=metal)


def hardware(bed: Bed, rng: np.random.Generator) -> Hardware:
    """Draw hardware for a bed: plate and screws, wires, a nail, or a sliding hip screw."""
    axis = bed.end - bed.start
    along, length = unit(axis), float(np.linalg.norm(axis))
    if bed.kind == "wire":
        across = unit(cross(along, bed.into)) * 0.5 + bed.into
        pins = [bed.start + bed.into * bed.half * float(rng.uniform(-0.4, 0.4)) for _ in range(int(rng.integers(1, 3)))]
        return Hardware(tuple((p - along * 4, p + axis + across * float(rng.normal(0, 2)), 0.8) for p in pins))
    if bed.kind == "nail":
        return Hardware(((bed.start, bed.end, bed.half * 0.42),))
    if bed.kind == "hip_screw":
        lines = [(bed.start, bed.start + bed.into * bed.half, 4.0), (bed.start - along * 8, bed.end, 2.8)]
        depth, half, into, top = 30.0, 0.0, _flat(bed.into, along), bed.start
    else:
        top = bed.start + bed.into * (bed.half * 0.95)
        lines = [(top, top + axis, max(bed.half * 0.16, 0.9))]
        depth, half, into = bed.half * 2.0, bed.half, -bed.into
    count = int(np.clip(length / max(bed.half * 0.9, 9.0), 3, 8)) if half else 4
    for at in np.linspace(0.12, 0.92, count):
        if rng.random() < 0.85:
            head = top + axis * float(at)
            lines.append((head - into * 1.5, head + into * depth, max(bed.half * 0.1, 0.7) if half else 2.0))
    return Hardware(tuple(lines))


def _flat(direction: Vector, along: Vector) -> Vector:
    return unit(direction - (direction @ along) * along)


def wear(joint: Joint, scene: Scene, rng: np.random.Generator) -> None:
    """Wear a joint out: osteophytes at its margins and a sclerotic band under its surface, added to `scene`."""
    grade = float(rng.uniform(0.8, 1.5))
    for sign in (-1.0, 1.0):
        for level in (-1.0, 1.0):
            if rng.random() < 0.8:
                at = joint.point + joint.side * sign * joint.half * 1.02 + joint.across * level * joint.half * 0.22
                size = joint.half * grade * float(rng.uniform(0.3, 0.5))
                axes = np.stack(
                    [joint.side * size, joint.across * size * 0.55, cross(joint.side, joint.across) * size], 1
                )
                scene.add(joint.bone, Ellipsoid(at, axes, 0.8))
    for level in (-1.0, 1.0):
        at = joint.point + joint.across * level * joint.half * 0.18
        axes = [
            joint.side * joint.half * 0.85,
            joint.across * joint.half * 0.13 * grade,
            cross(joint.side, joint.across),
        ]
        axes[2] = axes[2] * joint.half * 0.28
        scene.add(f"{joint.bone}_sclerosis", Ellipsoid(at, np.stack(axes, 1), joint.half))


def boxes_inside(boxes: Sequence[Box], width: int, height: int) -> list[Box]:
    """Clip boxes (xyxy, px) to the film and drop what has no area left."""
    clipped = [(max(a, 0.0), max(b, 0.0), min(c, float(width)), min(d, float(height))) for a, b, c, d in boxes]
    return [box for box in clipped if box[2] - box[0] >= 2 and box[3] - box[1] >= 2]
