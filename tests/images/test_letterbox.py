import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osteon.images import letterbox
from osteon.images.letterbox import fit

sides = st.integers(1, 4000)
canvases = st.tuples(st.integers(8, 1024), st.integers(8, 1024))


@given(sides, sides, canvases, st.lists(st.tuples(*[st.floats(0, 4000)] * 4), max_size=5))
def test_boxes_come_back(height: int, width: int, size: tuple[int, int], boxes: list[tuple[float, ...]]) -> None:
    place = fit(height, width, size)
    xyxy = np.array(boxes, float).reshape(-1, 4)
    np.testing.assert_allclose(place.unmap_boxes(place.map_boxes(xyxy)), xyxy, atol=1e-6)
    np.testing.assert_allclose(place.map_boxes(place.unmap_boxes(xyxy)), xyxy, atol=1e-6)


@given(sides, sides, canvases)
def test_the_image_lies_centred_inside_and_touches_two_sides(height: int, width: int, size: tuple[int, int]) -> None:
    place = fit(height, width, size)
    rows, columns = place.inner
    assert rows == size[0] or columns == size[1]
    for inner, outer, before in ((rows, size[0], place.top), (columns, size[1], place.left)):
        assert 1 <= inner <= outer
        assert before == (outer - inner) // 2
    whole = place.map_boxes(np.array([[0.0, 0.0, width, height]]))
    np.testing.assert_allclose(whole, [[place.left, place.top, place.left + columns, place.top + rows]], atol=1e-6)


@settings(max_examples=40)
@given(st.integers(60, 300), st.integers(60, 300), st.tuples(st.integers(48, 200), st.integers(48, 200)))
def test_a_bright_box_lands_where_its_coordinates_are_mapped(height: int, width: int, size: tuple[int, int]) -> None:
    image = np.zeros((height, width), np.uint8)
    x1, y1, x2, y2 = width // 4, height // 3, width - width // 4, height - height // 3
    image[y1:y2, x1:x2] = 255
    canvas, place = letterbox(image, size)
    assert canvas.shape == size
    assert canvas.dtype == np.uint8
    lit = np.argwhere(canvas > 127)
    box = place.map_boxes(np.array([[x1, y1, x2, y2]]))[0]
    found = [lit[:, 1].min(), lit[:, 0].min(), lit[:, 1].max() + 1, lit[:, 0].max() + 1]
    assert np.abs(box - found).max() <= 1.0


@pytest.mark.parametrize("shape", [(100, 50), (50, 100), (64, 64), (1, 500), (500, 1), (8, 8)])
def test_padding_is_zero_and_the_mean_is_kept(shape: tuple[int, int]) -> None:
    canvas, place = letterbox(np.full(shape, 200, np.uint8), (64, 64))
    rows, columns = place.inner
    inside = np.zeros((64, 64), bool)
    inside[place.top : place.top + rows, place.left : place.left + columns] = True
    assert (canvas[inside] == 200).all()
    assert (canvas[~inside] == 0).all()


def test_an_image_of_the_canvas_size_is_untouched() -> None:
    image = np.random.default_rng(0).integers(0, 256, (48, 32), dtype=np.uint8)
    np.testing.assert_array_equal(letterbox(image, (48, 32))[0], image)


def test_shrinking_averages_areas_instead_of_picking_pixels() -> None:
    fine = np.tile(np.array([[0, 255]], np.uint8), (128, 64))
    np.testing.assert_allclose(letterbox(fine, (64, 64))[0], 128, atol=1)
