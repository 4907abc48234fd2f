"""Weighted draws: as often as weights say, disjoint over ranks, the same again, repeats augmented anew."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from osteon.data import Radiographs, WeightedSampler
from osteon.errors import OsteonError


def noisy(image: np.ndarray, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, image.shape, dtype=np.uint8)


def test_rows_are_drawn_as_often_as_they_weigh() -> None:
    """90 negatives and 10 positives at inverse frequency: half of the draws each, all rows of a class alike."""
    weights = np.repeat([100 / 180, 100 / 20], [90, 10])
    drawn = np.array([row for epoch in range(200) for _, row, *_ in WeightedSampler(weights, 0, lambda e=epoch: e)])
    counts = np.bincount(drawn, minlength=100)
    assert len(drawn) == 20_000
    assert chisquare(counts, 20_000 * weights / weights.sum()).pvalue > 0.001
    assert chisquare(counts).pvalue < 1e-10, "the test can fail"


def test_rows_of_weight_zero_are_never_drawn() -> None:
    drawn = {row for _, row, *_ in WeightedSampler(np.array([0.0, 1, 0, 2]), 5, lambda: 0)}
    assert drawn <= {1, 3}


@given(st.integers(1, 60), st.integers(0, 3), st.integers(0, 9))
def test_every_draw_has_a_row_and_turn_of_its_own(length: int, seed: int, epoch: int) -> None:
    whole = [draw[:3] for draw in WeightedSampler(np.arange(1.0, length + 1), seed, lambda: epoch)]
    assert len(set(whole)) == len(whole) == length
    for row in {row for _, row, _ in whole}:
        turns = [turn for _, at, turn in whole if at == row]
        assert turns == list(range(len(turns)))


def test_draws_change_by_epoch_and_seed_only() -> None:
    weights = np.ones(50)
    one, again, later, other = (
        list(WeightedSampler(weights, seed, lambda at=epoch: at)) for seed, epoch in ((0, 3), (0, 3), (0, 4), (1, 3))
    )
    assert one == again
    assert [draw.position for draw in one] != [draw.position for draw in later]
    assert [draw.position for draw in one] != [draw.position for draw in other]
    assert {draw.epoch for draw in later} == {4}


@pytest.mark.parametrize("weights", [[1.0, -1.0], [np.nan, 1.0], [0.0, 0.0], [np.inf, 1.0]])
def test_weights_that_are_no_chances_are_refused(weights: list[float]) -> None:
    with pytest.raises(OsteonError, match="row weights"):
        WeightedSampler(np.array(weights), 0, lambda: 0)


def test_repeats_of_a_row_are_augmented_differently(tmp_path: Path) -> None:
    np.save(tmp_path / "images.npy", np.zeros((2, 8, 6), np.uint8))
    data = Radiographs(tmp_path / "images.npy", np.arange(2), np.arange(2), {"a": np.ones(2)}, noisy, seed=3)
    images = [data[(0, 1, turn)].image for turn in range(3)]
    assert not any(np.array_equal(images[i], images[j]) for i, j in ((0, 1), (0, 2), (1, 2)))
    assert np.array_equal(images[0], data[(0, 1)].image), "the first turn is that of an epoch without repeats"
    assert np.array_equal(images[2], data[(0, 1, 2)].image)
