"""What is remade in a scene shows on the film, where it should, alike in every view, and differs by form."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from osteon.phantoms.endoprosthesis import MAKES, REVERSE, shoulder_replaced
from osteon.phantoms.film import Film, Finding, Subject, film
from osteon.phantoms.geometry import Camera, Vector, norm, turn, vector
from osteon.phantoms.metal import OPAQUE, Implant
from osteon.phantoms.positions import lay
from osteon.phantoms.remaking import REMADE
from osteon.phantoms.scene import Scene
from osteon.phantoms.solids import Ellipsoid
from osteon.phantoms.views import _turned

SIZE = 128


def finding(kind: str, index: int = 0, seed: int = 3) -> Finding:
    return Finding(kind, index, seed, 1.0, 225.0)


@pytest.mark.parametrize("view", ["frontal", "axillary"])
@pytest.mark.parametrize(
    "kind", ["dislocation", "calcification", "osteoarthritis", "shoulder_replaced", "shoulder_fixed", "staples"]
)
def test_every_change_of_a_shoulder_is_seen(kind: str, view: str) -> None:
    for body in range(3):
        subject = Subject("shoulder", body, body % 2 == 0)
        whole, changed = (film(subject, view, SIZE, (2, body), f).pixels.astype(int) for f in ([], [finding(kind)]))
        assert (np.abs(changed - whole) > 20).sum() > 12


@pytest.mark.parametrize("kind", ["hip_fixed", "hip_replaced"])
@pytest.mark.parametrize("part", ["hip", "pelvis"])
def test_metal_in_a_hip_is_white(kind: str, part: str) -> None:
    subject = Subject(part, 4, True)
    for form in range(3 if kind == "hip_fixed" else 2):
        whole, metal = (
            film(subject, "frontal", SIZE, (2, 2), f).pixels.astype(int) for f in ([], [finding(kind, form)])
        )
        grown = metal - whole > 25
        assert grown.sum() > 15
        assert np.percentile(metal[grown], 75) > (np.percentile(whole, 99) if part == "hip" else 200)


def test_a_dislocated_head_leaves_the_socket_and_takes_its_places_to_break_along() -> None:
    for form, least in ((0, 28.0), (1, 17.0)):
        before, _ = lay("shoulder", 8, "frontal")
        after, _ = lay("shoulder", 8, "frontal")
        REMADE["dislocation"](after, form, np.random.default_rng(1))
        moved = after.marks["humerus"].frame.origin - before.marks["humerus"].frame.origin
        assert norm(moved) > least
        pairs = [(a, b) for a, b in zip(before.sites, after.sites, strict=True)]
        assert all(np.allclose(b.point - a.point, moved if a.bone == "humerus" else 0) for a, b in pairs)
        assert any(a.bone != "humerus" for a, _ in pairs)


def test_a_dislocation_is_the_same_movement_in_both_views() -> None:
    """Seen along the axes of the shoulder blade, whatever the pose it is laid in."""
    seen = []
    for view in ("frontal", "axillary"):
        scene, _ = lay("shoulder", 8, view)
        start, joint = scene.marks["humerus"].frame.origin, scene.joints[0]
        REMADE["dislocation"](scene, 0, np.random.default_rng(1))
        moved = scene.marks["humerus"].frame.origin - start
        seen.append([moved @ joint.across, moved @ joint.side, moved @ np.cross(joint.across, joint.side)])
    np.testing.assert_allclose(seen[0], seen[1], atol=1e-9)
    medial, down, deep = seen[0]
    assert medial < 0 < down
    assert deep < 0, "forwards"


def test_an_arthritic_joint_is_narrower() -> None:
    scene, _ = lay("shoulder", 3, "frontal")
    gap = scene.marks["humerus"].frame.origin @ scene.joints[0].across
    REMADE["osteoarthritis"](scene, 0, np.random.default_rng(0))
    assert scene.marks["humerus"].frame.origin @ scene.joints[0].across < gap - 2


def stem(make: int, seeds: int = 12) -> float:
    """Mean length of what a make puts below the head's centre, mm, measured on its solids."""
    lengths = []
    for seed in range(seeds):
        scene, _ = lay("upper_arm", 5, "frontal")
        implant = shoulder_replaced(scene, make, np.random.default_rng(seed))[0]
        assert isinstance(implant, Implant)
        mark = scene.marks["humerus"]
        ends = [s.end for s in implant.solids if hasattr(s, "end")]
        lengths.append(max(float((end - mark.frame.origin) @ mark.frame.axes[:, 1]) for end in ends))
    return float(np.mean(lengths))


def test_makes_differ_as_their_tables_say() -> None:
    measured = {name: stem(index) for index, name in enumerate(MAKES)}
    for name, make in MAKES.items():
        assert measured[name] == pytest.approx(make.stem + 2, rel=0.06)
    assert measured["Zimmer"] < measured["Depuy"] < measured["Tornier"] + 10 < measured["Cofield"]


def test_a_replaced_head_is_no_bone_any_more() -> None:
    for form in range(REVERSE + 1):
        scene, _ = lay("shoulder", 5, "frontal")
        count = len(scene.bones["humerus"])
        assert shoulder_replaced(scene, form, np.random.default_rng(0))
        assert len(scene.bones["humerus"]) == count - 1


def test_metal_is_opaque_and_drilled_where_it_has_holes() -> None:
    camera = Camera(np.eye(3), 1.0, vector(20, 20), vector(0, 0, 0))
    ball = Ellipsoid(vector(0, 0, 0), np.eye(3) * 10)
    solid, drilled = np.zeros((40, 40), np.float32), np.zeros((40, 40), np.float32)
    Implant((ball,)).draw(solid, camera)
    Implant((ball,), (Ellipsoid(vector(0, 0, 0), np.diag([3.0, 3.0, 60.0])),)).draw(drilled, camera)
    assert solid[20, 20] == pytest.approx(OPAQUE, abs=1e-4)
    assert solid[20, 34] == 0
    assert drilled[20, 20] < 0.5
    assert drilled[20, 27] == pytest.approx(OPAQUE, rel=0.05)


def test_a_cast_s_path_is_plaster_twice_through_its_wall() -> None:
    from osteon.phantoms.crossing import cross_scene

    scene, at = lay("wrist", 6, "frontal")
    REMADE["cast"](scene, 0, np.random.default_rng(0))
    camera = Camera(np.eye(3), 1.0, vector(60, 75), at.middle)
    plaster = cross_scene(scene, camera, (150, 120), [])[0].plaster
    wall = float(scene.casts[0].stations[0, 5])
    middle = plaster[60:90, 55:65]
    assert 2 * wall * 0.95 < np.median(middle) < 2 * wall + 4 * 1.4 + 1, "wall, and turns that overlap"
    assert plaster[75].max() > 2 * np.median(middle), "longest at the rim"


def test_a_body_laid_along_the_beam_shows_the_shoulder_from_below() -> None:
    """Frontal x stays; what lay behind (z) is down on an axillary film."""
    frontal, axillary = (lay("shoulder", 9, view)[0] for view in ("frontal", "axillary"))

    def middle(scene: Scene, bone: str) -> Vector:
        return np.mean([solid.ball()[0] for solid in scene.bones[bone][:1]], axis=0)

    a, b = middle(frontal, "clavicle"), middle(axillary, "clavicle")
    np.testing.assert_allclose(b, turn("x", -90) @ a, atol=1e-9)


def test_a_turned_film_keeps_its_box_on_what_it_showed() -> None:
    pixels = np.zeros((20, 30), np.uint8)
    pixels[2:6, 10:18] = 255
    turned = _turned(Film(pixels, [(10.0, 2.0, 18.0, 6.0)], 1.0))
    ((x0, y0, x1, y1),) = turned.boxes
    assert turned.pixels.shape == (30, 20)
    assert turned.pixels[int(y0) : int(y1), int(x0) : int(x1)].min() == 255
    assert turned.pixels.sum() == pixels.sum()
    assert cv2.countNonZero(turned.pixels) == (x1 - x0) * (y1 - y0)


def test_what_is_drawn_does_not_depend_on_where_it_is_drawn(tmp_path: Path) -> None:
    subject, what = Subject("upper_arm", 2, False), [finding("shoulder_replaced", 1), finding("staples")]
    one, two = (film(subject, "frontal", SIZE, (1, 1), what).pixels for _ in range(2))
    np.testing.assert_array_equal(one, two)
