import numpy as np
import pandas as pd
import pytest

from osteon.predictions import TaskFacts
from osteon.scoring.bands import banded, by_column, by_target, order
from osteon.scoring.units import units


def test_a_band_holds_its_lower_edge() -> None:
    values = pd.Series([0.0, 17.99, 18.0, 44.9, 45, 65, 101, np.nan])
    found = by_column("age_years", values)
    assert found.tolist()[:7] == ["0 to 18"] * 2 + ["18 to 45"] * 2 + ["45 to 65"] + ["65 and over"] * 2
    assert found.isna().tolist() == [False] * 7 + [True]


def test_only_numbers_that_have_bands_are_banded() -> None:
    for name, values in (("leg", pd.Series([0.0, 1.0])), ("age_years", pd.Series(["young", "old"]))):
        pd.testing.assert_series_equal(by_column(name, values), values)


def test_open_ends() -> None:
    assert banded(pd.Series([-1.0, 2, 7]), (0.0, 5.0), low=None, high=9.0).tolist() == ["under 0", "0 to 5", "5 to 9"]


def test_a_target_has_the_quarters_of_its_scale() -> None:
    facts = TaskFacts(head="regression", low=0.0, high=240.0)
    found = by_target(np.array([0.0, 59.9, 60, 180, 240, np.nan]), facts)
    assert found is not None
    assert found.tolist()[:5] == ["0 to 60", "0 to 60", "60 to 120", "180 to 240", "180 to 240"]
    assert by_target(np.array([1.0]), TaskFacts(head="regression")) is None
    assert by_target(np.array([1.0]), TaskFacts()) is None


def test_bands_are_listed_by_their_edges() -> None:
    names = ["65 and over", "wrist", "120 to 180", "0 to 18", "under 0", "60 to 120", "elbow"]
    expected = ["under 0", "0 to 18", "60 to 120", "65 and over", "120 to 180", "elbow", "wrist"]
    assert sorted(names, key=order) == expected


@pytest.mark.parametrize(("ages", "said"), [((17.0, 17.5), "0 to 18"), ((17.9, 18.1), "0 to 18+18 to 45")])
def test_a_unit_whose_images_straddle_an_edge_says_both(ages: tuple[float, float], said: str) -> None:
    frame = pd.DataFrame({"unit_id": "u", "group_id": "p", "target": 1.0, "probability": 0.5, "age_years": ages})
    assert units(frame, TaskFacts(groups=("age_years",)))["age_years"].tolist() == [said]
