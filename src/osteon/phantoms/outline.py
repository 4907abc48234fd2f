"""The box round whatever a finding changes on a film: drawn with it and without it, before any noise."""

from collections.abc import Sequence

import numpy as np

from osteon.phantoms.crossing import Paths, cross_scene
from osteon.phantoms.fractures import Fracture
from osteon.phantoms.geometry import Array, Bounds, Camera
from osteon.phantoms.metal import OPAQUE, Metal
from osteon.phantoms.scene import Scene
from osteon.phantoms.xray import CORTEX, MEDULLA, METAL, TISSUE

LEAST = 0.08  # of the log signal, of which a film shows about two: what changes less is not seen
ROOM = 1  # px: the detector's blur


def copy_of(scene: Scene) -> Scene:
    """Return a scene of its own lists, whose solids are the same."""
    bones = {name: list(solids) for name, solids in scene.bones.items()}
    marks, casts = dict(scene.marks), list(scene.casts)
    lists = list(scene.tissue), list(scene.gas), list(scene.sites), list(scene.joints), list(scene.beds)
    return Scene(bones, *lists, casts, marks)


def outline(
    before: Scene,
    after: Scene,
    camera: Camera,
    shape: tuple[int, int],
    fractures: Sequence[Fracture] = (),
    metal: Sequence[Metal] = (),
) -> Bounds | None:
    """Return the box (xyxy, whole px, inside the film) of what a finding changes; None where nothing is seen of it.

    Args:
        before: the scene without the finding.
        after: the same with it.
        camera: of the film.
        shape: height and width, px.
        fractures: that the finding consists of.
        metal: that the finding consists of.
    """
    names = {name for name, solids in after.bones.items() if _others(solids, before.bones.get(name, []))}
    names |= {fracture.site.bone for fracture in fractures}
    soft = _others(after.tissue, before.tissue) or _others(after.gas, before.gas)
    change = _load(_part(after, names, soft, camera, shape, fractures))
    change -= _load(_part(before, names, soft, camera, shape, ()))
    if metal:
        thick = np.zeros(shape, np.float32)
        for piece in metal:
            piece.draw(thick, camera)
        change += np.float32(METAL) * np.minimum(thick, OPAQUE)
    return _hull(np.abs(change) > LEAST)


def _others(one: Sequence[object], other: Sequence[object]) -> bool:
    return [id(part) for part in one] != [id(part) for part in other]


def _part(
    scene: Scene, names: set[str], soft: bool, camera: Camera, shape: tuple[int, int], fractures: Sequence[Fracture]
) -> Paths:
    """Return the paths through the parts that change, as the others cancel out."""
    bones = {name: solids for name, solids in scene.bones.items() if name in names}
    part = Scene(bones, scene.tissue, scene.gas) if soft else Scene(bones)
    return cross_scene(part, camera, shape, fractures)[0]


def _load(paths: Paths) -> Array:
    """Return the log signal: bone takes the place of flesh."""
    bone = np.float32(CORTEX - TISSUE) * paths.cortex + np.float32(MEDULLA - TISSUE) * paths.medulla
    return np.asarray(bone + np.float32(TISSUE) * paths.tissue, np.float32)


def _hull(hit: np.ndarray) -> Bounds | None:
    if not hit.any():
        return None
    down, across = np.flatnonzero(hit.any(axis=1)), np.flatnonzero(hit.any(axis=0))
    height, width = hit.shape
    low = max(int(across[0]) - ROOM, 0), max(int(down[0]) - ROOM, 0)
    return *low, min(int(across[-1]) + 1 + ROOM, width), min(int(down[-1]) + 1 + ROOM, height)
