"""Boxes that went through letterbox and augmentation are the clipped hulls of where their corners' pixels went."""

from functools import cache

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.data.test_canvas import index_of

from osteon.augment import Augmenter, build_augment
from osteon.config import Augment
from osteon.data import canvas_of

SIZE = (64, 96)
LIFT = 20  # of the ramps, so that what a warp bares (0) is told from them
STEP = 2  # grey levels a pixel
GEOMETRY = {"horizontal_flip": 0.5, "vertical_flip": 0.5, "rotate": 25.0, "translate": 0.1, "scale": 0.2, "shear": 8.0}


@cache
def augmenter() -> Augmenter:
    return build_augment(Augment(**(dict.fromkeys(Augment.model_fields, 0.0) | GEOMETRY)), SIZE)


def pixels_moved(seed: int) -> np.ndarray:
    """Return the (2, 3) affine map of points, as two ramps show it: pixel centres lie at half numbers."""
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    ramps = [augmenter()((LIFT + STEP * axis).astype(np.uint8), seed).astype(float) for axis in (x, y)]
    inside = np.logical_and(*(ramp >= LIFT for ramp in ramps))
    after = np.column_stack([x[inside] + 0.5, y[inside] + 0.5, np.ones(inside.sum())])
    before = np.column_stack([(ramp[inside] - LIFT) / STEP + 0.5 for ramp in ramps])
    # Robustly: pixels on the seam are blended with black.
    fitted = np.linalg.lstsq(after, before, rcond=None)[0]
    close = np.abs(after @ fitted - before).max(axis=1) < np.quantile(np.abs(after @ fitted - before).max(axis=1), 0.8)
    fitted = np.linalg.lstsq(after[close], before[close], rcond=None)[0]
    back = np.vstack([fitted.T, [0, 0, 1]])
    return np.linalg.inv(back)[:2]


def hull(box: np.ndarray, move: np.ndarray) -> np.ndarray:
    corners = np.array([[x, y, 1.0] for x in box[[0, 2]] for y in box[[1, 3]]]) @ move.T
    limits = np.array([SIZE[1], SIZE[0]])
    return np.concatenate([corners.min(0).clip(0, limits), corners.max(0).clip(0, limits)])


@settings(deadline=None, max_examples=150)
@given(
    st.tuples(st.integers(20, 400), st.integers(20, 400)),
    st.tuples(*[st.floats(0.0, 1.0)] * 4),
    st.integers(0, 2**63 - 1),
)
def test_boxes_are_the_clipped_hulls_of_their_mapped_corners(
    extent: tuple[int, int], place: tuple[float, float, float, float], seed: int
) -> None:
    height, width = extent
    x, y = np.sort(place[:2]) * width, np.sort(place[2:]) * height
    box = np.array([x[0], y[0], max(x[1], x[0] + 1), max(y[1], y[0] + 1), 4.0])
    box[[0, 2]], box[[1, 3]] = box[[0, 2]].clip(0, width), box[[1, 3]].clip(0, height)
    canvas = canvas_of(np.zeros(1, np.int64), index_of(height, width), SIZE, np.zeros(1, bool))
    placed = canvas.place(box[None, None])[0].astype(np.float32)
    expected = hull(placed[0, :4].astype(float), pixels_moved(seed))
    found = augmenter().with_boxes(np.zeros(SIZE, np.uint8), placed, seed)[1]
    if len(found):
        np.testing.assert_allclose(found[0, :4], expected, atol=0.5)
        assert found[0, 4] == 4.0
    else:  # nothing of it is left, or so little that rounding decides: either corner is right to half a pixel
        assert (expected[2:] - expected[:2]).min() < 1.0
