"""Closed forms against volumes: the sum of path lengths over the film is the solid's volume, from any direction."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osteon.phantoms.geometry import WORLD, Camera, Vector, cross, norm, turn, unit, vector
from osteon.phantoms.plates import Plate
from osteon.phantoms.solids import Ellipsoid, Loft, Solid, ball

SCALE = 3.0


def camera(turned: Vector) -> Camera:
    return Camera(turned, SCALE, vector(120, 120), vector(0, 0, 0))


def volumes(solid: Solid, turned: Vector) -> tuple[float, float]:
    x, y = np.meshgrid(np.arange(240, dtype=np.float32), np.arange(240, dtype=np.float32))
    outside, hollow = solid.shadow(camera(turned)).paths(x, y)
    assert (hollow <= outside + 1e-4).all()
    return float(outside.sum()) / SCALE**2, float(hollow.sum()) / SCALE**2


angles = st.floats(-180, 180)


@settings(max_examples=15, deadline=None)
@given(angles, angles, st.tuples(*[st.floats(4, 18)] * 3))
def test_ellipsoid_has_its_volume_from_any_side(a: float, b: float, half: tuple[float, float, float]) -> None:
    outside, _ = volumes(ball(WORLD, (1, -2, 3), half), turn("x", a) @ turn("y", b))
    assert outside == pytest.approx(4 / 3 * np.pi * np.prod(half), rel=0.02)


def test_hollow_of_an_ellipsoid_is_a_smaller_one() -> None:
    outside, hollow = volumes(ball(WORLD, (0, 0), (10, 10, 10), cortex=2.0), np.eye(3))
    assert hollow / outside == pytest.approx(0.8**3, rel=0.02)


def tube(tilt: float) -> Loft:
    direction = turn("x", tilt) @ vector(0, 1, 0)
    stations = np.array([(0, 0, 0, 8, 5, 1.5), (1, 0, 0, 8, 5, 1.5)], float)
    return Loft(-25 * direction, 25 * direction, vector(1, 0, 0), stations, round_ends=0.01)


@pytest.mark.parametrize("tilt", [0, 30, 55])
@pytest.mark.parametrize("roll", [0, 40, 90])
def test_tube_has_its_volume_leaning_and_rolled(tilt: float, roll: float) -> None:
    outside, hollow = volumes(tube(tilt), turn("y", roll) if tilt == 0 else np.eye(3))
    assert outside == pytest.approx(np.pi * 8 * 5 * 50, rel=0.03)
    assert hollow == pytest.approx(np.pi * 6.5 * 3.5 * 50, rel=0.03)


def test_tube_seen_along_its_axis_is_drawn_as_something_solid() -> None:
    outside, _ = volumes(tube(88), np.eye(3))
    assert outside == pytest.approx(np.pi * 8 * 5 * 50, rel=0.25)


def test_cortex_is_thickest_at_the_edge_of_a_shaft() -> None:
    x = np.linspace(100, 140, 81, dtype=np.float32)
    outside, hollow = tube(0).shadow(camera(np.eye(3))).paths(x[None], np.full((1, 81), 120, np.float32))
    cortex = (outside - hollow)[0]
    assert cortex[40] == pytest.approx(3.0, abs=0.05)
    assert cortex.max() > 1.8 * cortex[40]


def test_plate_is_thick_inside_and_nothing_outside() -> None:
    square = np.array([(-15, -15, 0), (15, -15, 0), (15, 15, 0), (-15, 15, 0)], float)
    x, y = np.meshgrid(np.arange(240, dtype=np.float32), np.arange(240, dtype=np.float32))
    outside, hollow = Plate(square, 6.0, cortex=1.0).shadow(camera(np.eye(3))).paths(x, y)
    assert outside[120, 120] == pytest.approx(6.0, abs=0.1)
    assert hollow[120, 120] == pytest.approx(4.0, abs=0.2)
    assert outside[10, 10] == 0


@pytest.mark.parametrize("solid", [ball(WORLD, (0, 0), (9, 4, 6)), tube(20)])
def test_nothing_lies_outside_the_ball_that_is_said_to_hold_it(solid: Ellipsoid | Loft) -> None:
    centre, radius = solid.ball()
    x, y = np.meshgrid(np.arange(240, dtype=np.float32), np.arange(240, dtype=np.float32))
    outside, _ = solid.shadow(camera(np.eye(3))).paths(x, y)
    at = camera(np.eye(3)).film(centre)
    far = np.hypot(x - at[0], y - at[1]) > radius * SCALE + 1
    assert outside[far].max() == 0


@given(angles, st.sampled_from("xyz"))
def test_rotations_keep_lengths_and_cross_products(angle: float, axis: str) -> None:
    a, b = vector(1, 2, 3), vector(-2, 0.5, 1)
    turned = turn(axis, angle)
    assert norm(turned @ a) == pytest.approx(norm(a))
    np.testing.assert_allclose(cross(turned @ a, turned @ b), turned @ np.cross(a, b), atol=1e-9)
    assert norm(unit(a)) == pytest.approx(1)
