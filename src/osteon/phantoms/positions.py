"""How a body part is laid on the film: which bones are drawn, how they are turned, what the film covers."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from osteon.phantoms.anatomy.arm import forearm, humerus
from osteon.phantoms.anatomy.hand import RAYS, carpus, finger_middle, hand
from osteon.phantoms.anatomy.leg import foot, knee, shank
from osteon.phantoms.anatomy.pelvis import pelvis
from osteon.phantoms.anatomy.shoulder import axillary, girdle
from osteon.phantoms.body import build
from osteon.phantoms.geometry import WORLD, Camera, Frame, Vector, turn, vector
from osteon.phantoms.scene import Scene

View = str  # frontal | lateral | oblique; of a shoulder also axillary
# How the body turns before the beam. An axillary shoulder is laid in its pose, as the arm is raised for it.
ANGLE = {"frontal": 0.0, "oblique": 45.0, "lateral": 90.0, "axillary": 0.0}
ALONG = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])  # lays a body so that the beam runs along it


@dataclass(frozen=True)
class Aim:
    """Where the film looks: its middle (world, mm), width and height (mm); `upright` films show the limb hand up."""

    middle: Vector
    width: float
    height: float
    upright: bool = False


Laid = Callable[[Scene, int, View], Aim]


def _elbow(scene: Scene, seed: int, view: View) -> Aim:
    body = build(np.random.default_rng(seed))
    elbow = humerus(body, scene, WORLD)
    wrist = forearm(body, scene, elbow, 82.0 if view == "lateral" else 4.0)
    shift = (wrist.origin - elbow.origin) * 0.12 if view == "lateral" else vector(0, 8, 0)
    return Aim(elbow.origin + shift, 175, 200)


def _finger(scene: Scene, seed: int, view: View) -> Aim:
    rng = np.random.default_rng(seed)
    body = build(rng)
    name = tuple(RAYS)[int(rng.integers(1, 5))]
    carpus(body, scene, WORLD)
    bases = hand(body, scene, WORLD, 6.0 if view == "frontal" else 10.0, 1.0, name if view == "lateral" else "")
    return Aim(finger_middle(bases, name, body.size), 72, 120, True)


def _forearm(scene: Scene, seed: int, view: View) -> Aim:
    body = build(np.random.default_rng(seed))
    elbow = humerus(body, scene, Frame(vector(0, -300, 0), np.eye(3)))
    wrist = forearm(body, scene, elbow, 80.0 if view == "lateral" else 4.0)
    carpus(body, scene, wrist)
    hand(body, scene, wrist, 8.0, 0.8)
    middle = (elbow.origin + wrist.origin) / 2
    return Aim(middle, 320, 160) if view == "lateral" else Aim(middle, 150, 320)


def _hand(scene: Scene, seed: int, view: View) -> Aim:
    body = build(np.random.default_rng(seed))
    forearm_frame = Frame(vector(0, -240 * body.size, 0), np.eye(3))
    wrist = forearm(body, scene, forearm_frame, 0.0, 0.0)
    carpus(body, scene, wrist)
    hand(body, scene, wrist, {"frontal": 2.0, "oblique": 8.0, "lateral": 14.0}[view], 1.0)
    return Aim(wrist.point(4, 76 * body.size), 180, 215, True)


def _wrist(scene: Scene, seed: int, view: View) -> Aim:
    body = build(np.random.default_rng(seed))
    forearm_frame = Frame(vector(0, -240 * body.size, 0), np.eye(3))
    wrist = forearm(body, scene, forearm_frame, 0.0, 0.0)
    carpus(body, scene, wrist)
    hand(body, scene, wrist, 5.0, 0.9)
    return Aim(wrist.point(0, 4), 115, 150, True)


def _humerus(scene: Scene, seed: int, view: View) -> Aim:
    body = build(np.random.default_rng(seed))
    girdle(body, scene, WORLD)
    elbow = humerus(body, scene, Frame(WORLD.origin, turn("z", -6.0)))
    forearm(body, scene, elbow, 60.0 if view == "lateral" else 10.0)
    return Aim(elbow.origin * 0.5 + vector(-10, 0, 0), 170, 330)


def _shoulder(scene: Scene, seed: int, view: View) -> Aim:
    body = build(np.random.default_rng(seed))
    if view == "axillary":
        along = Frame(WORLD.origin, ALONG)
        axillary(body, scene, along)
        humerus(body, scene, Frame(WORLD.origin, ALONG @ turn("z", -78.0) @ turn("y", 8.0)))
        return Aim(vector(-4, 4, 0), 190, 165)
    girdle(body, scene, WORLD)
    humerus(body, scene, Frame(WORLD.origin, turn("z", -8.0) @ turn("y", 20.0)))
    return Aim(vector(-38, 26, 0), 225, 225)


def _upper_arm(scene: Scene, seed: int, view: View) -> Aim:
    """Lay a shoulder as it is filmed after its replacement: the whole stem is on the film."""
    at = _shoulder(scene, seed, view)
    return Aim(vector(40, 2, 0), 260, 150) if view == "axillary" else replace(at, middle=vector(-8, 42, 0), width=165)


def _pelvis(scene: Scene, seed: int, view: View) -> Aim:
    body = build(np.random.default_rng(seed))
    pelvis(body, scene, 8.0)
    return Aim(vector(0, -18, 0), 420, 350)


def _hip(scene: Scene, seed: int, view: View) -> Aim:
    body = build(np.random.default_rng(seed))
    heads = pelvis(body, scene, 8.0 if view == "frontal" else 45.0)
    return Aim(heads["left"].origin + vector(20, 26, 0), 165, 195)


def _femur(scene: Scene, seed: int, view: View) -> Aim:
    body = build(np.random.default_rng(seed))
    heads = pelvis(body, scene, 8.0)
    return Aim(heads["left"].origin + vector(8, 95, 0), 240, 360)


def _knee(scene: Scene, seed: int, view: View) -> Aim:
    body = build(np.random.default_rng(seed))
    knee(body, scene, WORLD)
    shank(body, scene, WORLD)
    return Aim(vector(0, 10, 0), 165, 230)


def _shank(scene: Scene, seed: int, view: View) -> Aim:
    body = build(np.random.default_rng(seed))
    knee(body, scene, WORLD)
    ankle = shank(body, scene, WORLD)
    foot(body, scene, ankle, 5.0)
    return Aim(ankle.origin * 0.5, 190, 440)


def _ankle(scene: Scene, seed: int, view: View) -> Aim:
    body = build(np.random.default_rng(seed))
    ankle = shank(body, scene, WORLD)
    foot(body, scene, ankle, 5.0)
    return Aim(ankle.point(0, 5, -25 if view == "lateral" else 0), 190 if view == "lateral" else 140, 190)


def _foot(scene: Scene, seed: int, view: View) -> Aim:
    body = build(np.random.default_rng(seed))
    if view != "lateral":  # the sole lies on the film: the beam comes down the leg
        foot(body, scene, Frame(WORLD.origin, ALONG), 0.0)
        return Aim(vector(2, -72 * body.size, 0), 130, 265)
    ankle = shank(body, scene, WORLD)
    foot(body, scene, ankle, 5.0)
    return Aim(ankle.point(0, 22, -62 * body.size), 275, 160)


POSITIONS: dict[str, Laid] = {
    "elbow": _elbow, "finger": _finger, "forearm": _forearm, "hand": _hand, "humerus": _humerus, "shoulder": _shoulder,
    "wrist": _wrist, "pelvis": _pelvis, "hip": _hip, "femur": _femur, "knee": _knee, "shank": _shank, "ankle": _ankle,
    "foot": _foot, "upper_arm": _upper_arm,
}  # fmt: skip
# How far each part can be turned: a trunk is never shot from its side on a limb's film.
MOST = {"humerus": 70.0, "shoulder": 40.0, "upper_arm": 20.0, "pelvis": 0.0, "hip": 12.0, "femur": 10.0}


def lay(part: str, seed: int, view: View) -> tuple[Scene, Aim]:
    """Return a body part's scene in the pose of `view`, and where the film looks. `seed` is the patient's body."""
    scene = Scene()
    return scene, POSITIONS[part](scene, seed, view)


def aim(
    part: str, at: Aim, view: View, size: int, left: bool, rng: np.random.Generator
) -> tuple[Camera, tuple[int, int]]:
    """Return a camera on `at`, with a pose's small errors, and the film's height and width; longest side `size` px."""
    angle = min(ANGLE[view], MOST.get(part, 90.0)) + float(rng.normal(0, 4))
    spin = float(np.clip(rng.normal(180 if at.upright and rng.random() < 0.85 else 0, 6), -20, 200))
    turned = turn("z", spin) @ turn("x", float(rng.normal(0, 4))) @ turn("y", angle)
    mirror = np.diag([1.0 if left else -1.0, 1.0, 1.0])
    zoom = float(np.exp(rng.normal(0.0, 0.07)))
    width, height = at.width * zoom, at.height * zoom * float(np.exp(rng.normal(0, 0.05)))
    scale = size / max(width, height)
    shape = (max(round(height * scale), 32), max(round(width * scale), 32))
    offset = rng.normal(0, 0.035, 2) * (shape[1], shape[0])
    return Camera(mirror @ turned, scale, vector(shape[1] / 2, shape[0] / 2) + offset, at.middle), shape
