import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osteon.errors import OsteonError
from osteon.manifest import SplitRule, assign, complete, group, kept_together_by, prove_disjoint

RULE = SplitRule(seed=0, val_fraction=0.15, test_fraction=0.2)


def cohort(patients: int, images: int = 3, prevalence: float = 0.3) -> pd.DataFrame:
    number = np.arange(patients * images)
    patient = number // images
    frame = pd.DataFrame(
        {
            "image_id": [f"i{n}" for n in number],
            "dataset": "d",
            "path": [f"{n}.png" for n in number],
            "patient_id": [f"d:{p}" for p in patient],
            "fracture": ((patient * 7919) % 100 < prevalence * 100).astype(float),
        }
    )
    return group(complete(frame))


@settings(max_examples=60, deadline=None)
@given(st.integers(20, 300), st.integers(1, 4), st.integers(0, 5), st.floats(0.05, 0.3), st.floats(0.05, 0.4))
def test_no_patient_is_in_two_splits(patients: int, images: int, seed: int, val: float, test: float) -> None:
    frame = assign(cohort(patients, images), SplitRule(seed, val, test))
    assert frame["split"].notna().all()
    assert (frame.groupby("patient_id")["split"].nunique() == 1).all()
    counts = prove_disjoint(frame)
    assert sum(counts.values()) == patients
    assert abs(counts.get("val", 0) - val * patients) <= 3
    assert abs(counts.get("test", 0) - test * patients) <= 3


def test_order_of_rows_does_not_matter() -> None:
    frame = cohort(100)
    shuffled = frame.sample(frac=1.0, random_state=1)
    one = assign(frame, RULE, frame["fracture"]).set_index("image_id")["split"]
    two = assign(shuffled, RULE, shuffled["fracture"]).set_index("image_id")["split"]
    assert one.sort_index().equals(two.sort_index())


def test_seed_changes_the_split() -> None:
    frame = cohort(100)
    assert not assign(frame, RULE)["split"].equals(assign(frame, SplitRule(1, 0.15, 0.2))["split"])


def test_rare_positives_reach_every_split() -> None:
    frame = cohort(200, prevalence=0.05)
    for seed in range(20):
        parts = assign(frame, SplitRule(seed, 0.15, 0.2), frame["fracture"])
        assert (parts.groupby("split")["fracture"].sum() > 0).all()


def test_folds_cover_everyone_once() -> None:
    frame = cohort(103)
    tested = [assign(frame, SplitRule(0, 0.15, 0.2, fold, 5), frame["fracture"]) for fold in range(5)]
    held = [set(part.loc[part["split"] == "test", "patient_id"]) for part in tested]
    assert sum(map(len, held)) == 103
    assert set().union(*held) == set(frame["patient_id"])
    for part in tested:
        prove_disjoint(part)


def test_official_split_is_kept_and_val_cut_from_train() -> None:
    frame = cohort(100)
    official = frame.assign(split=frame["split"].where(frame.index < 240, "test"))
    parts = assign(official, RULE)
    assert (parts.loc[240:, "split"] == "test").all()
    assert set(parts.loc[:239, "split"]) == {"train", "val"}


def test_folds_of_an_official_test_are_refused() -> None:
    with pytest.raises(OsteonError, match=r"data\.folds: .*official test"):
        assign(cohort(30).assign(split="test"), SplitRule(0, 0.15, 0.2, 0, 5))


def test_more_folds_than_patients_are_refused() -> None:
    with pytest.raises(OsteonError, match=r"data\.folds=9: only 4 groups"):
        assign(cohort(4), SplitRule(0, 0.15, 0.2, 0, 9))


def test_leak_is_named() -> None:
    frame = cohort(10)
    with pytest.raises(OsteonError, match=r"group\(s\) in test and train: patient:d:0"):
        prove_disjoint(frame.assign(split=["train", "test"] * 15))


def test_what_keeps_rows_together() -> None:
    frame = cohort(4)
    assert kept_together_by(frame) == "patient"
    unknown = frame.assign(patient_id=None)
    assert kept_together_by(group(complete(unknown), near=[0] * 12)) == "near-duplicate hash"
    assert group(complete(unknown), near=[0] * 12)["group_id"].nunique() == 1
    mixed = complete(frame.assign(patient_id=["p"] * 6 + [None] * 6, study_id=["s"] * 9 + [None] * 3))
    assert kept_together_by(group(mixed)) == "patient + exam + image (nothing is known)"
