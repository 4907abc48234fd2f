import numpy as np
import pandas as pd
import pytest

from osteon.errors import OsteonError
from osteon.manifest import Target, complete, validate

TARGETS = {"fracture": Target("a fracture"), "grade": Target("a grade", "multiclass", ("0", "1", "2"))}


def rows(**columns: object) -> pd.DataFrame:
    base = {
        "image_id": ["a", "b", "c", "d"],
        "dataset": "d",
        "path": ["a.png", "b.png", "c.png", "d.png"],
        "patient_id": ["p1", "p1", "p2", None],
        "fracture": [1.0, 0.0, np.nan, 1.0],
        "grade": [0.0, 2.0, 1.0, np.nan],
    }
    return complete(pd.DataFrame({**base, **columns}))


def test_completes_and_accepts() -> None:
    frame = validate(rows(), TARGETS)
    assert frame["laterality"].isna().all()
    assert frame["frame"].tolist() == [0, 0, 0, 0]
    assert frame["patient_id"].isna().tolist() == [False, False, False, True]


def test_null_is_not_zero() -> None:
    assert np.isnan(validate(rows(), TARGETS)["fracture"].to_numpy()).tolist() == [False, False, True, False]


FAULTS = [
    ({"image_id": ["a", "a", "c", "d"]}, r"same image_id twice.*2 row\(s\).*image_id='a'"),
    ({"fracture": [2.0, 0.0, 1.0, 1.0]}, r"fracture must be one of 0, 1.*image_id='a', fracture=2"),
    ({"grade": [3.0, 0.0, 1.0, 1.0]}, r"grade must be one of 0, 1, 2 or empty"),
    ({"laterality": ["left", "L", "R", None]}, r"laterality must be one of L, R or empty.*laterality='left'"),
    ({"sex": ["f", "F", "M", None]}, r"sex must be one of F, M or empty"),
    ({"split": ["train", "valid", "test", None]}, r"split must be one of train, val, test or empty.*split='valid'"),
    ({"split": ["train", "test", "test", None]}, r"a patient in two splits.*patient_id='p1'"),
    ({"path": [None, "b", "c", "d"]}, r"path must not be empty"),
    ({"study_id": ["s1", "s2", "s3", "s3"]}, r"a study with and without a patient"),
]


@pytest.mark.parametrize(("columns", "message"), FAULTS)
def test_fault_is_named_with_its_rows(columns: dict[str, object], message: str) -> None:
    with pytest.raises(OsteonError, match=message):
        validate(rows(**columns), TARGETS)


def test_missing_target_column() -> None:
    with pytest.raises(OsteonError, match=r"column\(s\) grade missing"):
        validate(rows().drop(columns="grade"), TARGETS)


def test_all_faults_are_listed() -> None:
    with pytest.raises(OsteonError, match=r"(?s)laterality.*sex"):
        validate(rows(laterality="x", sex="y"), TARGETS)


MEASURED = TARGETS | {"months": Target("bone age", "regression", unit="months", low=0.0, high=240.0)}


def test_numbers_lie_on_their_scale() -> None:
    frame = rows(months=[0.0, 240.0, 13.5, np.nan])
    assert len(validate(frame, MEASURED)) == 4
    for wrong in (-3.0, 240.5, np.inf):
        with pytest.raises(OsteonError, match=r"months must lie from 0 to 240 months or be empty\. 1 row.*id='b'"):
            validate(rows(months=[0.0, wrong, 13.5, np.nan]), MEASURED)
    free = {"pain": Target("pain", "regression")}
    assert len(validate(rows(pain=[-1e9, 1e9, 0.0, np.nan]), free)) == 4
    with pytest.raises(OsteonError, match="pain must lie"):
        validate(rows(pain=[-np.inf, 1e9, 0.0, np.nan]), free)


def test_grades_are_indices() -> None:
    grades = {"grade": Target("a grade", "ordinal", ("0", "1", "2"))}
    assert len(validate(rows(), grades)) == 4
    with pytest.raises(OsteonError, match=r"grade must be one of 0, 1, 2 or empty.*grade=7"):
        validate(rows(grade=[7.0, 0.0, 1.0, 1.0]), grades)
