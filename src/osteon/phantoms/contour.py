"""Bone ends seen from the front: a closed outline, round at its rim, with a shell of cortex all around."""

from dataclasses import dataclass

import cv2
import numpy as np

from osteon.phantoms.geometry import Array, Bounds, Camera, Vector
from osteon.phantoms.plates import smooth_loop
from osteon.phantoms.solids import Shadow, span

FINE = 2  # the outline is drawn at this many times the film's resolution: joint spaces are a few pixels wide


@dataclass(frozen=True)
class Contour:
    """A bone of a closed outline (n, 3) of world points (mm), smoothed; drawn unbroken only, on a straight grid.

    Attributes:
        outline: the points, in order.
        thick: mm along the beam, away from the rim.
        rim: mm from the edge over which the thickness rises as an ellipse does.
        shell: mm of cortex.
        solid: share (0..1) of the inside that is as dense as cortex: trabeculae, which are thick near a joint.
    """

    outline: Vector
    thick: float
    rim: float
    shell: float
    solid: float = 0.0

    def ball(self) -> tuple[Vector, float]:
        """Return a ball that holds it."""
        middle = self.outline.mean(axis=0)
        return middle, 1.1 * float(np.sqrt(((self.outline - middle) ** 2).sum(axis=1)).max())

    def shadow(self, camera: Camera) -> Shadow:
        """Project the outline."""
        curve = camera.film(smooth_loop(self.outline))
        low, high = curve.min(axis=0) - 2, curve.max(axis=0) + 2
        rim, shell = self.rim * camera.scale, self.shell * camera.scale
        return _Filled(curve, self.thick, rim, shell, 1 - self.solid, span(low, high))


@dataclass(frozen=True)
class _Filled:
    curve: Vector
    thick: float
    rim: float
    shell: float
    hollow: float
    bounds: Bounds

    def paths(self, x: Array, y: Array) -> tuple[Array, Array]:
        origin = np.array([float(x.flat[0]), float(y.flat[0])]) - 0.5
        height, width = x.shape
        mask = np.zeros((height * FINE, width * FINE), np.uint8)
        corners = np.round(((self.curve - origin) * FINE - 0.5) * 16).astype(np.int32)
        cv2.fillPoly(mask, [corners], 255, cv2.LINE_AA, 4)
        depth = cv2.distanceTransform((mask > 127).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5) / np.float32(FINE)
        depth += mask / np.float32(255 * FINE) - np.float32(0.5 / FINE)
        outside, hollow = (self._path(depth - np.float32(inset)) for inset in (0.0, self.shell))
        hollow = np.minimum(hollow * np.float32(self.hollow), outside)
        first, second = (cv2.resize(path, (width, height), interpolation=cv2.INTER_AREA) for path in (outside, hollow))
        return np.asarray(first, np.float32), np.asarray(second, np.float32)

    def _path(self, depth: Array) -> Array:
        t = np.clip(depth / np.float32(self.rim), 0, 1)
        return np.asarray(np.sqrt(t * (2 - t)) * np.float32(self.thick), np.float32)
