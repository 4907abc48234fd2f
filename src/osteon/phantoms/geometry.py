"""Points, frames and the parallel beam.

World coordinates are millimetres, as the viewer of a frontal film sees them: x to the right, y down, z away.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Vector = NDArray[np.float64]
Bounds = tuple[float, float, float, float]  # x0, y0, x1, y1 in px


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
    """A parallel beam along its own z.

    Attributes:
        rotation: world to film (3, 3); a reflection shows the other side of the body.
        scale: pixels a mm.
        centre: the film's middle, px (2,).
        target: what lies there, world mm (3,).
    """

    rotation: Vector
    scale: float
    centre: Vector
    target: Vector

    def film(self, points: Vector) -> Vector:
        """Project world points (..., 3) to pixels (..., 2)."""
        return (points - self.target) @ self.rotation[:2].T * self.scale + self.centre

    def sees(self, ball: tuple[Vector, float], shape: tuple[int, int], room: float = 4.0) -> bool:
        """Tell whether a ball (centre, radius in mm) reaches a film of (height, width) px, give or take `room` px."""
        (x, y), reach = self.film(ball[0]).tolist(), ball[1] * self.scale + room
        return bool(-reach < x < shape[1] + reach and -reach < y < shape[0] + reach)

    def along(self, directions: Vector) -> Vector:
        """Turn world directions (..., 3) into the camera's axes, in mm."""
        return directions @ self.rotation.T
