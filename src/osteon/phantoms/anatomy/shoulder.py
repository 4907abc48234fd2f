"""The shoulder girdle: scapula, clavicle, ribs, spine, lung. Local frame: origin in the humeral head's centre."""

import numpy as np

from osteon.phantoms.body import Build
from osteon.phantoms.geometry import Frame, Vector
from osteon.phantoms.plates import Plate
from osteon.phantoms.scene import Joint, Scene
from osteon.phantoms.solids import Ellipsoid


def girdle(body: Build, scene: Scene, frame: Frame) -> None:
    """Add scapula, clavicle, upper ribs, spine, trunk and lung around the humeral head."""
    scapula(body, scene, frame)
    clavicle(body, scene, frame)
    _chest(body, scene, frame)
    _joints(body, scene, frame)


def axillary(body: Build, scene: Scene, frame: Frame) -> None:
    """Add what an axillary film shows of the girdle: the beam runs along the trunk, which stays beside the film.

    Bones, sites and joints come in the order of `girdle`.
    """
    scapula(body, scene, frame)
    clavicle(body, scene, frame)
    _joints(body, scene, frame)
    s = body.size
    # A blade seen on its edge: the plate itself casts no shadow then.
    edge = body.loft(
        frame, (-40 * s, 30 * s, 9), (-104 * s, 40 * s, 22), (0, 0, 14, 5, 1.4), (0.5, 0, 24, 3, 1.2), (1, 0, 26, 3, 1)
    )  # fmt: skip
    scene.add("scapula", edge)
    scene.tissue.append(
        body.sleeve(
            frame, (-175 * s, 10, 4), (75 * s, 0, 2), (95, 88), (88, 80), (68, 66), (56, 58), (50, 52), (44, 47)
        )
    )


def _joints(body: Build, scene: Scene, frame: Frame) -> None:
    s = body.size
    scene.joints.append(Joint("scapula", frame.point(-26 * s, 3 * s), frame.axes[:, 0], frame.axes[:, 1], 19 * s))
    scene.joints.append(Joint("clavicle", frame.point(0, -37 * s), frame.axes[:, 0], frame.axes[:, 1], 8 * s))


def _outline(frame: Frame, size: float, *points: tuple[float, float]) -> Vector:
    return np.stack([frame.point(x * size, y * size, 12) for x, y in points])


def scapula(body: Build, scene: Scene, frame: Frame) -> None:
    """Add blade, glenoid, spine, acromion and coracoid."""
    s = body.size
    blade = _outline(
        frame, s, (-30, -14), (-29, 18), (-42, 40), (-58, 88), (-70, 116), (-82, 108), (-96, 40), (-104, -14),
        (-94, -44), (-62, -38), (-44, -32),
    )  # fmt: skip
    edge = body.loft(
        frame, (-32 * s, 16 * s, 12), (-68 * s, 112 * s, 12), (0, 0, 7, 7, 2), (0.3, -2, 5, 6, 2.2), (1, 0, 4, 5, 1.8)
    )
    glenoid = body.loft(
        frame, (-29 * s, -17 * s), (-29 * s, 21 * s), (0, 0, 4, 8, 1.6), (0.5, 0, 4.5, 13, 1.8), (1, 0, 5, 10, 1.6)
    )
    neck = body.loft(frame, (-29 * s, 2 * s), (-50 * s, 4 * s, 10), (0, 0, 16, 10, 1.6), (1, 0, 16, 6, 1.4))
    spine = body.loft(
        frame, (-98 * s, -12 * s, 18), (-6 * s, -42 * s, 26), (0, 0, 3, 5, 1.2), (0.5, 0, 5, 8, 1.6), (1, 0, 8, 7, 1.8)
    )
    acromion = body.loft(
        frame,
        (-14 * s, -42 * s, 24),
        (22 * s, -32 * s, 12),
        (0, 0, 7, 10, 1.5),
        (0.6, 2, 7, 12, 1.6),
        (1, 0, 5, 9, 1.4),
    )
    coracoid = body.loft(frame, (-44 * s, -22 * s, 0), (-20 * s, -17 * s, -18), (0, 0, 8, 8, 1.6), (1, 0, 6, 6, 1.5))
    scene.add(
        "scapula",
        Plate(blade, 5.5 * body.girth, 1.0 * body.cortex, 7 * s),
        edge,
        glenoid,
        neck,
        spine,
        acromion,
        coracoid,
    )


def clavicle(body: Build, scene: Scene, frame: Frame) -> None:
    """Add the clavicle; it breaks in its middle and is plated there."""
    s, rise = body.size, float(body.rng.normal(6, 5))
    loft = body.loft(
        frame, (-2 * s, -38 * s, -4), (-138 * s, (-38 - rise) * s, -22),
        (0, 0, 6.5, 5, 1.3), (0.2, -3, 6, 5, 2), (0.45, 1, 5.6, 5.6, 2.6), (0.75, 4, 6.5, 6, 2.4), (1, 0, 10, 9, 1.4),
    )  # fmt: skip
    scene.add("clavicle", loft)
    scene.breaks("clavicle", loft, 0.2, 0.38, 0.5, 0.6)
    scene.plated(loft, 0.22, 0.7)


def _chest(body: Build, scene: Scene, frame: Frame) -> None:
    s, rng = body.size, body.rng
    spread = float(rng.normal(24, 1.5)) * s
    for rib in range(8):
        y = (-52 * s) + rib * spread
        out = (-112 + 9 * min(rib, 5)) * s
        down = (26 + 3 * rib) * s
        rear = body.loft(
            frame,
            (-172 * s, y, 40),
            (out, y + down * 0.55, 20),
            (0, 0, 5.5, 2.6, 1.1),
            (0.6, -5, 6, 2.8, 1.1),
            (1, 0, 5, 3.5, 1),
        )
        front = body.loft(
            frame,
            (out, y + down * 0.5, 10),
            (out - 48 * s, y + down * 1.75, -40),
            (0, 0, 5, 3.5, 1),
            (0.5, 5, 5.5, 2.6, 1.1),
            (1, 0, 6, 2, 0.8),
        )
        scene.add(f"rib_{rib}", rear)
        scene.add(f"rib_front_{rib}", front)
    for level in range(9):
        y = (-92 + 26 * level) * s
        scene.add(
            f"vertebra_{level}",
            body.loft(frame, (-182 * s, y, 30), (-182 * s, y + 22 * s, 30), (0, 0, 17, 14, 1.5), (1, 0, 17, 14, 1.5)),
        )
    scene.tissue.append(
        body.sleeve(
            frame, (-165 * s, -75 * s), (-165 * s, 330 * s), (60, 50), (128, 84), (126, 90), (124, 92), (124, 92)
        )
    )
    scene.tissue.append(
        body.sleeve(frame, (6 * s, -4 * s, 4), (-150 * s, -62 * s, 4), (52, 48), (50, 46), (48, 50), (50, 52))
    )
    scene.tissue.append(body.sleeve(frame, (-165 * s, -190 * s), (-165 * s, -40 * s), (62, 50), (58, 55), (70, 55)))
    lung = frame.axes @ np.diag([58 * s, 150 * s, 70.0])
    scene.gas.append((Ellipsoid(frame.point(-118 * s, 92 * s), lung), 0.72))
