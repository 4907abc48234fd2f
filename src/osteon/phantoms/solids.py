"""Solids whose X-ray path lengths have a closed form: lofts (long bones), ellipsoids, plates (flat bones).

World coordinates are millimetres, right-handed to the viewer of a frontal film: x to the image's right, y down, z away.
Every solid is projected in parallel by a `Camera` and tells, for pixel coordinates of any shape, how many millimetres of
it the ray crosses: once for its outside, once for the hollow inside its cortex. Cortex is the difference.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Vector = NDArray[np.float64]
Crop = tuple[int, int, int, int]  # x0, y0, x1, y1 in pixels


def vector(*values: float) -> Vector:
    """Return the values as a float64 vector."""
    return np.array(values, dtype=np.float64)


def norm(direction: Vector) -> float:
    """Return the length of one vector (much faster than NumPy's norm on three numbers)."""
    return math.sqrt(float(direction @ direction))


def unit(direction: Vector) -> Vector:
    """Return `direction` scaled to length 1."""
    return direction / max(norm(direction), 1e-9)


def cross(a: Vector, b: Vector) -> Vector:
    """Return the cross product of two vectors (3,)."""
    (x, y, z), (u, v, w) = a.tolist(), b.tolist()
    return np.array((y * w - z * v, z * u - x * w, x * v - y * u))


def turn(axis: str, degrees: float) -> Vector:
    """Return the (3, 3) rotation about the world's "x", "y" or "z" axis."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    i, j = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    matrix = np.eye(3)
    matrix[i, i], matrix[i, j], matrix[j, i], matrix[j, j] = c, -s, s, c
    return matrix


@dataclass(frozen=True)
class Frame:
    """A place and an orientation in the world: columns of `axes` are the frame's own x, y, z."""

    origin: Vector
    axes: Vector

    def point(self, x: float, y: float, z: float = 0.0) -> Vector:
        """Return the world position of a local point (mm)."""
        return self.origin + self.axes @ vector(x, y, z)

    def moved(self, x: float, y: float, z: float = 0.0, rotation: Vector | None = None) -> "Frame":
        """Return a frame at the local point (mm), turned by `rotation` (in this frame's own axes)."""
        return Frame(self.point(x, y, z), self.axes if rotation is None else self.axes @ rotation)


WORLD = Frame(vector(0, 0, 0), np.eye(3))


@dataclass(frozen=True)
class Camera:
    """A parallel beam along its own z: (3, 3) world-to-film rotation, pixels a mm, film centre in px and in world mm."""

    rotation: Vector
    scale: float
    centre: Vector
    target: Vector

    def film(self, points: Vector) -> Vector:
        """Project world points (..., 3) to pixels (..., 2)."""
        return (points - self.target) @ self.rotation[:2].T * self.scale + self.centre

    def sees(self, solid: "Solid", shape: tuple[int, int], room: float = 4.0) -> bool:
        """Tell whether a solid can reach a film of (height, width) px, give or take `room` px."""
        centre, radius = solid.ball()
        (x, y), reach = self.film(centre).tolist(), radius * self.scale + room
        return -reach < x < shape[1] + reach and -reach < y < shape[0] + reach

    def along(self, directions: Vector) -> Vector:
        """Turn world directions (..., 3) into the camera's axes, in mm."""
        return directions @ self.rotation.T


class Shadow(Protocol):
    """A projected solid."""

    bounds: tuple[float, float, float, float]

    def paths(self, x: Array, y: Array) -> tuple[Array, Array]:
        """Return (outside, hollow) path lengths in mm at pixel positions."""


class Solid(Protocol):
    """Anything a camera can project."""

    def ball(self) -> tuple[Vector, float]:
        """Return the centre and radius (mm) of a ball that holds it."""

    def shadow(self, camera: Camera) -> Shadow:
        """Return its projection."""


@dataclass(frozen=True)
class Ellipsoid:
    """`centre` (3,) and half axes as columns of `axes` (3, 3), mm; `cortex` mm (its hollow is a smaller ellipsoid)."""

    centre: Vector
    axes: Vector
    cortex: float = 0.0

    def ball(self) -> tuple[Vector, float]:
        """Return a ball that holds it."""
        return self.centre, float(np.abs(self.axes).sum())

    def shadow(self, camera: Camera) -> "_Ellipse":
        """Project exactly: an ellipsoid's path length is a half ellipse over its outline."""
        q = camera.rotation @ self.axes
        shape = q @ q.T
        inverse = np.linalg.inv(shape[:2, :2])
        depth = np.sqrt(max(shape[2, 2] - shape[2, :2] @ inverse @ shape[2, :2], 1e-6))
        smallest = float(np.sqrt((self.axes**2).sum(axis=0)).min())
        shrink = max(1.0 - self.cortex / smallest, 0.0) if self.cortex else 0.0
        reach = np.sqrt(np.diag(shape)[:2]) * camera.scale
        centre = camera.film(self.centre)
        bounds = (*(centre - reach), *(centre + reach))
        return _Ellipse(centre, inverse / camera.scale**2, 2 * float(depth), shrink, bounds)


@dataclass(frozen=True)
class _Ellipse:
    centre: Vector
    inverse: Vector
    depth: float
    shrink: float
    bounds: tuple[float, float, float, float]

    def paths(self, x: Array, y: Array) -> tuple[Array, Array]:
        dx, dy = x - np.float32(self.centre[0]), y - np.float32(self.centre[1])
        (a, b), (_, c) = self.inverse.astype(np.float32)
        distance = a * dx * dx + 2 * b * dx * dy + c * dy * dy
        outside = np.float32(self.depth) * np.sqrt(np.maximum(1 - distance, 0))
        if not self.shrink:
            return outside, np.zeros_like(outside)
        hollow = np.float32(self.depth) * np.sqrt(np.maximum(np.float32(self.shrink**2) - distance, 0))
        return outside, hollow


def ball(frame: Frame, at: Sequence[float], half: Sequence[float], cortex: float = 0.0, tilt: float = 0.0) -> Ellipsoid:
    """Return an ellipsoid at local `at` (mm) with local half axes `half` (mm), turned by `tilt` degrees about local z."""
    return Ellipsoid(frame.point(*at), frame.axes @ turn("z", tilt) @ np.diag(np.asarray(half, float)), cortex)


@dataclass(frozen=True)
class Loft:
    """A tube from `start` to `end` (mm) whose cross-section is an ellipse that changes along it.

    `stations` (n, 6): position 0..1, centre offsets along `side` and across it, half widths along and across, cortex (mm).
    """

    start: Vector
    end: Vector
    side: Vector
    stations: Vector
    round_ends: float = 0.35

    def ball(self) -> tuple[Vector, float]:
        """Return a ball that holds it."""
        wide = float(np.abs(self.stations[:, 1:5]).max(axis=0).sum())
        return (self.start + self.end) / 2, norm(self.end - self.start) / 2 + wide

    def shadow(self, camera: Camera) -> Shadow:
        """Project: each cross-section's path is a half ellipse, lengthened where the axis leans towards the beam."""
        axis, (a, b) = self.end - self.start, camera.film(np.stack([self.start, self.end]))
        length = norm(b - a)
        if length < 0.42 * norm(axis) * camera.scale:
            return self._end_on(axis).shadow(camera)
        direction = unit(b - a)
        steep = norm(axis) * camera.scale / length
        table = self._table(max(int(length * 2), 24))
        normal = vector(-direction[1], direction[0], 0.0)
        along = unit(camera.along(axis))
        beam = cross(along, normal)
        side = unit(camera.along(self.side) - (camera.along(self.side) @ along) * along)
        across = cross(along, side)
        centre = (table[:, 1] * (side @ normal) + table[:, 2] * (across @ normal)) * camera.scale
        outer = _section(table[:, 3], table[:, 4], side, across, normal, beam)
        inner = _section(*(np.maximum(table[:, k] - table[:, 5], 0.01) for k in (3, 4)), side, across, normal, beam)
        return _Strip.of(a, direction, length, camera.scale, centre, outer, inner, steep)

    def _end_on(self, axis: Vector) -> Ellipsoid:
        """Return the ellipsoid that stands in for a tube seen along its axis, where a strip has no length."""
        wide, deep, cortex = self.stations[:, 3:6].mean(axis=0)
        side = unit(self.side - (self.side @ axis) * axis / (axis @ axis))
        axes = np.stack([axis * 0.53, side * wide * 1.1, cross(unit(axis), side) * deep * 1.1], 1)
        return Ellipsoid((self.start + self.end) / 2, axes, float(cortex))

    def _table(self, count: int) -> Vector:
        """Return the stations eased to `count` even positions, with rounded ends."""
        at = np.arange(count) / (count - 1)
        knots = self.stations[:, 0]
        index = np.minimum(np.maximum(knots.searchsorted(at, side="right") - 1, 0), len(knots) - 2)
        t = np.minimum((at - knots[index]) / np.maximum(np.diff(knots), 1e-9)[index], 1)
        table = self.stations[index]
        table += (self.stations[index + 1] - table) * (t * t * (3 - 2 * t))[:, None]
        size = max(norm(self.end - self.start), 1e-6)
        for end, k in ((at, 0), (1 - at, -1)):
            cap = max(self.round_ends * float(self.stations[k, 3:5].min()) / size, 1e-6)
            near = end < cap
            table[near, 3:5] *= np.sqrt(np.maximum(1 - (1 - end[near] / cap) ** 2, 1e-4))[:, None]
        return table


def _section(
    wide: Vector, deep: Vector, side: Vector, across: Vector, normal: Vector, beam: Vector
) -> tuple[Vector, Vector]:
    """Return the half width seen on the film and the half path through its middle, of an ellipse turned to the beam."""
    nn = (wide * (side @ normal)) ** 2 + (deep * (across @ normal)) ** 2
    return np.sqrt(nn), wide * deep / np.sqrt(np.maximum(nn, 1e-9)) * norm(beam)


@dataclass(frozen=True)
class _Strip:
    start: Vector
    direction: Vector
    length: float
    tables: Array  # (5, n): centre, 1/width^2 and full path of the outside, the same of the hollow
    bounds: tuple[float, float, float, float]

    @classmethod
    def of(
        cls,
        start: Vector,
        direction: Vector,
        length: float,
        scale: float,
        centre: Vector,
        outer: tuple[Vector, Vector],
        inner: tuple[Vector, Vector],
        steep: float,
    ) -> "_Strip":
        tables = [centre]
        for width, depth in (outer, inner):
            tables += [1 / np.maximum(width * scale, 0.05) ** 2, 2 * steep * depth]
        reach = float((np.abs(centre) + outer[0] * scale).max())
        end = start + direction * length
        low, high = np.minimum(start, end) - reach, np.maximum(start, end) + reach
        return cls(start, direction, length, np.asarray(tables, np.float32), (*low, *high))

    def paths(self, x: Array, y: Array) -> tuple[Array, Array]:
        dx, dy = x - np.float32(self.start[0]), y - np.float32(self.start[1])
        cx, cy = self.direction.astype(np.float32)
        last = self.tables.shape[1] - 1
        along = (dx * cx + dy * cy) * np.float32(last / self.length)
        index = np.clip(along, 0, last).astype(np.int32)
        off = dy * cx - dx * cy - self.tables[0][index]
        off *= off
        inside = (along >= 0) & (along <= last)
        outside = self.tables[2][index] * np.sqrt(np.maximum(1 - off * self.tables[1][index], 0)) * inside
        hollow = self.tables[4][index] * np.sqrt(np.maximum(1 - off * self.tables[3][index], 0)) * inside
        return outside, np.minimum(hollow, outside)


@dataclass(frozen=True)
class Plate:
    """A flat bone: a closed outline (n, 3) of world points (mm), smoothed, `thick` mm with a rounded, denser rim."""

    outline: Vector
    thick: float
    cortex: float = 1.0
    rim: float = 4.0

    def ball(self) -> tuple[Vector, float]:
        """Return a ball that holds it."""
        middle = self.outline.mean(axis=0)
        return middle, 1.1 * float(np.sqrt(((self.outline - middle) ** 2).sum(axis=1)).max())

    def shadow(self, camera: Camera) -> "_Patch":
        """Project the outline; its thickness rises over `rim` mm from the edge."""
        curve = camera.film(smooth_loop(self.outline))
        low, high = curve.min(axis=0) - 3, curve.max(axis=0) + 3
        return _Patch(curve, self.thick, self.cortex, self.rim * camera.scale, (*low, *high))


@dataclass(frozen=True)
class _Patch:
    curve: Vector
    thick: float
    cortex: float
    rim: float
    bounds: tuple[float, float, float, float]

    def paths(self, x: Array, y: Array) -> tuple[Array, Array]:
        origin = np.floor(vector(float(x.min()), float(y.min()))) - 2
        size = np.ceil(vector(float(x.max()), float(y.max()))) - origin + 4
        mask = np.zeros((int(size[1]), int(size[0])), np.uint8)
        cv2.fillPoly(mask, [np.round((self.curve - origin) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        depth = cv2.distanceTransform((mask > 127).astype(np.uint8), cv2.DIST_L2, 3)
        t = np.clip(depth / max(self.rim, 1.0), 0, 1)
        solid = np.sqrt(t * (2 - t)) * self.thick * (mask / np.float32(255))
        solid = cv2.GaussianBlur(solid.astype(np.float32), (0, 0), 0.7)
        outside = cv2.remap(solid, x - np.float32(origin[0]), y - np.float32(origin[1]), cv2.INTER_LINEAR)
        return outside, np.maximum(outside - 2 * self.cortex, 0) * np.float32(0.97)


def smooth_loop(points: Vector, steps: int = 6) -> Vector:
    """Return a closed Catmull-Rom curve through `points` (n, d), with `steps` samples a side."""
    before, after, last = np.roll(points, 1, 0), np.roll(points, -1, 0), np.roll(points, -2, 0)
    t = (np.arange(steps) / steps)[None, :, None]
    p0, p1, p2, p3 = (p[:, None, :] for p in (before, points, after, last))
    curve = p1 + 0.5 * t * (p2 - p0 + t * (2 * p0 - 5 * p1 + 4 * p2 - p3 + t * (3 * (p1 - p2) + p3 - p0)))
    return np.asarray(curve.reshape(-1, points.shape[1]))
