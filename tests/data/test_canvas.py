"""Boxes go to the canvas and back as their pixels do."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from osteon.data import canvas_of
from osteon.images.letterbox import fit, letterbox

SIZE = (64, 96)
SIDES = st.integers(8, 400)


def index_of(height: int, width: int) -> pd.DataFrame:
    place = fit(height, width, SIZE)
    return pd.DataFrame(
        [{"scale": place.scale, "top": place.top, "left": place.left, "height": height, "width": width}]
    )


@given(SIDES, SIDES, st.booleans(), st.integers(0, 2**31))
def test_there_and_back_is_where_it_was(height: int, width: int, mirror: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    corner = rng.uniform(0, 0.7, (3, 2)) * [width, height]
    boxes = np.column_stack([corner, corner + rng.uniform(0.1, 0.3, (3, 2)) * [width, height], [0, 1, 2]])
    canvas = canvas_of(np.zeros(1, np.int64), index_of(height, width), SIZE, np.array([mirror]))
    placed = canvas.place(boxes[None])[0]
    assert (placed[:, [0, 2]] >= -1e-9).all()
    assert (placed[:, [0, 2]] <= SIZE[1] + 1e-9).all()
    assert (placed[:, [1, 3]] <= SIZE[0] + 1e-9).all()
    np.testing.assert_allclose(canvas.restore(0, placed), boxes, atol=1e-6)


@given(st.integers(60, 200), st.integers(60, 200), st.booleans(), st.integers(0, 2**31))
def test_a_box_lies_on_the_canvas_where_its_pixels_do(height: int, width: int, mirror: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.integers(0, width - 30), rng.integers(0, height - 30)
    w, h = rng.integers(20, 30, 2)
    image = np.zeros((height, width), np.uint8)
    image[y : y + h, x : x + w] = 255
    pixels = letterbox(image, SIZE)[0]
    pixels = pixels[:, ::-1] if mirror else pixels
    bright = np.argwhere(pixels > 127)
    hull = [*bright.min(0)[::-1], *(bright.max(0)[::-1] + 1)]
    canvas = canvas_of(np.zeros(1, np.int64), index_of(height, width), SIZE, np.array([mirror]))
    box = np.array([[[x, y, x + w, y + h, 0.0]]], float)
    np.testing.assert_allclose(canvas.place(box)[0, 0, :4], hull, atol=1.01)


def test_rows_of_no_box_and_of_no_look_stay_as_they_are() -> None:
    canvas = canvas_of(np.zeros(2, np.int64), index_of(50, 70), SIZE, np.array([True, False]))
    empty = np.array([[[0.0, 0, 0, 0, -1]], [[np.nan] * 5]])
    np.testing.assert_array_equal(canvas.place(empty), empty)
