import pandas as pd
import pytest

from osteon.errors import OsteonError
from osteon.identity import hash_of, hide

KEY = bytes(range(32))
ROWS = pd.DataFrame(
    {
        "image_id": ["a", "b", "c", "d"],
        "path": ["x/1.png", "x/2.png", "x/2.png", "x/3.png"],
        "patient_id": ["hip:07", "hip:07", None, "hip:hip:8"],
        "study_id": ["1", "2", "1", None],
        "view": ["ap", None, "ap", "lateral"],
        "fracture": [1.0, 0.0, None, 1.0],
    }
)
REJECTED = pd.DataFrame({"image_id": ["e"], "path": ["x/1.png"], "reason": ["missing"]})


def test_ids_and_paths_become_names_and_the_rest_stays() -> None:
    (rows, rejected), entries = hide([ROWS, REJECTED], "hip", KEY)
    assert rows["patient_id"].tolist()[:2] == [hash_of(KEY, "p", "hip", "07")] * 2, "without the dataset's prefix"
    assert rows["patient_id"].tolist()[3] == hash_of(KEY, "p", "hip", "hip:8")
    assert rows["patient_id"].isna().tolist() == [False, False, True, False]
    assert rows["study_id"].tolist()[:3] == [hash_of(KEY, "s", "hip", number) for number in "121"]
    assert rows["study_id"].isna().tolist() == [False, False, False, True]
    assert rows["image_id"].tolist() == [hash_of(KEY, "i", "hip", name) for name in "abcd"]
    assert rows["path"].tolist() == [hash_of(KEY, "f", "hip", f"x/{number}.png") for number in (1, 2, 2, 3)]
    assert rejected["path"].tolist() == rows["path"].tolist()[:1]
    pd.testing.assert_frame_equal(rows[["view", "fracture"]], ROWS[["view", "fracture"]])
    assert {(entry.kind, entry.original) for entry in entries} == {
        ("p", "07"), ("p", "hip:8"), ("s", "1"), ("s", "2"), ("f", "x/1.png"), ("f", "x/2.png"), ("f", "x/3.png"),
        *(("i", name) for name in "abcde"),
    }  # fmt: skip
    assert all(entry.hash == hash_of(KEY, entry.kind, "hip", entry.original) for entry in entries)
    assert ROWS["image_id"].tolist() == list("abcd"), "what was given is not changed"


def test_two_readings_of_one_clinic_pair_and_two_keys_do_not() -> None:
    (one,), _ = hide([ROWS], "hip", KEY)
    (two,), _ = hide([ROWS[::-1].reset_index(drop=True)], "hip", KEY)
    (other,), _ = hide([ROWS], "hip", KEY[::-1])
    assert set(one["image_id"]) == set(two["image_id"])
    assert not set(one["image_id"]) & set(other["image_id"])


@pytest.mark.parametrize("dtype", ["str", "object"])
def test_tables_without_patients_or_rows(dtype: str) -> None:
    (rows, none), _ = hide([ROWS.drop(columns=["patient_id", "study_id"]), REJECTED[:0].astype(dtype)], "hip", KEY)
    assert "patient_id" not in rows
    assert none.empty
    (blank,), entries = hide([ROWS.assign(patient_id=pd.Series([None] * 4, dtype=dtype))], "hip", KEY)
    assert blank["patient_id"].isna().all()
    assert "p" not in {entry.kind for entry in entries}


def test_two_ids_of_one_hash_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("osteon.identity.names.DIGITS", 1)
    many = pd.DataFrame({"image_id": [str(number) for number in range(17)]})
    with pytest.raises(OsteonError, match=r"'hip': two values of image_id have the same hash.*data\.key_file"):
        hide([many], "hip", KEY)
