"""Boxes follow their image through augmentation; what is lost is counted, what nobody looked at stays unknown."""

from pathlib import Path

import numpy as np
import pytest

from osteon.augment import build_augment
from osteon.config import Augment
from osteon.data import Radiographs, collate

SIZE = (96, 128)
NONE = dict.fromkeys(Augment.model_fields, 0.0)
BLANK = [0.0, 0.0, 0.0, 0.0, -1.0]


def items(tmp_path: Path, targets: dict[str, list], **changes: float) -> Radiographs:  # type: ignore[type-arg]
    rows = len(next(iter(targets.values())))
    pixels = np.zeros((rows, *SIZE), np.uint8)
    np.save(tmp_path / "images.npy", pixels)
    augment = build_augment(Augment(**(NONE | changes)), SIZE)
    found = {name: np.array(values, np.float32) for name, values in targets.items()}
    return Radiographs(tmp_path / "images.npy", np.arange(rows), np.arange(rows), found, augment, seed=3)


def test_a_flip_takes_the_boxes_of_every_task_along(tmp_path: Path) -> None:
    one, other = [[10.0, 20, 40, 60, 1], BLANK], [[100.0, 5, 120, 15, 0], [1.0, 1, 9, 9, 2]]
    data = items(tmp_path, {"a": [one], "b": [other], "c": [1.0]}, horizontal_flip=1.0)
    sample = data[(0, 0)]
    np.testing.assert_allclose(sample.targets["a"], [[88, 20, 118, 60, 1], BLANK])
    np.testing.assert_allclose(sample.targets["b"], [[8, 5, 28, 15, 0], [119, 1, 127, 9, 2]])
    assert sample.targets["c"] == 1.0
    assert sample.lost == 0


def test_a_box_that_leaves_the_image_is_counted_and_the_image_stays_looked_at(tmp_path: Path) -> None:
    edge = [[0.0, 0, 3, 3, 0], [60.0, 40, 70, 50, 0]]
    data = items(tmp_path, {"a": [edge]}, translate=0.3)
    lost = []
    for epoch in range(20):
        sample = data[(epoch, 0)]
        kept = sample.targets["a"]
        assert isinstance(kept, np.ndarray)
        lost.append(sample.lost)
        assert (kept[:, 4] >= 0).sum() == 2 - sample.lost
        assert not np.isnan(kept).any()
    assert 0 < sum(lost) < 40


@pytest.mark.parametrize("changes", [{"horizontal_flip": 0.5}, {"rotate": 20.0}, {}])
def test_unlooked_and_empty_are_told_apart_in_the_batch(tmp_path: Path, changes: dict[str, float]) -> None:
    data = items(tmp_path, {"a": [[BLANK], [[np.nan] * 5], [[30.0, 30, 60, 60, 0]]]}, **changes)
    batch = collate([data[(0, row)] for row in range(3)])
    assert batch.present["a"].flatten(1).any(1).tolist() == [True, False, True]
    assert batch.targets["a"].shape == (3, 1, 5)
    assert batch.targets["a"][0, 0, 4] == -1
    assert batch.lost.tolist() == [0, 0, 0]
