"""A worn knee seen from the front. Frame: origin in the middle of the tibial plateau, x lateral, y distal, z dorsal."""

import numpy as np

from osteon.phantoms.anatomy.osteoarthritis import Wear
from osteon.phantoms.body import Build, build
from osteon.phantoms.contour import Contour
from osteon.phantoms.geometry import WORLD, Vector
from osteon.phantoms.plates import smooth_loop
from osteon.phantoms.scene import Scene
from osteon.phantoms.solids import ball

# Outlines of a man's knee whose bones just touch; the spurs' tips and the intercondylar spines are moved by name.
FEMUR = (
    (-21, -96), (-23, -70), (-27, -54), (-34, -43), (-39.5, -35), (-41, -26), (-40, -17), (-39.4, -10), (-37.2, -4.2),
    (-32, -0.6), (-23.5, 1.0), (-15.5, -0.4), (-10.5, -4.5), (-6.5, -9.5), (0, -12.5), (6.5, -9.5), (10.5, -4.6),
    (16, -0.6), (24, 0.4), (32, -1.2), (37, -5.2), (38.6, -12), (39.5, -20), (39, -30), (35, -41), (28, -52),
    (23, -69), (22, -96),
)  # fmt: skip
TIBIA = (
    (-38, 8), (-37.4, 2), (-33, 0.4), (-24, 1.7), (-15, 0.8), (-9.5, -1.5), (-5.5, -5.8), (-0.5, -3.8), (4, -5.2),
    (8, -1.7), (15, 0.2), (24, 0.4), (32, 0.5), (37, 2.2), (37.8, 8), (35, 18), (29, 30), (23.5, 44), (20, 62),
    (19, 92), (-18, 92), (-19, 62), (-23, 44), (-31, 30), (-36.5, 18),
)  # fmt: skip
FEMUR_TIPS, TIBIA_TIPS = (8, 20), (1, 13)  # where a medial and a lateral spur grow
SPINES, NOTCH = [6, 8], slice(13, 16)
SMOOTH = 12  # points drawn on a side of an outline, where its height is measured
DEPTH, RIM, SHELL = 34.0, 11.0, 0.8  # mm: of the bones along the beam, of their rounded edge, of their cortex
LAYERS = (1.0, 0.72, 0.48, 0.28)  # share of a sclerotic band's height that each of its layers has
SPONGY = 0.3  # share of the inside that is trabeculae
COMPARTMENT = (13.0, 33.0)  # mm from the middle: where a compartment's joint space is measured


def worn_knee(scene: Scene, body: int, left: bool, worn: Wear) -> tuple[float, float]:
    """Add one knee of a body to `scene`; return the joint space drawn, medial and lateral, mm."""
    whose, own = build(np.random.default_rng(body)), np.random.default_rng([body, 5 + left])
    femur, tibia = _outlines(whose, worn, own)
    for name, outline, thick in (("femur", femur, DEPTH), ("tibia", tibia, DEPTH * 0.92)):
        flat = np.pad(outline, ((0, 0), (0, 1)))
        scene.add(name, Contour(flat, thick * whose.girth, RIM, SHELL * whose.cortex, SPONGY))
    _details(whose, scene, own)
    _joint_lines(whose, scene, worn, femur, tibia)
    scene.tissue.append(whose.sleeve(WORLD, (2, -150), (4, 150), (70, 66), (66, 62), (62, 60), (60, 58), (58, 56)))
    return joint_space(femur, tibia, whose.size)


def _outlines(body: Build, worn: Wear, rng: np.random.Generator) -> tuple[Vector, Vector]:
    """Return the outlines of femur and tibia, (n, 2), mm."""
    broad, middle = float(rng.normal(1, 0.02)), sum(COMPARTMENT) / 2
    femur, tibia = (np.array(points, float) * (broad, 1.0) for points in (FEMUR, TIBIA))
    for points in (femur, tibia):
        points += rng.normal(0, 0.22, points.shape)
    femur[NOTCH, 1] += rng.normal(0, 1.5)
    tibia[SPINES, 1] += rng.normal(0, 0.9, 2) - 0.35 * max(worn.tibia)
    for side, sign in enumerate((-1, 1)):
        _spur(femur, FEMUR_TIPS[side], sign, worn.femur[side] / body.size, 0.35)
        _spur(tibia, TIBIA_TIPS[side], sign, worn.tibia[side] / body.size, -0.2)
        rim = (tibia[:, 0] * sign > 11) & (tibia[:, 1] < 9)
        tibia[rim, 1] += worn.sunk[side] * (np.abs(tibia[rim, 0]) - 11) / 25
    touch = joint_space(femur, tibia, 1.0)
    inner, outer = (space / body.size - gap for space, gap in zip(worn.space, touch, strict=True))
    share = (np.clip(femur[:, 0], -middle, middle) + middle) / (2 * middle)
    femur[:, 1] -= inner + share * (outer - inner)
    return femur * body.size, tibia * body.size


def _spur(points: Vector, tip: int, sign: int, length: float, lean: float) -> None:
    """Draw out a margin's point by `length` mm, in place; its neighbours follow a little."""
    points[tip] += (sign * length, lean * length)
    points[[tip - 1, tip + 1], 0] += sign * 0.18 * length


def joint_space(femur: Vector, tibia: Vector, size: float) -> tuple[float, float]:
    """Return the least height (mm) between two outlines (n, 2) in the medial and the lateral compartment."""
    inner, outer = np.linspace(*COMPARTMENT, 41) * -size, np.linspace(*COMPARTMENT, 41) * size
    gaps = [_edge(tibia, TIBIA_TIPS, at) - _edge(femur, FEMUR_TIPS, at) for at in (inner, outer)]
    return float(gaps[0].min()), float(gaps[1].min())


def _edge(outline: Vector, tips: tuple[int, int], at: Vector) -> Vector:
    """Return the height of a bone's joint surface at `at`, mm."""
    curve = smooth_loop(outline, SMOOTH)[tips[0] * SMOOTH : tips[1] * SMOOTH]
    order = np.argsort(curve[:, 0])
    return np.asarray(np.interp(at, curve[order, 0], curve[order, 1]))


def _details(body: Build, scene: Scene, rng: np.random.Generator) -> None:
    """Add fibula and patella, the scars of the growth plates, and the plateau's far rim."""
    s, (lift, shift) = body.size, rng.normal(0, (4, 3))
    head = ((0, 0, 6, 6, 1.0), (0.06, 0, 9, 8.5, 1.1), (0.2, 0, 6.5, 6.5, 1.8), (1, 0, 6, 6, 2.4))
    scene.add("fibula", body.loft(WORLD, (36 * s, 11 * s, 14), (31 * s, 110 * s, 14), *head, ends=0.9))
    patella = (20 * s, 22 * s, 4.5 * s)
    scene.add("patella", ball(WORLD, (shift * s, (-40 + lift) * s, -30), patella, 0.35 * body.cortex))
    for name, y, wide in (("femur_scar", -36.0, 33.0), ("tibia_scar", 18.0, 26.0)):
        scar = (wide * s, 1.6 * s, float(rng.uniform(0.3, 1.0)))
        scene.add(name, ball(WORLD, (shift * 0.3, y * s), scar, scar[2], float(rng.normal(0, 2))))


def _joint_lines(body: Build, scene: Scene, worn: Wear, femur: Vector, tibia: Vector) -> None:
    """Add the dense bone under the joint's surfaces: a fine line, and in a worn knee broad bands that fade inwards."""
    for bone, outline, tips, sign, line in (
        ("tibia", tibia, TIBIA_TIPS, 1, 5.0),
        ("femur", femur, FEMUR_TIPS, -1, 2.0),
    ):
        for side, half in enumerate((-1, 1)):
            at, dense = np.linspace(9.5, 35.5, 9) * half * body.size, worn.dense[side]
            surface, high = _edge(outline, tips, at), (4.0 + 5.0 * dense) * sign * body.size
            scene.add(f"{bone}_line_{half}", _band(at, surface, 1.5 * sign * body.size, line * body.cortex))
            for layer, share in enumerate(LAYERS if dense > 0.02 else ()):
                scene.add(f"{bone}_dense_{half}_{layer}", _band(at, surface, high * share, 2.4 * dense))


def _band(at: Vector, surface: Vector, high: float, thick: float) -> Contour:
    """Return dense bone from a joint's surface (x and y, mm) to `high` mm below it, tapered at both ends."""
    under = surface + high * np.sin(np.linspace(0.25, np.pi - 0.25, len(at)))
    x, y = np.concatenate([at, at[::-1]]), np.concatenate([surface, under[::-1]])
    return Contour(np.stack([x, y, np.zeros_like(x)], 1), thick, abs(high) / 2, 99.0)
