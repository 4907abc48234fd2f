import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osteon.predictions import TaskFacts, check
from osteon.scoring.froc import RATES, lesions
from osteon.scoring.metrics import estimate, metric, sample_of
from osteon.scoring.sample import Sample
from osteon.scoring.units import units
from tests.scoring.coco import Rows, drawn, facts, table
from tests.scoring.test_matching import by_loops

FAR = [90.0, 90, 95, 95, 0]
ONE, OTHER = [0.0, 0, 10, 10, 0], [20.0, 0, 30, 10, 0]
# Four images, four lesions. Image a: lesion ONE hit at 0.9 and again at 0.8, a false box at 0.7, OTHER hit at 0.3.
# Image b: a false box at 0.95, its lesion hit at 0.6. Image c: no lesion, a false box at 0.6. Image d: a lesion that is
# missed, six false boxes at 0.5.
BOXES: list[Rows] = [
    [[*ONE, 0.9], [0, 0, 10, 9, 0, 0.8], [*FAR, 0.7], [*OTHER, 0.3]],
    [[*FAR, 0.95], [*ONE, 0.6]],
    [[*FAR, 0.6]],
    [[*FAR, 0.5]] * 6,
]
LESIONS: list[Rows] = [[ONE, OTHER], [ONE], [], [ONE]]
# False boxes let through with each hit: 1 (0.9), 3 (0.6, a tie), 9 (0.3), on four images.
BY_HAND = {0.125: 0, 0.25: 1 / 4, 0.5: 1 / 4, 1: 2 / 4, 2: 2 / 4, 4: 3 / 4, 8: 3 / 4}


def sample(boxes: list[Rows], truth: list[Rows], told: TaskFacts, threshold: float = 0.5) -> Sample:
    return sample_of(units(check(table(boxes, truth), {"wrist": told}), told), told, threshold)


def value(name: str, made: Sample) -> float:
    found = estimate(metric(name, "detection"), made, "detection")
    assert found is not None
    return found


def test_the_curve_by_hand() -> None:
    made = sample(BOXES, LESIONS, facts(1))
    for rate, expected in BY_HAND.items():
        assert value(f"froc_{rate:g}", made) == pytest.approx(expected), rate
    assert value("froc", made) == pytest.approx(3 / 7)


@pytest.mark.parametrize(
    ("threshold", "sensitivity", "false"),
    [(0.5, 2 / 4, 3 / 4), (0.6, 1 / 4, 2 / 4), (0.29, 3 / 4, 9 / 4), (0.96, 0, 0)],
)
def test_the_operating_point_by_hand(threshold: float, sensitivity: float, false: float) -> None:
    made = sample(BOXES, LESIONS, facts(1), threshold)
    assert value("lesion_sensitivity", made) == sensitivity
    assert value("fp_per_image", made) == false
    hit, cluster = lesions(made)
    assert hit.mean() == sensitivity
    assert cluster.tolist() == [0, 0, 1, 3]


def test_weighing_images_is_repeating_them() -> None:
    boxes, truth = drawn(20, seed=5)
    times = np.random.default_rng(0).integers(0, 4, 20)
    repeated = np.repeat(np.arange(20), times)
    whole = sample([boxes[place] for place in repeated], [truth[place] for place in repeated], facts())
    part = sample(boxes, truth, facts())
    for name in ("froc", "froc_0.125", "froc_2", "lesion_sensitivity", "fp_per_image"):
        found = metric(name, "detection").prepare(part, "detection")(times[:, None] * 1.0)[0]
        assert found == pytest.approx(value(name, whole)), name


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.sampled_from(["iou_0.5", "iou_0.2", "centre"]), st.sampled_from([None, 6]))
def test_no_threshold_is_better(seed: int, hit: str, levels: int | None) -> None:
    boxes, truth = drawn(8, seed=seed, levels=levels)
    if not any(truth):
        return
    made, true = sample(boxes, truth, facts(hit=hit)), sum(map(len, truth))
    reached = []
    for cut in sorted({box[5] for image in boxes for box in image} | {2.0}):
        # Boxes below the threshold are not there: matching begins anew.
        states = [
            state
            for image, theirs in zip(boxes, truth, strict=True)
            for *_, state in by_loops([box for box in image if box[5] >= cut], theirs, hit)
        ]
        reached.append((states.count(-1) / len(boxes), states.count(1) / true))
    for rate in RATES:
        best = max(sensitivity for false, sensitivity in reached if false <= rate)
        assert value(f"froc_{rate:g}", made) == pytest.approx(best)


def test_an_image_nobody_looked_at_is_no_negative() -> None:
    told = facts(1)
    frame = table([*BOXES, [[*FAR, 0.99]] * 9], [*LESIONS, None])
    made = sample_of(units(check(frame, {"wrist": told}), told), told)
    assert len(made.target) == 4
    assert value("froc", made) == pytest.approx(3 / 7)


def test_units_are_images_whatever_unit_id_says() -> None:
    told = facts(1)
    frame = table(BOXES, LESIONS, unit_id="study1", group_id="p")
    found = units(check(frame, {"wrist": told}), told)
    assert found["unit_id"].tolist() == frame["image_id"].tolist()
    assert isinstance(found, pd.DataFrame)
    assert sample_of(found, told).clusters == 1
