"""Wrist and hand. Local frame: origin in the middle of the distal radius' joint, x radial, y distal, z dorsal."""

from osteon.phantoms.body import Build
from osteon.phantoms.geometry import Frame, Vector, turn
from osteon.phantoms.scene import Joint, Scene
from osteon.phantoms.solids import ball

# name: x, y, half axes x, y, z (mm), tilt (degrees)
CARPALS = {
    "scaphoid": (11, 9, 7, 11, 7, -28),
    "lunate": (-1, 9, 8, 7.5, 8, 0),
    "triquetrum": (-13, 12, 7, 7.5, 7, 20),
    "pisiform": (-14, 14, 4.5, 5, 5, 0),
    "trapezium": (18, 23, 8, 7.5, 7.5, -20),
    "trapezoid": (9, 25, 6, 6.5, 7, 0),
    "capitate": (-1, 23, 7, 11, 8, 3),
    "hamate": (-12, 25, 8, 9, 8, 14),
}
# ray: base x, y of the metacarpal (mm), its direction (degrees, radial positive), lengths of its bones (mm), girth
RAYS = {
    "thumb": (23, 30, 40, (44, 31, 23), 1.05),
    "index": (10, 33, 9, (66, 40, 24, 17), 1.0),
    "middle": (0, 34, 0, (64, 44, 28, 18), 1.03),
    "ring": (-9, 33, -8, (57, 41, 27, 18), 0.95),
    "little": (-17, 31, -17, (53, 33, 19, 16), 0.86),
}


def carpus(body: Build, scene: Scene, wrist: Frame) -> None:
    """Add the eight carpal bones and the wrist's soft tissue."""
    s = body.size
    for name, (x, y, a, b, c, tilt) in CARPALS.items():
        dorsal = -6.0 if name == "pisiform" else 0.0
        half = tuple(1.03 * body.vary(h, 0.06) for h in (a, b, c))
        scene.add(name, ball(wrist, (x * s, y * s, dorsal), half, 1.1 * body.cortex, tilt + body.rng.normal(0, 5)))
    scene.joints.append(Joint("lunate", wrist.point(0, 2.5), wrist.axes[:, 1], wrist.axes[:, 0], 14 * s))
    scene.joints.append(Joint("trapezium", wrist.point(22 * s, 29 * s), wrist.axes[:, 1], wrist.axes[:, 0], 8 * s))
    scene.tissue.append(body.sleeve(wrist, (0, -25), (0, 45), (27, 19), (29, 19), (33, 18)))


def hand(body: Build, scene: Scene, wrist: Frame, bend: float, spread: float, only: str = "") -> dict[str, Frame]:
    """Add metacarpals and phalanges.

    Args:
        body: whose.
        scene: gets them.
        wrist: the hand's frame.
        bend: flexion at each finger joint (degrees); fingers differ a little, as they do on a lateral film.
        spread: factor on the angles between the rays.
        only: a finger whose neighbours are flexed out of the way.

    Returns:
        Each finger's frame at its proximal phalanx' base.
    """
    bases = {}
    for order, (name, (x, y, angle, lengths, girth)) in enumerate(RAYS.items()):
        own = [float(body.rng.normal(0, 3)) for _ in lengths]
        long = [body.vary(length, 0.03) for length in lengths]
        roll = 55.0 if name == "thumb" else 0.0
        frame = wrist.moved(x * body.size, y * body.size, 0, turn("z", -angle * spread) @ turn("y", roll))
        away = 22.0 if only and name != only and name != "thumb" else 0.0
        for joint, length in enumerate(long):
            if joint:
                curl = bend * (0.75 + 0.17 * order) + away
                frame = frame.moved(
                    0, long[joint - 1] + 1.3, 0, turn("x", -curl) @ turn("z", own[joint] + angle * 0.25 * spread)
                )
            if joint == 1:
                bases[name] = frame
            _segment(body, scene, f"{name}_{joint}", frame, length, girth, joint, joint == len(long) - 1)
    scene.tissue.append(body.sleeve(wrist, (8, 28), (5, 88), (26, 15), (34, 15), (33, 13), (24, 9)))
    scene.tissue.append(body.sleeve(wrist, (-6, 28), (-12, 80), (26, 15), (32, 14), (27, 11)))
    return bases


def _segment(
    body: Build, scene: Scene, bone: str, frame: Frame, length: float, girth: float, joint: int, last: bool
) -> None:
    """Add one tubular bone of a ray: a wide base, a narrow shaft, a rounded head, and the skin around it."""
    base, shaft, head = ((7.4, 4.3, 7.6), (8.0, 4.9, 6.3), (6.9, 4.1, 5.6), (5.8, 2.9, 4.4))[
        joint + (last and joint < 3)
    ]
    stations = [
        (0.0, 0.0, base * girth, base * 0.85 * girth, 0.9),
        (0.18, 0.0, base * 0.72 * girth, base * 0.65 * girth, 1.4),
        (0.5, 0.0, shaft * girth, shaft * 0.9 * girth, 1.9),
        (0.78, 0.0, (shaft + head) * 0.47 * girth, head * 0.8 * girth, 1.5),
        (0.93, 0.0, head * girth, head * 0.95 * girth, 0.9),
        (1.0, 0.0, head * 0.92 * girth, head * 0.9 * girth, 0.8),
    ]
    loft = body.loft(frame, (0, 0.5, 0), (0, length, 0), *stations)
    scene.add(bone, loft)
    scene.breaks(bone, loft, *((0.2, 0.5, 0.78) if not last else (0.35, 0.55)))
    scene.plated(loft, 0.15, 0.85, "plate" if joint == 0 else "wire")
    scene.joints.append(Joint(bone, frame.point(0, -0.6), frame.axes[:, 1], frame.axes[:, 0], base * girth))
    skin = ((13, 12), (11.5, 12), (10.5, 10.5), (9.5, 9))[joint + (last and joint < 3)]
    width = skin[0] * girth * body.size
    depth = skin[1] * girth * body.size
    over = length + (5 if last else 0)
    scene.tissue.append(
        body.sleeve(frame, (0, -8, 0), (0, over, 0), (width * 1.1, depth * 1.1), (width, depth), (width, depth))
    )


def finger_middle(bases: dict[str, Frame], name: str, size: float) -> Vector:
    """Return the world position of a finger's middle joint."""
    return bases[name].point(0, RAYS[name][3][1] * size)
