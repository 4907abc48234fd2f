"""The epoch of several tasks: by one of them, or by the mean of scores that can be averaged."""

import numpy as np
import pytest
from tests.composing import SMALL, config

from osteon.errors import OsteonError
from osteon.run.choosing import Choice, floors
from osteon.run.measure import prediction_table
from osteon.run.prepare import prepare
from osteon.run.sources import locate

SCORES = {"knee": ("quadratic_kappa", 0.6), "age": ("mae", 10.0)}


def test_months_count_as_the_share_of_the_constant_answers_error_that_is_gone() -> None:
    choice = Choice("mean", {"age": 40.0})
    assert choice.number(SCORES) == pytest.approx((0.6 + 0.75) / 2)
    worse = {**SCORES, "age": ("mae", 60.0)}
    assert choice.number(worse) == pytest.approx((0.6 - 0.5) / 2)
    assert choice.number({"age": ("mae", 0.0)}) == 0.0, "a task alone is judged by its own number"
    assert choice.number({"age": ("mae", 12.5)}) == -12.5


def test_one_task_may_choose() -> None:
    assert Choice("age", {"age": 40.0}).number(SCORES) == -10.0
    assert Choice("knee").number(SCORES) == 0.6
    with pytest.raises(OsteonError, match=r"training.choose_by: no task 'knees' in this run. Did you mean 'knee_kl'"):
        config("task=[knee_kl,bone_age]", "training.choose_by=knees")


def test_the_floor_is_what_the_train_median_scores_on_val() -> None:
    settings = config("task=[knee_kl,bone_age]", *SMALL, "augment.horizontal_flip=0", "phantom.patients=40")
    prepared = prepare(settings, locate(settings), (64, 64))
    found = floors(prediction_table(settings, prepared))
    ages = prepared.targets["bone_age"]
    split = prepared.manifest["split"].to_numpy()
    train, val = (ages[(split == name) & ~np.isnan(ages)] for name in ("train", "val"))
    assert found == {"bone_age": pytest.approx(np.abs(val - np.median(train)).mean())}
