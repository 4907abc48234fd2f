"""Flat bones: a smooth closed outline with a thickness."""

from dataclasses import dataclass

import cv2
import numpy as np

from osteon.phantoms.geometry import Array, Bounds, Camera, Vector, vector
from osteon.phantoms.solids import Shadow, span


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

    def shadow(self, camera: Camera) -> Shadow:
        """Project the outline; its thickness rises over `rim` mm from the edge."""
        curve = camera.film(smooth_loop(self.outline))
        low, high = curve.min(axis=0) - 3, curve.max(axis=0) + 3
        return _Patch(curve, self.thick, self.cortex, self.rim * camera.scale, span(low, high))


@dataclass(frozen=True)
class _Patch:
    curve: Vector
    thick: float
    cortex: float
    rim: float
    bounds: Bounds

    def paths(self, x: Array, y: Array) -> tuple[Array, Array]:
        origin = np.floor(vector(float(x.min()), float(y.min()))) - 2
        size = np.ceil(vector(float(x.max()), float(y.max()))) - origin + 4
        mask = np.zeros((int(size[1]), int(size[0])), np.uint8)
        cv2.fillPoly(mask, [np.round((self.curve - origin) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        depth = cv2.distanceTransform((mask > 127).astype(np.uint8), cv2.DIST_L2, 3)
        t = np.clip(depth / max(self.rim, 1.0), 0, 1)
        solid = np.sqrt(t * (2 - t)) * self.thick * (mask / np.float32(255))
        solid = cv2.GaussianBlur(solid.astype(np.float32), (0, 0), 0.7)
        at = x - np.float32(origin[0]), y - np.float32(origin[1])
        outside = np.asarray(cv2.remap(solid, *at, cv2.INTER_LINEAR), np.float32)
        return outside, np.maximum(outside - np.float32(2 * self.cortex), 0) * np.float32(0.97)


def smooth_loop(points: Vector, steps: int = 6) -> Vector:
    """Return a closed Catmull-Rom curve through `points` (n, d), with `steps` samples a side."""
    before, after, last = np.roll(points, 1, 0), np.roll(points, -1, 0), np.roll(points, -2, 0)
    t = (np.arange(steps) / steps)[None, :, None]
    p0, p1, p2, p3 = (p[:, None, :] for p in (before, points, after, last))
    curve = p1 + 0.5 * t * (p2 - p0 + t * (2 * p0 - 5 * p1 + 4 * p2 - p3 + t * (3 * (p1 - p2) + p3 - p0)))
    return np.asarray(curve.reshape(-1, points.shape[1]))
