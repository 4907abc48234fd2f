"""The boxes of a hip film: one round each hip that lies on it, as Krogue 2020 (doi:10.1148/ryai.2020190023) drew them.

A hip's box encloses the joint and the proximal femur, down to below the lesser trochanter; a break's box lies in it.
"""

import itertools
from collections.abc import Sequence

import numpy as np

from osteon.phantoms.film import Subject, posed
from osteon.phantoms.fractures import boxes_inside
from osteon.phantoms.geometry import Bounds, Camera, Vector
from osteon.phantoms.scene import Mark

# mm in the femur's own axes: beyond the head towards the middle and upwards (the socket), beyond the shaft's axis
# (the greater trochanter), below the corner of neck and shaft (the lesser trochanter), and before and behind.
MEDIAL, ABOVE, LATERAL, BELOW, DEEP = 30.0, 32.0, 28.0, 46.0, 14.0
LEAST = 0.6  # share of a hip that must lie on the film, or nobody would have boxed it


def hips(
    subject: Subject, view: str, size: int, seed: Sequence[int], kinds: dict[str, str]
) -> list[tuple[str, Bounds]]:
    """Return the class and the box (xyxy, px) of each hip on the film of these arguments.

    Args:
        subject: who and what, as of `film`.
        view: as of `film`.
        size: longest side, px.
        seed: this film's.
        kinds: side of the scene (left is the film's own side) -> the class of its hip.
    """
    scene, camera, shape, _ = posed(subject, view, size, seed)
    found = []
    for side, kind in kinds.items():
        whole = _box(scene.marks[f"femur_{side}"], camera)
        inside = boxes_inside([whole], shape[1], shape[0])
        if inside and _area(inside[0]) >= LEAST * _area(whole):
            found.append((kind, inside[0]))
    return found


def _box(mark: Mark, camera: Camera) -> Bounds:
    """Return the hull of the hip's corners on the film."""
    s, (out, down) = mark.size, mark.corner
    sides = (-MEDIAL * s, out + LATERAL * s), (-ABOVE * s, down + BELOW * s), (-DEEP * s, DEEP * s)
    corners: Vector = np.stack([mark.frame.point(*corner) for corner in itertools.product(*sides)])
    points = camera.film(corners)
    (x0, y0), (x1, y1) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    return x0, y0, x1, y1


def _area(box: Bounds) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
