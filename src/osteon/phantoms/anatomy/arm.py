"""Humerus, elbow and forearm. Humerus frame: origin in the head's centre; x lateral, y distal, z dorsal."""

from osteon.phantoms.body import Build
from osteon.phantoms.geometry import Frame, turn
from osteon.phantoms.scene import Joint, Mark, Scene
from osteon.phantoms.solids import ball

HUMERUS = 300.0  # mm from the head's centre to the elbow's axis
FOREARM = 240.0  # mm from the elbow's axis to the distal radius


def humerus(body: Build, scene: Scene, frame: Frame) -> Frame:
    """Add a humerus hanging from its head's centre; return the elbow's frame (x lateral, y distal)."""
    s, length = body.size, body.vary(HUMERUS, 0.03)
    shaft = body.loft(
        frame, (8 * s, 2 * s), (0, length - 8 * s),
        (0, 0, 19, 18, 1.3), (0.07, 0, 20, 18, 1.6), (0.2, 0, 13, 13, 3.4), (0.5, 0, 10.5, 11, 4.4),
        (0.78, 0, 12, 9, 3.6), (0.92, 0, 23, 6.5, 2.2), (0.97, 0, 28, 7.5, 1.8), (1, 0, 24, 8, 1.6),
    )  # fmt: skip
    scene.add(
        "humerus",
        ball(frame, (0, 0, 0), (23 * s, 23 * s, 23 * s), 1.3),
        ball(frame, (15 * s, 6 * s, 0), (10 * s, 14 * s, 14 * s), 1.5, -12),
        shaft,
        ball(frame, (-11 * s, length - 4 * s, -4), (14 * s, 10.5 * s, 11.5 * s), 1.5, 8),
        ball(frame, (14 * s, length - 5 * s, -5), (11 * s, 11 * s, 11.5 * s), 1.5),
        ball(frame, (-27 * s, length - 17 * s, 2), (6 * s, 9 * s, 6 * s), 1.5, 24),
        ball(frame, (25 * s, length - 16 * s, 2), (5 * s, 8 * s, 5 * s), 1.5, -24),
    )
    scene.marks["humerus"] = Mark(frame, s, body.flesh)
    fossa = ball(frame, (0, length - 16 * s, 4), (9 * s, 6.5 * s, 8 * s))
    scene.gas.append((fossa, 0.5))
    scene.breaks("humerus", shaft, 0.1, 0.13, name="neck")
    scene.breaks("humerus", shaft, 0.35, 0.5, 0.64)
    scene.breaks("humerus", shaft, 0.86, 0.9, name="supracondylar")
    scene.plated(shaft, 0.08, 0.4)
    scene.plated(shaft, 0.3, 0.72)
    scene.plated(shaft, 0.6, 0.96)
    scene.tissue.append(
        body.sleeve(frame, (12, -12), (0, length * 1.02), (46, 46), (46, 48), (44, 46), (40, 42), (40, 36))
    )
    return frame.moved(0, length, 0)


def forearm(body: Build, scene: Scene, elbow: Frame, flexion: float, carrying: float = 9.0) -> Frame:
    """Add radius and ulna, flexed at the elbow (degrees); return the wrist's frame (x radial, y distal)."""
    s, length = body.size, body.vary(FOREARM, 0.03)
    frame = elbow.moved(0, 0, 0, turn("x", -flexion) @ turn("z", -carrying))
    radius = body.loft(
        frame, (14 * s, 9 * s, -3), (7 * s, length, 0),
        (0, 0, 11, 11, 1.3), (0.04, 0, 10.5, 10.5, 1.5), (0.1, -1, 7, 7, 2.4), (0.17, -2, 9, 8.5, 2.4),
        (0.45, 4, 7, 6.5, 2.8), (0.8, 0, 8.5, 7.5, 2.2), (0.95, 2, 15, 10.5, 1.3), (1, 1, 15, 10, 1.2),
    )  # fmt: skip
    ulna = body.loft(
        frame, (-9 * s, -16 * s, 12), (-17 * s, length - 4, 2),
        (0, 0, 11, 9, 1.8), (0.08, 0, 12, 9, 1.8), (0.18, 0, 11, 12, 2.6), (0.4, -2, 7.5, 8, 3),
        (0.8, 1, 5.5, 5.5, 2.2), (0.96, 0, 7.5, 7, 1.3), (1, 0, 7, 7, 1.2),
    )  # fmt: skip
    styloids = (
        ball(frame, (17 * s, length + 3 * s, 0), (5 * s, 8 * s, 6 * s), 1.2, 18),
        ball(frame, (-21 * s, length - 1, 3), (2.5, 6, 2.5), 1),
    )
    scene.add("radius", radius, styloids[0])
    scene.add("ulna", ulna, styloids[1], ball(frame, (-9 * s, 13 * s, -9), (9 * s, 7 * s, 7 * s), 1.5))
    for bone, loft in (("radius", radius), ("ulna", ulna)):
        scene.breaks(bone, loft, 0.4, 0.55, 0.7)
        scene.plated(loft, 0.35, 0.68)
    scene.breaks("radius", radius, 0.06, 0.08, name="neck")
    scene.breaks("radius", radius, 0.86, 0.9, 0.92, name="distal")
    scene.breaks("ulna", ulna, 0.07, 0.15, name="olecranon")
    scene.breaks("ulna", ulna, 0.9, name="distal")
    scene.plated(radius, 0.76, 0.97)
    scene.plated(ulna, 0.02, 0.3)
    scene.joints.append(Joint("humerus", frame.point(12 * s, 9 * s), frame.axes[:, 1], frame.axes[:, 0], 11 * s))
    scene.joints.append(Joint("ulna", frame.point(-12 * s, 9 * s), frame.axes[:, 1], frame.axes[:, 0], 11 * s))
    scene.tissue.append(
        body.sleeve(frame, (0, -18), (-4, length + 6), (38, 36), (42, 38), (38, 33), (31, 25), (27, 20))
    )
    wrist = frame.moved(0, length + 1.5, 0, turn("z", carrying))
    scene.marks["wrist"] = Mark(wrist, s, body.flesh)
    return wrist
