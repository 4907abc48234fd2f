"""A child's hand and wrist at a stage of growth. Frame: origin in the wrist's joint, x radial, y distal, z dorsal."""

from dataclasses import dataclass, replace

import numpy as np

from osteon.phantoms.anatomy.growing_bone import Tube, growing_bone
from osteon.phantoms.anatomy.hand import CARPALS, RAYS
from osteon.phantoms.anatomy.maturity import CARPAL, FOREARM, RAY, Centre, growth
from osteon.phantoms.body import Build, build
from osteon.phantoms.geometry import WORLD, turn
from osteon.phantoms.scene import Scene
from osteon.phantoms.solids import ball

LATE = 4.0  # months, sd: by how much one centre runs behind the others of the same hand
SLENDER, SMALL = 0.96, 0.94  # a girl's girth and length, where a boy's at the same stage are 1
# By joint (metacarpal, phalanges, distal phalanx): half widths of base, shaft and head, mm; the share of the length
# that epiphysis and plate take up; half width and depth of the flesh, mm.
WIDTHS = ((7.4, 4.3, 7.6), (8.0, 4.9, 6.3), (6.9, 4.1, 5.6), (5.7, 3.1, 4.1))
ZONE = (0.175, 0.17, 0.19, 0.24)
SKIN = ((13.0, 12.0), (11.0, 11.5), (10.0, 10.0), (9.0, 8.5))
# Forearm: name: x and y of its far end, drawn length, half widths of far end, shaft and near end, zone (mm).
FOREARMS = {
    "radius": (7.0, 0.8, 116.0, (14.5, 6.8, 6.6), 8.5),
    "ulna": (-17.0, -3.0, 112.0, (7.4, 5.2, 6.2), 7.0),
}  # fmt: skip


@dataclass(frozen=True)
class Child:
    """A child: the number that gives its body, whether it is a boy, the stage of its bones (a boy's months)."""

    body: int
    male: bool
    stage: float


def centres(child: Child) -> dict[str, Centre]:
    """Return this child's epiphyses by bone: the schedule's, each a little early or late."""
    rng = np.random.default_rng([child.body, 1])
    schedule = {**FOREARM, **{f"{ray}_{joint}": one for ray, row in RAY.items() for joint, one in enumerate(row)}}
    return {bone: one.moved(float(rng.normal(0, LATE))) for bone, one in schedule.items()}


def growing_hand(child: Child, scene: Scene, spread: float) -> float:
    """Add a hand that lies flat; return its size as a share of a man's mean.

    As many numbers are drawn whatever has appeared, so that one body is the same child at every stage.

    Args:
        child: whose hand.
        scene: gets the bones and the flesh.
        spread: factor on the angles between the fingers.
    """
    adult, grown = build(np.random.default_rng(child.body)), growth(child.stage)
    size = grown * (1.0 if child.male else SMALL)
    body = replace(
        adult,
        size=adult.size * size,
        girth=adult.girth * size * (1.0 if child.male else SLENDER),
        cortex=adult.cortex * (0.35 + 0.65 * grown),
        flesh=adult.flesh * (0.15 + 0.85 * grown),
    )
    own = centres(child)
    _forearm(body, scene, own, child.stage)
    _carpus(body, scene, child.stage)
    for order, ray in enumerate(RAYS):
        _ray(body, scene, ray, spread * (1 + 0.06 * float(body.rng.normal()) * (order != 2)), own, child.stage)
    s = body.size
    scene.tissue.append(body.sleeve(WORLD, (8 * s, 28 * s), (5 * s, 88 * s), (26, 15), (34, 15), (33, 13), (24, 9)))
    scene.tissue.append(body.sleeve(WORLD, (-6 * s, 28 * s), (-9 * s, 80 * s), (25, 15), (27, 14), (24, 11)))
    return body.size


def _forearm(body: Build, scene: Scene, own: dict[str, Centre], stage: float) -> None:
    s = body.size
    for name, (x, y, length, widths, zone) in FOREARMS.items():
        frame = WORLD.moved(x * s, y * s, 0, turn("z", 180 + (-3 if x > 0 else 2)))
        growing_bone(body, scene, frame, Tube(name, length * s, widths, zone * s), own[name], stage)
    scene.tissue.append(body.sleeve(WORLD, (-6 * s, -150 * s), (0, 6 * s), (37, 32), (34, 29), (28, 22), (27, 19)))
    scene.tissue.append(body.sleeve(WORLD, (0, -25 * s), (0, 45 * s), (26, 19), (29, 19), (33, 18)))


def _carpus(body: Build, scene: Scene, stage: float) -> None:
    """Add the carpal bones that are seen; each grows from a dot to its full shape."""
    s = body.size
    for name, (x, y, a, b, c, tilt) in CARPALS.items():
        half, late = [1.03 * body.vary(h, 0.06) for h in (a, b, c)], float(body.rng.normal(0, LATE))
        askew = float(body.rng.normal(0, 5))
        centre = Centre(CARPAL[name] + late, 0)
        if (shape := centre.shape(stage)) > 0:
            share = 0.3 + 0.7 * shape**0.75
            round_, dorsal = sum(half[:2]) / 2, -6.0 if name == "pisiform" else 0.0
            half = [share * (round_ + (h - round_) * shape) for h in half]
            solid = ball(
                WORLD, (x * s, y * s, dorsal), (half[0], half[1], half[2]), 0.6 * body.cortex * share, tilt + askew
            )
            scene.add(name, solid)


def _ray(body: Build, scene: Scene, ray: str, spread: float, own: dict[str, Centre], stage: float) -> None:
    """Add a metacarpal and its phalanges, and the flesh around them."""
    x, y, angle, lengths, girth = RAYS[ray]
    frame = WORLD.moved(x * body.size, y * body.size, 0, turn("z", -angle * spread))
    for joint, adult in enumerate(lengths):
        long, last = body.vary(adult, 0.03), joint == len(lengths) - 1
        at = joint + (last and joint < 3)
        if joint:
            frame = frame.moved(0, 0, 0, turn("z", float(body.rng.normal(0, 2.5)) + angle * 0.25 * spread))
        base, shaft, head = (girth * wide for wide in WIDTHS[at])
        distal = joint == 0 and ray != "thumb"
        name, zone = f"{ray}_{joint}", ZONE[at] * long * (0.8 if ray == "thumb" and joint == 0 else 1)
        tube = Tube(name, long, (base, shaft, head), zone, distal, 0.9 if distal else 0.45)
        growing_bone(body, scene, frame, tube, own[name], stage)
        wide, deep = (value * girth for value in SKIN[at])
        over = long + (5 * body.size if last else 0)
        scene.tissue.append(
            body.sleeve(frame, (0, -8 * body.size), (0, over), (wide * 1.1, deep * 1.1), (wide, deep), (wide, deep))
        )
        frame = frame.moved(0, long + 0.7)
