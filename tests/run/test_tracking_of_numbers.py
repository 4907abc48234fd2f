"""What W&B is shown of a regression: numbers and how far they are off."""

import numpy as np
import pandas as pd

from osteon.predictions import TaskFacts
from osteon.run.tracking import pictures, plots, tables

FACTS = TaskFacts(head="regression", low=0.0, high=240.0, unit_name="months")


def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "image_id": list("abcd"),
            "unit_id": list("abcd"),
            "split": ["test", "test", "val", "test"],
            "target": [10.0, 100.0, 50.0, np.nan],
            "value": [13.0, 80.0, 90.0, 7.0],
        }
    )


def test_numbers_are_shown_with_their_error() -> None:
    told = tables.called(frame(), FACTS, None)
    assert list(told.columns) == ["image_id", "unit_id", "split", "target", "call", "error"]
    np.testing.assert_array_equal(told["error"], [3, -20, 40, np.nan])
    assert tables.plain(told)["data"][0] == ["a", "a", "test", 10.0, 13.0, 3.0]


def test_a_grade_is_called_as_the_task_says() -> None:
    """0.4, 0, 0.3, 0.2, 0.1: the likeliest is 0, the expected one 1.6, so 2."""
    grades = frame().assign(target=2.0, probabilities=[np.array([0.4, 0.0, 0.3, 0.2, 0.1])] * 4, value=1.6)
    for rule, call, probability in (("likeliest", "0", 0.4), ("expected", "2", 0.3)):
        told = tables.called(grades, TaskFacts("ordinal", classes=tuple("01234"), call=rule), None)
        assert told["call"].unique().tolist() == [call]
        assert told["probability"].unique().tolist() == [probability]
        assert told["p_truth"].unique().tolist() == [0.3]


def test_the_furthest_off_come_first() -> None:
    told = tables.called(frame(), FACTS, None)
    worst = pictures.mistakes(told, 5)
    assert worst["image_id"].tolist() == ["b", "a"]
    assert pictures.caption(worst.iloc[0]) == "b | true 100.0 | said 80.0 | test"
    assert "true unlabelled" in pictures.caption(told.iloc[3])


def test_what_was_said_is_drawn_against_the_truth() -> None:
    made = pd.DataFrame({"unit_id": list("ab"), "target": [10.0, 100.0], "value": [13.0, 80.0]})
    found = plots.plots("age", made.assign(group_id=list("ab")), FACTS, None, "real")
    assert list(found) == ["bland_altman/age", "said/age"]
    assert all(image.format == "png" for image in found.values())
