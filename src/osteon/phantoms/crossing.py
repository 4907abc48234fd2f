"""How many millimetres of cortex, medulla and soft tissue the ray to each pixel crosses."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from osteon.phantoms.fractures import Break, Fracture
from osteon.phantoms.geometry import Array, Bounds, Camera
from osteon.phantoms.scene import Scene
from osteon.phantoms.solids import Shadow, Solid

Crop = tuple[int, int, int, int]  # x0, y0, x1, y1, px


@dataclass(frozen=True)
class Paths:
    """Path lengths (height, width), mm."""

    cortex: Array
    medulla: Array
    tissue: Array
    metal: Array
    plaster: Array


def cross_scene(
    scene: Scene, camera: Camera, shape: tuple[int, int], fractures: Sequence[Fracture]
) -> tuple[Paths, list[Bounds]]:
    """Return the paths through `scene` and the boxes (xyxy, px, not yet clipped) round its fractures."""
    cortex, medulla, metal = (np.zeros(shape, np.float32) for _ in range(3))
    boxes: list[Bounds] = []
    for name, solids in scene.bones.items():
        broken = [fracture.seen(camera) for fracture in fractures if fracture.site.bone == name]
        seen = [solid for solid in solids if broken or camera.sees(solid.ball(), shape)]
        if crossed := _bone(seen, camera, shape, broken) if seen else None:
            (x0, y0, x1, y1), outside, hollow, found = crossed
            cortex[y0:y1, x0:x1] += outside - hollow
            medulla[y0:y1, x0:x1] += hollow
            boxes += found
    return Paths(cortex, medulla, _soft(scene, camera, shape), metal, _plaster(scene, camera, shape)), boxes


def _grid(bounds: Bounds, shape: tuple[int, int], pad: float) -> tuple[Crop, Array, Array] | None:
    """Return the crop of the film within bounds and its pixel coordinates, or None where they do not meet."""
    x0, y0 = max(int(bounds[0] - pad), 0), max(int(bounds[1] - pad), 0)
    x1, y1 = min(int(bounds[2] + pad) + 2, shape[1]), min(int(bounds[3] + pad) + 2, shape[0])
    if x1 - x0 < 1 or y1 - y0 < 1:
        return None
    x, y = np.meshgrid(np.arange(x0, x1, dtype=np.float32), np.arange(y0, y1, dtype=np.float32))
    return (x0, y0, x1, y1), x, y


def _bone(
    solids: Sequence[Solid], camera: Camera, shape: tuple[int, int], broken: Sequence[Break]
) -> tuple[Crop, Array, Array, list[Bounds]] | None:
    """Return a bone's crop, its outside and hollow paths there, and its fractures' boxes; None off the film."""
    shadows = [solid.shadow(camera) for solid in solids]
    corners = np.asarray([shadow.bounds for shadow in shadows])
    low, high = corners[:, :2].min(axis=0).tolist(), corners[:, 2:].max(axis=0).tolist()
    room = 2 + max((line.room for line in broken), default=0.0)
    if (grid := _grid((*low, *high), shape, room)) is None:
        return None
    crop, x, y = grid
    left, bent_x, bent_y = np.ones_like(x), x, y
    for line in broken:
        bent_x, bent_y, share = line.bend(bent_x, bent_y)
        left *= share
    outside, hollow = _union(shadows, crop, bent_x, bent_y, shape, room)
    boxes = [box for line in broken if (box := line.box(x, y, outside)) is not None]
    return crop, outside * left, np.minimum(hollow, outside) * left, boxes


def _union(
    shadows: Sequence[Shadow], crop: Crop, x: Array, y: Array, shape: tuple[int, int], room: float
) -> tuple[Array, Array]:
    """Return the longest outside and hollow paths over a bone's parts: what they share is counted once."""
    outside, hollow = np.zeros_like(x), np.zeros_like(x)
    for shadow in shadows:
        if (part := _grid(shadow.bounds, shape, room)) is not None:
            (x0, y0, x1, y1), _, _ = part
            here = slice(y0 - crop[1], y1 - crop[1]), slice(x0 - crop[0], x1 - crop[0])
            out, hole = shadow.paths(x[here], y[here])
            np.maximum(outside[here], out, out=outside[here])
            np.maximum(hollow[here], hole, out=hollow[here])
    return outside, hollow


def _soft(scene: Scene, camera: Camera, shape: tuple[int, int]) -> Array:
    """Return the union of the soft tissues less the gas, drawn at half resolution: it has no sharp edge."""
    small = Camera(camera.rotation, camera.scale / 2, camera.centre / 2 - 0.25, camera.target)
    half = ((shape[0] + 1) // 2, (shape[1] + 1) // 2)
    tissue = np.zeros(half, np.float32)
    layers: list[tuple[Solid, float]] = [(solid, 0.0) for solid in scene.tissue]
    for solid, share in layers + scene.gas:
        shadow = solid.shadow(small) if small.sees(solid.ball(), half) else None
        if shadow is None or (grid := _grid(shadow.bounds, half, 1)) is None:
            continue
        (x0, y0, x1, y1), x, y = grid
        path, here = shadow.paths(x, y)[0], tissue[y0:y1, x0:x1]
        if share:
            here -= np.float32(share) * path
        else:
            np.maximum(here, path, out=here)
    tissue = np.maximum(cv2.GaussianBlur(tissue, (0, 0), max(1.1 * camera.scale, 0.5)), 0)
    return np.asarray(cv2.resize(tissue, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR), np.float32)


def _plaster(scene: Scene, camera: Camera, shape: tuple[int, int]) -> Array:
    """Return the path through the casts; where they overlap, as wrappings do, they add up."""
    plaster = np.zeros(shape, np.float32)
    for solid in scene.casts:
        shadow = solid.shadow(camera)
        if (grid := _grid(shadow.bounds, shape, 2)) is not None:
            (x0, y0, x1, y1), x, y = grid
            outside, hollow = shadow.paths(x, y)
            plaster[y0:y1, x0:x1] += outside - hollow
    return plaster
