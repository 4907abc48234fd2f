"""Metal of any shape on a film: implants made of solids, beside the straight rods of plates and screws."""

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from osteon.phantoms.geometry import Array, Camera
from osteon.phantoms.solids import Solid

OPAQUE = np.float32(5.0)  # mm of metal beyond which a film shows no more; cut there, edges stay smooth


class Metal(Protocol):
    """Anything metal that a camera can see."""

    def draw(self, metal: Array, camera: Camera) -> None:
        """Raise the metal's thickness (mm) in `metal` (height, width), in place."""


@dataclass(frozen=True)
class Implant:
    """Solid metal; `holes` are drilled through it along the beam's way."""

    solids: tuple[Solid, ...]
    holes: tuple[Solid, ...] = ()

    def draw(self, metal: Array, camera: Camera) -> None:
        """Raise the metal's thickness (mm) in `metal`, in place; what its solids share is counted once."""
        thick = np.zeros_like(metal)
        for solid in self.solids:
            _cross(solid, thick, camera, 1.0)
        for hole in self.holes:
            _cross(hole, thick, camera, -1.0)
        edged = cv2.GaussianBlur(np.minimum(thick, OPAQUE), (0, 0), 0.6)
        np.maximum(metal, edged, out=metal)


def _cross(solid: Solid, thick: Array, camera: Camera, sign: float) -> None:
    """Raise `thick` to the solid's path, or take the path away where `sign` is negative."""
    shadow = solid.shadow(camera)
    x0, y0 = (max(int(low) - 1, 0) for low in shadow.bounds[:2])
    x1, y1 = (min(int(high) + 3, side) for high, side in zip(shadow.bounds[2:], thick.shape[::-1], strict=True))
    if x1 <= x0 or y1 <= y0:
        return
    x, y = np.meshgrid(np.arange(x0, x1, dtype=np.float32), np.arange(y0, y1, dtype=np.float32))
    path, here = shadow.paths(x, y)[0], thick[y0:y1, x0:x1]
    np.maximum(here, path, out=here) if sign > 0 else np.maximum(here - path, 0, out=here)
