"""Batches carry presence, numbers depend neither on workers nor on ranks, evaluation is unpadded."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from osteon.data import OrderedSampler, RadiographData, Radiographs, Sample, ShuffledSampler, collate, sample_seed


def noisy(image: np.ndarray, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, image.shape, dtype=np.uint8)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    pixels = np.stack([np.full((8, 6), slot, dtype=np.uint8) for slot in range(20)])
    np.save(tmp_path / "images.npy", pixels)
    return tmp_path / "images.npy"


def make(store: Path, workers: int = 0, batch: int = 4) -> RadiographData:
    manifest = pd.DataFrame({"split": ["train"] * 12 + ["val"] * 5 + ["test"] * 3, "slot": np.arange(20)[::-1]})
    first = np.arange(20, dtype=np.float32) % 2
    second = np.where(np.arange(20) < 6, np.nan, 1.0).astype(np.float32)
    first[11] = np.nan
    return RadiographData(manifest, store, {"a": first, "b": second}, batch, workers, noisy, seed=3)


def test_collate_keeps_absence() -> None:
    image = np.zeros((4, 4), np.uint8)
    batch = collate([Sample(image, 7, {"a": 1.0}), Sample(image, 9, {"a": float("nan")})])
    assert batch.images.shape == (2, 1, 4, 4)
    assert batch.images.dtype == torch.uint8
    assert batch.rows.tolist() == [7, 9]
    assert batch.present["a"].tolist() == [True, False]
    assert torch.isfinite(batch.targets["a"]).all()


def test_evaluation_is_in_order_and_whole(store: Path) -> None:
    data = make(store)
    rows = torch.cat([batch.rows for batch in data.val_dataloader()])
    assert rows.tolist() == [12, 13, 14, 15, 16]
    images = torch.cat([batch.images for batch in data.test_dataloader()])
    assert images[:, 0, 0, 0].tolist() == [2, 1, 0], "a row's pixels are those of its slot, not augmented"


def test_unlabelled_rows_are_not_trained_on(store: Path) -> None:
    data = make(store)
    data.targets = {"a": data.targets["a"]}
    rows = torch.cat([batch.rows for batch in data.train_dataloader()])
    assert sorted(rows.tolist()) == list(range(11))


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_do_not_change_a_number(store: Path, workers: int) -> None:
    alone = [batch.images for batch in make(store).train_dataloader()]
    helped = [batch.images for batch in make(store, workers).train_dataloader()]
    assert all(torch.equal(one, two) for one, two in zip(alone, helped, strict=True))


def test_augmentation_differs_by_epoch_and_image_only(store: Path) -> None:
    data = make(store).dataset("train")
    assert np.array_equal(data[(0, 1)].image, data[(0, 1)].image)
    assert not np.array_equal(data[(0, 1)].image, data[(1, 1)].image)
    assert not np.array_equal(data[(0, 1)].image, data[(0, 2)].image)


@given(st.integers(1, 200), st.integers(0, 3), st.integers(0, 9))
def test_an_epoch_is_every_row_once(length: int, seed: int, epoch: int) -> None:
    drawn = list(ShuffledSampler(length, seed, lambda: epoch))
    assert sorted(draw.position for draw in drawn) == list(range(length))
    assert {draw.epoch for draw in drawn} == {epoch}


def test_order_changes_by_epoch() -> None:
    orders = [[d.position for d in ShuffledSampler(50, 0, lambda epoch=epoch: epoch)] for epoch in range(3)]
    assert len({tuple(order) for order in orders}) == 3


@given(st.integers(1, 50), st.integers(1, 8))
def test_evaluation_covers_every_row_and_leaves_no_rank_empty(length: int, world: int) -> None:
    parts = [[draw.position for draw in OrderedSampler(length, rank, world)] for rank in range(world)]
    assert all(parts)
    assert set().union(*parts) == set(range(length))
    assert sum(map(len, parts)) == max(length, world)


def test_a_last_batch_of_one_is_dropped(store: Path) -> None:
    assert [len(batch) for batch in make(store, batch=11).train_dataloader()] == [11]
    assert [len(batch) for batch in make(store, batch=5).train_dataloader()] == [5, 5, 2]


def test_dataset_pickles_without_its_open_store(store: Path) -> None:
    import pickle

    data = make(store).dataset("train")
    before = data[(0, 0)].image
    copy: Radiographs = pickle.loads(pickle.dumps(data))
    assert copy._store is None
    assert np.array_equal(copy[(0, 0)].image, before)


def test_seeds_do_not_collide_nearby() -> None:
    seeds = {sample_seed(seed, epoch, row) for seed in range(3) for epoch in range(10) for row in range(300)}
    assert len(seeds) >= 8995


def test_several_labels_of_an_image_are_absent_each_for_itself(store: Path) -> None:
    image = np.zeros((4, 4), np.uint8)
    told = [np.array([1.0, np.nan, 0.0], dtype=np.float32), np.array([np.nan, np.nan, 1.0], dtype=np.float32)]
    batch = collate([Sample(image, row, {"a": values, "b": 1.0}) for row, values in enumerate(told)])
    assert batch.targets["a"].tolist() == [[1, 0, 0], [0, 0, 1]]
    assert batch.present["a"].tolist() == [[True, False, True], [False, False, True]]
    assert (batch.targets["a"].dtype, batch.targets["b"].tolist()) == (torch.float32, [1, 1])
    assert batch.to(torch.device("cpu")).present["a"].shape == (2, 3)


def test_an_image_with_any_label_is_trained_on_and_its_labels_are_its_own(store: Path) -> None:
    data = make(store)
    several = np.full((20, 2), np.nan)
    several[3], several[5, 1] = (1.0, 0.0), 1.0
    data.targets = {"a": several}
    batch = next(iter(data.train_dataloader()))
    order = batch.rows.argsort()
    assert batch.rows[order].tolist() == [3, 5]
    assert batch.targets["a"][order].tolist() == [[1, 0], [0, 1]]
    assert batch.present["a"][order].tolist() == [[True, True], [False, True]]
