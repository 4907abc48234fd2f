"""Solids whose X-ray path lengths have a closed form: lofts (long bones) and ellipsoids.

A solid projected by a `Camera` tells, for pixel coordinates of any shape, how many millimetres of it the ray crosses:
once for its outside, once for the hollow inside its cortex. What lies between the two is cortex.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from osteon.phantoms.geometry import Array, Bounds, Camera, Frame, Vector, cross, norm, turn, unit, vector

STEEPEST = 0.42  # a tube that shows less of its length than this is drawn as an ellipsoid


def span(low: Vector, high: Vector) -> Bounds:
    """Return two corners (2,) as bounds."""
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


class Shadow(Protocol):
    """A projected solid."""

    @property
    def bounds(self) -> Bounds:
        """The pixels it can cover."""

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

    def shadow(self, camera: Camera) -> Shadow:
        """Project exactly: an ellipsoid's path length is a half ellipse over its outline."""
        q = camera.rotation @ self.axes
        shape = q @ q.T
        inverse = np.linalg.inv(shape[:2, :2])
        depth = np.sqrt(max(shape[2, 2] - shape[2, :2] @ inverse @ shape[2, :2], 1e-6))
        smallest = float(np.sqrt((self.axes**2).sum(axis=0)).min())
        shrink = max(1.0 - self.cortex / smallest, 0.0) if self.cortex else 0.0
        reach, centre = np.sqrt(np.diag(shape)[:2]) * camera.scale, camera.film(self.centre)
        bounds = span(centre - reach, centre + reach)
        return _Ellipse(centre, np.asarray(inverse / camera.scale**2, float), 2 * float(depth), shrink, bounds)


@dataclass(frozen=True)
class _Ellipse:
    centre: Vector
    inverse: Vector
    depth: float
    shrink: float
    bounds: Bounds

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
    """Return an ellipsoid at local `at` with local half axes `half` (mm), turned by `tilt` degrees about local z."""
    return Ellipsoid(frame.point(*at), frame.axes @ turn("z", tilt) @ np.diag(np.asarray(half, float)), cortex)


@dataclass(frozen=True)
class Loft:
    """A tube from `start` to `end` (mm) whose cross-section is an ellipse that changes along it.

    `stations` (n, 6): position 0..1, then in mm centre offsets and half widths along `side` and across it, and cortex.
    `round_ends` is how far, in half widths, its ends are rounded.
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
        if length < STEEPEST * norm(axis) * camera.scale:
            return self._end_on(axis).shadow(camera)
        direction, steep = (b - a) / length, norm(axis) * camera.scale / length
        table = self._table(max(int(length * 2), 24))
        normal, along = vector(-direction[1], direction[0], 0.0), unit(camera.along(axis))
        side = camera.along(self.side)
        side = unit(side - (side @ along) * along)
        lean = (float(side @ normal), float(cross(along, side) @ normal))
        centre = (table[:, 1] * lean[0] + table[:, 2] * lean[1]) * camera.scale
        rows, reach = [centre], 0.0
        for cortex in (0.0, table[:, 5]):
            width, depth = _section(table[:, 3] - cortex, table[:, 4] - cortex, lean)
            rows += [1 / np.maximum(width * camera.scale, 0.05) ** 2, 2 * steep * depth]
            reach = max(reach, float((np.abs(centre) + width * camera.scale).max()))
        bounds = span(np.minimum(a, b) - reach, np.maximum(a, b) + reach)
        return _Strip(a, direction, length, np.asarray(rows, np.float32), bounds)

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


def _section(wide: Vector, deep: Vector, lean: tuple[float, float]) -> tuple[Vector, Vector]:
    """Return the half width on the film and the half path through the middle of ellipses turned to the beam."""
    wide, deep = np.maximum(wide, 0.01), np.maximum(deep, 0.01)
    width = np.sqrt((wide * lean[0]) ** 2 + (deep * lean[1]) ** 2)
    return width, wide * deep / np.maximum(width, 1e-6)


@dataclass(frozen=True)
class _Strip:
    start: Vector
    direction: Vector
    length: float
    tables: Array  # (5, n): centre, 1/width^2 and full path of the outside, the same of the hollow
    bounds: Bounds

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
