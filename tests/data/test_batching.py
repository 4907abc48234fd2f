"""A batch is the same whatever the number of processes, and every process has a part in it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.composing import config

from osteon.data import Draw, RadiographData, Radiographs, ShuffledSampler, WeightedSampler, mixture
from osteon.data.batching import MixedBatches, batches
from osteon.data.samplers import SILENT
from osteon.data.sampling import row_weights, shares, sizes
from osteon.errors import OsteonError


@given(st.integers(1, 90), st.integers(1, 6), st.integers(1, 4), st.integers(0, 9), st.booleans())
def test_processes_share_the_very_batches_of_one(rows: int, each: int, world: int, epoch: int, weighted: bool) -> None:
    def stream() -> ShuffledSampler | WeightedSampler:
        made = WeightedSampler(np.arange(1.0, rows + 1), 3, lambda: epoch) if weighted else None
        return made or ShuffledSampler(rows, 3, lambda: epoch)

    size = each * world
    whole = list(MixedBatches(stream(), size))
    parts = [list(MixedBatches(stream(), size, rank, world)) for rank in range(world)]
    assert {len(part) for part in parts} == {len(whole)} == {batches(rows, size)}
    for number, batch in enumerate(whole):
        mine = [part[number] for part in parts]
        assert all(mine), "no process waits for another"
        loud = sorted(draw for part in mine for draw in part if draw.turn != SILENT)
        assert loud == sorted(batch)
        assert min(map(len, mine)) >= min(2, each, len(batch) if world == 1 else 2)
    left = rows - sum(map(len, whole))
    assert left == (1 if rows > size and rows % size == 1 else 0)


def test_a_silent_image_carries_no_label(tmp_path: Path) -> None:
    np.save(tmp_path / "images.npy", np.arange(2 * 48, dtype=np.uint8).reshape(2, 8, 6))
    boxes = np.tile(np.array([1, 1, 4, 4, 0], np.float32), (2, 3, 1))
    targets = {"a": np.ones(2), "several": np.ones((2, 2)), "boxes": boxes}
    data = Radiographs(tmp_path / "images.npy", np.arange(2), np.arange(2), targets)
    told, silent = data[Draw(0, 1)].targets, data[Draw(0, 1, SILENT)].targets
    for name in targets:
        assert np.isfinite(told[name]).all()
        assert np.isnan(silent[name]).all()
        assert np.shape(silent[name]) == np.shape(told[name])
    for_one = data[Draw(0, 1, 0, task=1)].targets
    assert [bool(np.isnan(for_one[name]).all()) for name in targets] == [True, False, True]


def data_of(words: tuple[str, ...], store: Path, batch: int = 12) -> RadiographData:
    """80 rows of `a` and 16 of `b`, of two datasets; 4 of them carry both labels."""
    first, second = np.full(100, np.nan), np.full(100, np.nan)
    first[:80], second[76:96] = 1.0, 0.0
    manifest = pd.DataFrame({"split": ["train"] * 96 + ["val"] * 4, "slot": np.arange(100)})
    targets = {"a": first, "b": second}
    settings = config("task=[mura,hip_fracture]", *words).data
    mixed = mixture(targets, np.arange(100) < 96, settings)
    return RadiographData(manifest, store, targets, batch, 0, None, seed=3, epoch_length=50, mixture=mixed)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    np.save(tmp_path / "images.npy", np.zeros((100, 8, 6), np.uint8))
    return tmp_path / "images.npy"


@pytest.mark.parametrize(
    ("words", "share"),
    [
        (("data.sampling=balanced",), 0.5),
        (("data.sampling=temperature", "data.temperature=2"), 80**0.5 / (80**0.5 + 20**0.5)),
        (("data.sampling=temperature", "data.temperature=1"), 0.8),
    ],
)
def test_tasks_get_their_share_of_the_draws(words: tuple[str, ...], share: float, store: Path) -> None:
    """Rows with both labels count for both: 4 of 80 and 4 of 20."""
    rows = torch.cat([batch.rows for batch in data_of(words, store).train_dataloader()]).numpy()
    own = np.array([share * 76 / 80, share * 4 / 80 + (1 - share) * 4 / 20, (1 - share) * 16 / 20])
    found = np.histogram(rows, [0, 76, 80, 96])[0] / len(rows)
    np.testing.assert_allclose(found, own, atol=4 * np.sqrt(0.25 / len(rows)))


def test_a_batch_of_one_part_a_task_holds_that_tasks_labels_alone(store: Path) -> None:
    words = ("data.batching=per_task", "data.sampling=balanced")
    seen = []
    for batch in data_of(words, store).train_dataloader():
        first, second = batch.pieces()
        assert (len(first), len(second)) == (6, 6)
        assert first.present["a"].all()
        assert not first.present["b"].any()
        assert second.present["b"].all()
        assert not second.present["a"].any()
        seen += first.rows.tolist()
    assert np.ptp(np.bincount(seen, minlength=80)[:80]) <= 1, "pass after pass of the task's own rows"


def test_mixed_batches_are_one_piece(store: Path) -> None:
    batch = next(iter(data_of((), store).train_dataloader()))
    assert batch.pieces() == [batch]


PLAIN = config().data


@given(st.lists(st.integers(1, 10_000), min_size=1, max_size=5), st.integers(10, 64), st.floats(1.0, 50.0))
def test_shares_add_up(counts: list[int], batch: int, temperature: float) -> None:
    tasks = {str(number): count for number, count in enumerate(counts)}
    found = {}
    for sampling in ("proportional", "balanced", "temperature"):
        data = PLAIN.model_copy(update={"sampling": sampling, "temperature": temperature})
        found[sampling] = shares(tasks, data)
        assert sum(found[sampling].values()) == pytest.approx(1.0)
        each = sizes(found[sampling], batch, 2)
        assert sum(each) == batch
        assert min(each) >= 2
        assert each[counts.index(max(counts))] >= max(each) - 1
    known = {name: np.arange(sum(counts)) < count for name, count in tasks.items()}
    weights = row_weights(known, found["balanced"], np.ones(sum(counts)))
    assert weights.sum() == pytest.approx(1.0)


def test_a_batch_too_small_for_the_tasks_is_refused() -> None:
    with pytest.raises(OsteonError, match=r"data.batch_size: found 3.*data.batch_size=4 or more"):
        sizes({"a": 0.5, "b": 0.5}, 3, 2)
