"""Weights come from train labels only, are what the formulas say, and make the drawn epoch balanced."""

import json

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight

from osteon.config.training import Training
from osteon.errors import OsteonError
from osteon.heads import Emphasis
from osteon.module.imbalance import balance, inverse_frequency, loss_weights

NAN = np.nan
TRAIN = np.array([True] * 8 + [False] * 4)
FRACTURE = np.array([0, 0, 0, 0, 0, 0, 1, NAN, 1, 1, 1, 1], dtype=np.float32)
GRADE = np.array([NAN, NAN, 0, 0, 0, 1, 2, 2, 1, 1, 1, 1], dtype=np.float32)
TARGETS = {"fracture": FRACTURE, "grade": GRADE}
CLASSES = {"fracture": 2, "grade": 3}


def test_pos_weight_is_negatives_over_positives_of_train() -> None:
    """Six negatives and one positive train row; with val and test it would be 6 to 5."""
    found = balance(Training(imbalance="pos_weight"), CLASSES, TARGETS, TRAIN)
    assert found.emphasis["fracture"] == Emphasis((1.0, 6.0))
    assert found.emphasis["grade"].class_weights == pytest.approx((6 / 9, 6 / 3, 6 / 6))
    assert found.row_weights is None
    assert found.facts["fracture"] == {
        "measures": ["pos_weight"],
        "train_rows": [6, 1],
        "class_weights": [1.0, 6.0],
        "focal_gamma": 0.0,
        "focal_alpha": None,
    }
    assert json.loads(json.dumps(found.facts)) == found.facts


def test_class_weights_are_scikit_learns_and_average_one_over_rows() -> None:
    labels = np.repeat([0, 1, 2, 3], [50, 5, 30, 1])
    weights = loss_weights(np.bincount(labels), "grade")
    np.testing.assert_allclose(weights, compute_class_weight("balanced", classes=np.arange(4), y=labels))
    assert np.array(weights)[labels].mean() == pytest.approx(1.0)


def test_labels_outside_train_change_nothing() -> None:
    training = Training(imbalance="sampler", imbalance_of={"grade": "pos_weight"})
    other = {task: np.where(TRAIN, values, 0.0).astype(np.float32) for task, values in TARGETS.items()}
    one, two = (balance(training, CLASSES, targets, TRAIN) for targets in (TARGETS, other))
    assert one.emphasis == two.emphasis
    assert one.facts == two.facts
    np.testing.assert_array_equal(one.row_weights, two.row_weights)


def test_rows_weigh_the_mean_of_their_tasks() -> None:
    found = balance(Training(imbalance="sampler"), CLASSES, TARGETS, TRAIN)
    negative, positive = 7 / 12, 7 / 2
    grades = [6 / 9, 6 / 3, 6 / 6]
    expected = [
        *(negative, negative),  # no grade
        *[(negative + grades[0]) / 2] * 3,
        (negative + grades[1]) / 2,
        (positive + grades[2]) / 2,
        grades[2],  # no fracture label
        *[0.0] * 4,
    ]
    assert found.row_weights == pytest.approx(expected)
    assert found.emphasis == {}
    assert found.facts["grade"]["draw_weights"] == pytest.approx(grades)


def test_rows_of_other_tasks_weigh_the_mean() -> None:
    found = balance(Training(imbalance_of={"grade": "sampler"}), CLASSES, TARGETS, TRAIN)
    assert found.row_weights is not None
    assert found.row_weights[:2].tolist() == [1.0, 1.0]
    assert list(found.facts) == ["grade"]


def test_nothing_asked_nothing_done() -> None:
    found = balance(Training(), CLASSES, TARGETS, TRAIN)
    assert (found.emphasis, found.row_weights, found.facts) == ({}, None, {})


def test_focal_needs_no_counts_and_keeps_its_numbers() -> None:
    empty = {"fracture": np.zeros(12, dtype=np.float32)}
    training = Training(imbalance="focal", focal_gamma=1.5, focal_alpha=0.75)
    found = balance(training, {"fracture": 2}, empty, TRAIN)
    assert found.emphasis["fracture"] == Emphasis(None, 1.5, 0.75)
    assert found.facts["fracture"]["train_rows"] == [8, 0]


@pytest.mark.parametrize("measure", ["pos_weight", "sampler"])
def test_a_class_without_train_rows_is_refused(measure: str) -> None:
    training = Training.model_validate({"imbalance": measure})
    labels = {"grade": np.where(GRADE == 1, NAN, GRADE)}
    with pytest.raises(OsteonError, match=r"class 1 of task grade has no train row.*\[3, 0, 2\]"):
        balance(training, {"grade": 3}, labels, TRAIN)


def test_balanced_classes_weigh_one() -> None:
    assert inverse_frequency(np.array([7, 7]), "x") == [1.0, 1.0]
    assert loss_weights(np.array([7, 7]), "x") == (1.0, 1.0)


def test_both_losses_together() -> None:
    training = Training(imbalance=["pos_weight", "focal"], allow_both=True)
    found = balance(training, CLASSES, TARGETS, TRAIN)
    assert found.emphasis["fracture"] == Emphasis((1.0, 6.0), 2.0, None)
    assert torch.tensor(found.emphasis["grade"].class_weights).isfinite().all()


def test_each_label_of_several_is_counted_for_itself() -> None:
    labels = np.stack([FRACTURE, np.where(np.isnan(GRADE), NAN, GRADE > 0)], axis=1)
    found = balance(Training(imbalance="pos_weight"), {"both": 2}, {"both": labels}, TRAIN)
    assert found.emphasis["both"] == Emphasis(positive_weights=(6.0, 3 / 3))
    assert found.facts["both"]["train_rows"] == [[6, 1], [3, 3]]
    assert json.loads(json.dumps(found.facts)) == found.facts
    assert found.row_weights is None
    focal = balance(Training(imbalance="focal", focal_alpha=0.3), {"both": 2}, {"both": labels}, TRAIN)
    assert focal.emphasis["both"] == Emphasis(gamma=2.0, alpha=0.3)
    none = np.where(TRAIN[:, None], 0.0, labels)
    with pytest.raises(OsteonError, match=r"class 1 of task both has no train row"):
        balance(Training(imbalance="pos_weight"), {"both": 2}, {"both": none}, TRAIN)
