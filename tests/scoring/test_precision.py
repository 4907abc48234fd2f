import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osteon.predictions import check
from osteon.scoring.metrics import estimate, metric, sample_of
from osteon.scoring.sample import Sample
from osteon.scoring.units import units
from tests.scoring.coco import NAMES, Rows, drawn, facts, reference, table

# Corners and sides of which many overlaps lie on COCO's thresholds: 0.5, 0.75, 0.8.
side, corner = st.sampled_from([10, 20, 40]), st.sampled_from([0, 5, 10, 20])
place = st.tuples(corner, corner, side, side, st.integers(0, 2))
image = st.tuples(st.lists(st.tuples(place, st.integers(0, 4)), max_size=7), st.lists(place, max_size=4))


def rows(places: list[tuple[int, ...]], scores: list[int] | None = None) -> Rows:
    boxes = [[float(x), float(y), float(x + w), float(y + h), float(label)] for x, y, w, h, label in places]
    return boxes if scores is None else [[*box, score / 4] for box, score in zip(boxes, scores, strict=True)]


def sample(boxes: list[Rows], truth: list[Rows]) -> Sample:
    told = facts()
    return sample_of(units(check(table(boxes, truth), {"wrist": told}), told), told)


def value(name: str, made: Sample) -> float | None:
    return estimate(metric(name, "detection"), made, "detection")


def same(boxes: list[Rows], truth: list[Rows], made: Sample | None = None, weights: np.ndarray | None = None) -> None:
    """Hold our average precisions against pycocotools' on the same boxes."""
    expected = reference(boxes, truth, 3)
    names = {f"ap50_{name}": expected[0, label] for label, name in enumerate(NAMES)}
    known = ~np.isnan(expected[0])
    names |= {"map50": expected[0, known].mean() if known.any() else np.nan}
    names |= {"map50_95": expected[:, known].mean() if known.any() else np.nan}
    made = sample(boxes, truth) if made is None else made
    for name, theirs in names.items():
        if weights is None:
            ours = value(name, made)
            found = np.nan if ours is None else ours
        else:
            found = metric(name, "detection").prepare(made, "detection")(weights)[0]
        np.testing.assert_allclose(found, theirs, atol=1e-6, err_msg=name)


@settings(deadline=None, max_examples=150)
@given(st.lists(image, min_size=1, max_size=6))
def test_equals_cocos_own_with_empty_images_empty_classes_and_ties(images: list) -> None:
    boxes = [rows([box for box, _ in found], [score for _, score in found]) for found, _ in images]
    same(boxes, [rows(theirs) for _, theirs in images])


@pytest.mark.parametrize("levels", [None, 3, 1])
@pytest.mark.parametrize("seed", range(4))
def test_equals_cocos_own_on_larger_sets(seed: int, levels: int | None) -> None:
    same(*drawn(60, seed=seed, levels=levels))


def test_the_hundred_best_boxes_of_a_class_count() -> None:
    truth = [[[0.0, 0, 10, 10, 0], [20.0, 0, 30, 10, 0]], [[0.0, 0, 10, 10, 1]]]
    far = [[90.0, 90, 95, 95, 0, 0.9 - place / 1000] for place in range(99)]
    # In the first image the second true box is found by the 101st box of its class.
    boxes = [[[0.0, 0, 10, 10, 0, 0.95], *far, [20.0, 0, 30, 10, 0, 0.1]], [[0.0, 0, 10, 10, 1, 0.1]]]
    same(boxes, truth)
    made = sample(boxes, truth)
    assert value("ap50_fracture", made) == pytest.approx(51 / 101)
    assert value("froc_8", made) == pytest.approx(1 / 3)
    assert (~made.boxes.found["counted"]).sum() == 1


def test_of_equal_overlaps_the_last_is_taken() -> None:
    # The first box lies as much on either true box; the second only on the last, which is taken.
    truth = [[[0.0, 0, 10, 10, 0], [4.0, 0, 14, 10, 0]]]
    boxes = [[[2.0, 0, 12, 10, 0, 0.9], [5.0, 0, 15, 10, 0, 0.8]]]
    same(boxes, truth)
    assert value("ap50_fracture", sample(boxes, truth)) == pytest.approx(51 / 101)
    assert value("ap50_fracture", sample(boxes, [truth[0][::-1]])) == 1.0


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.lists(st.integers(0, 3), min_size=12, max_size=12))
def test_weighing_images_is_repeating_them(seed: int, times: list[int]) -> None:
    boxes, truth = drawn(12, seed=seed)
    repeated = [place for place, count in enumerate(times) for _ in range(count)]
    if repeated:
        weights = np.array(times, float)[:, None]
        pairs = [boxes[place] for place in repeated], [truth[place] for place in repeated]
        same(*pairs, sample(boxes, truth), weights)


def test_edges() -> None:
    truth = [[[0.0, 0, 10, 10, 0]], []]
    assert value("map50", sample([[], []], truth)) == 0.0
    assert value("map50", sample([[[0.0, 0, 10, 10, 0, 0.0]], []], truth)) == 1.0
    assert value("map50", sample([[[0.0, 0, 10, 10, 0, 0.1]], []], [[], []])) is None
    assert value("ap50_text", sample([[[0.0, 0, 10, 10, 1, 0.1]], []], truth)) is None
    assert value("map50_frequent", sample([[], []], truth)) is None


def test_frequent_classes_have_thirty_boxes() -> None:
    boxes, truth = drawn(40, seed=3)
    counts = np.bincount([int(box[4]) for found in truth for box in found], minlength=3)
    kept = [[box for box in found if box[4] != 2] for found in truth]
    kept[0] = [*kept[0], [0.0, 0, 9, 9, 2]]
    assert counts.min() >= 30
    made = sample(boxes, kept)
    parts = [value(f"ap50_{name}", made) for name in NAMES]
    assert value("map50_frequent", made) == pytest.approx(np.mean(parts[:2]))
    assert value("map50", made) == pytest.approx(np.mean(parts))
