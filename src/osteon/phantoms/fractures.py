"""Fractures: a plane across a bone, its two fragments displaced, and the box round it on a film."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from osteon.phantoms.geometry import Array, Bounds, Camera, Vector, cross, norm, unit
from osteon.phantoms.scene import Site

LARGEST = 30.0  # mm: no fragment is displaced by more, times the strength
LEAST = 0.045  # of the film's longest side: nor is one displaced by less, as what nobody can see is no truth
OVERRIDING = 0.08  # share of fractures whose fragments overlap
PAD = 2.0  # px round a box


@dataclass(frozen=True)
class Fracture:
    """A break across a bone; vectors in world axes, lengths in mm.

    Attributes:
        site: where.
        normal: the fracture plane's normal, unit length.
        step: displaces the distal fragment; fades to nothing at the bone's end.
        bow: displaces both fragments at the break (an angulation); fades to nothing at both ends.
        gap: width of the band along the break.
        loss: share of its bone that the band lacks (0..1), or gains where negative.
        jag: height of the fracture line's teeth.
        phase: (2,) where along the line the teeth stand, radians.
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
        step, bow = (camera.along(v)[:2] * camera.scale for v in (self.step, self.bow))
        normal = unit(camera.along(self.normal)[:2])
        return Break(self, camera.film(self.site.point), normal, step, bow, camera.scale)


@dataclass(frozen=True)
class Break:
    """A fracture on one film: where its line runs and how the bone's pixels are displaced (px)."""

    fracture: Fracture
    point: Vector
    normal: Vector
    step: Vector
    bow: Vector
    scale: float

    @property
    def room(self) -> float:
        """How far the bone may leave its old outline."""
        return norm(self.step) + norm(self.bow)

    def bend(self, x: Array, y: Array) -> tuple[Array, Array, Array]:
        """Return where each pixel's bone lay before the break, and the share of bone left there."""
        straight, along, beyond = self._signed(x, y)
        site, near = self.fracture.site, self._near(along, 3.4)
        after = np.clip(1 - straight / np.float32(site.after * self.scale), 0, 1) * near
        before = np.clip(1 + straight / np.float32(site.before * self.scale), 0, 1) * near
        moved = (np.float32(s + b) * after for s, b in zip(self.step, self.bow, strict=True))
        stayed = (np.float32(b) * before for b in self.bow)
        dx, dy = (np.where(beyond > 0, far, close) for far, close in zip(moved, stayed, strict=True))
        width = np.float32(max(self.fracture.gap * self.scale / 2, 0.45))
        left = 1 - np.float32(self.fracture.loss) * np.exp(-((beyond / width) ** 4)) * self._near(along, 2.2)
        return x - dx, y - dy, np.asarray(left, np.float32)

    def box(self, x: Array, y: Array, bone: Array) -> Bounds | None:
        """Return the box (xyxy, px) round the bone at the break, or None where none of it is on the film."""
        _, along, beyond = self._signed(x, y)
        reach = max(self.fracture.gap * self.scale, 2.0) + 0.7 * norm(self.step) + 1
        hit = (bone > 0.4) & (np.abs(beyond) < reach) & (np.abs(along) < 1.5 * self.fracture.site.half * self.scale)
        if int(hit.sum()) < 4:
            return None
        across, down = x[hit], y[hit]
        low, high = (float(across.min()) - PAD, float(down.min()) - PAD), (float(across.max()), float(down.max()))
        return *low, high[0] + PAD, high[1] + PAD

    def _signed(self, x: Array, y: Array) -> tuple[Array, Array, Array]:
        """Return distances (px) beyond the straight line, along it, and beyond its ragged edge."""
        dx, dy = x - np.float32(self.point[0]), y - np.float32(self.point[1])
        nx, ny = self.normal.astype(np.float32)
        straight, along = dx * nx + dy * ny, dy * nx - dx * ny
        a, b = self.fracture.phase.astype(np.float32)
        t = along / np.float32(self.scale)
        ragged = np.sin(t * np.float32(0.5) + a) + np.float32(0.5) * np.sin(t * np.float32(1.3) + b)
        return straight, along, straight - np.float32(self.fracture.jag * self.scale) * ragged

    def _near(self, along: Array, reach: float) -> Array:
        """Return 1 across the bone, falling smoothly to 0 at `reach` half widths beside it."""
        far = np.abs(along) / np.float32(self.fracture.site.half * self.scale)
        t = np.clip((np.float32(reach) - far) / np.float32(reach * 0.55), 0, 1)
        return np.asarray(t * t * (3 - 2 * t), np.float32)


def fracture(site: Site, rng: np.random.Generator, strength: float, field: float) -> Fracture:
    """Draw a fracture at `site`.

    Args:
        site: where the bone breaks.
        rng: draws its shape in the bone's own axes, so that one seed gives one fracture in every pose.
        strength: scales its displacement (1: as most are; 0: a thin line).
        field: the film's longest side, mm; a small bone on a large film is broken more plainly.
    """
    lateral = unit(site.side - (site.side @ site.axis) * site.axis)
    across = unit(lateral * rng.normal(0.8, 0.7) + cross(site.axis, lateral) * rng.normal(0, 0.35))
    slope = np.radians(float(np.clip(rng.normal(0, 22), -50, 50)))
    normal = unit(site.axis * np.cos(slope) + lateral * np.sin(slope))
    plain = max(site.half, LEAST * field)
    size = min(plain, LARGEST) * strength
    step = across * float(rng.uniform(0.45, 1.1)) * size - site.axis * float(rng.uniform(0.02, 0.25)) * size
    bow = unit(across * rng.normal(0.6, 0.5) + lateral * rng.normal(0, 0.5)) * float(rng.uniform(0.1, 0.55)) * size
    gap, loss = _band(rng, plain, strength)
    jag = float(rng.uniform(0.02, 0.06)) * site.half
    return Fracture(site, normal, step, bow, gap, loss, jag, rng.uniform(0, 2 * np.pi, 2))


def _band(rng: np.random.Generator, plain: float, strength: float) -> tuple[float, float]:
    """Return the width (mm) of the band along the break, and the share of bone that it lacks.

    Fragments drawn apart leave a dark band; overriding or impacted ones a band of up to twice the bone.
    """
    if rng.random() < OVERRIDING:
        width, gain = float(rng.uniform(0.5, 0.8) * plain), float(rng.uniform(0.7, 1.1))
        return min(width, 13.0) * (0.3 + 0.7 * strength), -gain * (0.4 + 0.6 * min(strength, 1))
    return min(float(rng.uniform(0.32, 0.5) * plain), 9.0) * (0.45 + 0.55 * strength), float(rng.uniform(0.85, 1.0))


def boxes_inside(boxes: Sequence[Bounds], width: int, height: int) -> list[Bounds]:
    """Clip boxes (xyxy, px) to the film and drop what has no area left."""
    clipped = [(max(a, 0.0), max(b, 0.0), min(c, float(width)), min(d, float(height))) for a, b, c, d in boxes]
    return [box for box in clipped if box[2] - box[0] >= 2 and box[3] - box[1] >= 2]
