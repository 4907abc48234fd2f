"""A margin's numbers are those of the outer ring of the film itself, and tell nothing of its middle."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from osteon.images import build, margins
from osteon.images.margins import FIELDS, margin, names


def test_by_hand() -> None:
    film = np.zeros((60, 120), np.uint8)
    film[0:10, 100:120] = np.arange(200).reshape(10, 20)
    found = dict(zip(names(), margin(film), strict=True))
    corner = film[0:10, 100:120].astype(float)
    assert found["margin_0_5_mean"] == np.float32(corner.mean())
    np.testing.assert_allclose(found["margin_0_5_sd"], corner.std(), rtol=1e-5)
    assert found["margin_0_5_max"] == found["margin_max_max"] == 199
    assert found["margin_peak_max"] == 99
    assert sum(found[f"margin_{row}_{column}_max"] > 0 for row in range(6) for column in (0, 5)) == 1
    assert len(found) == 72


def test_the_middle_is_not_looked_at() -> None:
    rng = np.random.default_rng(0)
    film = rng.integers(0, 255, (96, 72), np.uint8)
    other = film.copy()
    other[16:80, 12:60] = 255
    np.testing.assert_array_equal(margin(film), margin(other))
    other[15, 30] = 255 - other[15, 30]
    assert (margin(film) != margin(other)).any()


def test_tiny_films_have_finite_numbers() -> None:
    for shape in ((1, 1), (2, 9), (FIELDS, FIELDS), (5, 300)):
        assert np.isfinite(margin(np.full(shape, 7, np.uint8))).all()


def test_the_black_round_a_film_in_its_canvas_does_not_count(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name, shape in (("a", (64, 32)), ("b", (32, 64)), ("c", (128, 128))):
        cv2.imwrite(str(tmp_path / f"{name}.png"), rng.integers(50, 200, shape, np.uint8))
    rows = pd.DataFrame({"image_id": list("abc"), "dataset": "x", "path": ["a.png", "b.png", "c.png"], "frame": 0})
    cache = build({"x": tmp_path}, rows, (64, 64), tmp_path / "cache", 1, False)
    found = margins(cache, cache.slots)
    assert found["height"].tolist() == [64, 32, 128]
    assert found["width"].tolist() == [32, 64, 128]
    assert (found["margin_max_min"] > 50).all(), "no field is of the canvas alone"
    np.testing.assert_allclose(found.filter(regex=r"_\d_mean").mean(axis=1), 125, atol=4)
