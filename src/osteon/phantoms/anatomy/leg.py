"""Knee, lower leg, ankle and foot. Local frame: origin in the knee's middle, x lateral, y distal, z dorsal."""

from osteon.phantoms.body import Build
from osteon.phantoms.geometry import Frame, turn
from osteon.phantoms.scene import Joint, Scene
from osteon.phantoms.solids import ball

TIBIA = 350.0  # mm from knee to ankle


def knee(body: Build, scene: Scene, frame: Frame) -> None:
    """Add the distal femur and the patella."""
    s = body.size
    shaft = body.loft(
        frame, (0, -240 * s), (0, -8 * s),
        (0, 0, 14, 14, 6), (0.5, 0, 15, 15, 4.6), (0.75, 0, 20, 17, 2.4), (0.92, 0, 36, 24, 1.5), (1, 0, 36, 24, 1.4),
    )  # fmt: skip
    condyles = (ball(frame, (x * s, -15 * s, 8), (18 * s, 17 * s, 28 * s), 1.5) for x in (-21, 21))
    scene.add("femur", shaft, *condyles)
    scene.add("patella", ball(frame, (0, -32 * s, -30), (20 * s, 20 * s, 9 * s), 1.4))
    scene.breaks("femur", shaft, 0.3, 0.5, 0.72, 0.8)
    scene.plated(shaft, 0.2, 0.85)
    scene.tissue.append(body.sleeve(frame, (0, -250), (0, 10), (72, 72), (66, 66), (58, 58), (56, 58)))


def shank(body: Build, scene: Scene, frame: Frame) -> Frame:
    """Add tibia and fibula; return the ankle's frame."""
    s, length = body.size, body.vary(TIBIA, 0.03)
    tibia = body.loft(
        frame, (0, 3 * s), (2 * s, length - 4 * s),
        (0, 0, 36, 24, 1.3), (0.05, 0, 35, 23, 1.5), (0.16, 0, 19, 19, 3), (0.4, 0, 12.5, 14, 5),
        (0.75, 0, 11.5, 12, 4.6), (0.93, 0, 20, 16, 1.8), (1, 0, 22, 17, 1.4),
    )  # fmt: skip
    fibula = body.loft(
        frame, (36 * s, 18 * s, 14), (28 * s, length + 16 * s, 6),
        (0, 0, 9, 9, 1.3), (0.08, 0, 6, 6, 1.8), (0.5, -3, 6, 6, 2.6), (0.86, 0, 6, 6, 2),
        (0.94, 0, 9, 8, 1.4), (1, 0, 6, 6, 1.2), ends=1.2,
    )  # fmt: skip
    scene.add("tibia", tibia, ball(frame, (-19 * s, length + 3 * s, 0), (6 * s, 12 * s, 11 * s), 1.4, -8))
    scene.add("fibula", fibula)
    for bone, loft in (("tibia", tibia), ("fibula", fibula)):
        scene.breaks(bone, loft, 0.35, 0.5, 0.65, 0.75)
        scene.breaks(bone, loft, 0.9, name="distal")
    scene.breaks("tibia", tibia, 0.1, name="plateau")
    scene.plated(tibia, 0.2, 0.7)
    scene.plated(tibia, 0.06, 0.94, "nail")
    scene.plated(fibula, 0.7, 0.97)
    for x in (-20, 20):
        scene.joints.append(Joint("tibia", frame.point(x * s, 0), frame.axes[:, 1], frame.axes[:, 0], 16 * s))
    scene.tissue.append(
        body.sleeve(frame, (8, -30), (6, length + 20), (56, 56), (56, 60), (54, 58), (44, 44), (37, 36), (36, 38))
    )
    return frame.moved(2 * s, length, 0)


def foot(body: Build, scene: Scene, ankle: Frame, plantar: float) -> None:
    """Add talus, calcaneus, tarsals, metatarsals and toes; `plantar` is the flexion (degrees; 0: a right angle)."""
    s = body.size
    frame = ankle.moved(0, 0, 0, turn("x", -plantar))
    scene.add(
        "talus",
        ball(frame, (2 * s, 12 * s, -2), (20 * s, 11 * s, 22 * s), 1.4),
        ball(frame, (-4 * s, 17 * s, -28), (11 * s, 10 * s, 14 * s), 1.4),
    )
    scene.add(
        "calcaneus",
        body.loft(
            frame,
            (6 * s, 34 * s, 44),
            (10 * s, 32 * s, -28),
            (0, 0, 17, 19, 1.6),
            (0.5, 0, 15, 15, 1.5),
            (1, 0, 13, 12, 1.4),
            ends=0.7,
        ),
    )
    for name, x, y, z, a in (
        ("navicular", -6, 22, -46, 15),
        ("cuboid", 17, 34, -46, 12),
        ("cuneiform", -8, 26, -62, 17),
    ):
        scene.add(name, ball(frame, (x * s, y * s, z * s), (a * s, 9 * s, 9 * s), 1.2))
    for ray in range(5):
        x, drop = -22 + 12 * ray, 30 + 2.2 * ray
        widths = (8.5 if ray == 0 else 6, 6 if ray == 0 else 3.6, 9 if ray == 0 else 5)
        start, end = (x * 0.8 * s, drop * s, -72 * s), (x * 1.35 * s, (drop + 18) * s, (-134 + 6 * ray) * s)
        bone = body.loft(
            frame,
            start,
            end,
            (0, 0, widths[0], widths[0], 1),
            (0.5, 0, widths[1], widths[1], 1.8),
            (1, 0, widths[2], widths[2], 1),
        )
        scene.add(f"metatarsal_{ray}", bone)
        scene.breaks(f"metatarsal_{ray}", bone, 0.3, 0.6)
        toe = (end[0] * 1.06, end[1] + 3, end[2] - (46 if ray == 0 else 34) * s)
        gap = (end[0], end[1] + 1, end[2] - 3)
        scene.add(
            f"toe_{ray}",
            body.loft(
                frame, gap, toe, (0, 0, widths[2], 5, 0.9), (0.4, 0, widths[1], 4, 1.5), (1, 0, widths[1] + 1, 4, 1)
            ),
        )
        scene.tissue.append(body.sleeve(frame, start, toe, (16, 17), (14, 13), (11, 9)))
    scene.tissue.append(
        body.sleeve(frame, (6, 28 * s, 52 * s), (-2, 36 * s, -80 * s), (32, 24), (34, 30), (34, 26), (36, 20))
    )
    scene.joints.append(Joint("talus", frame.point(2 * s, 0.5), frame.axes[:, 1], frame.axes[:, 0], 18 * s))
