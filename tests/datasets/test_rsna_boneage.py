from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from osteon.config.specs import RsnaBoneAgeSpec
from osteon.datasets import card, find_root, read
from osteon.datasets.rsna_boneage import set_of
from osteon.errors import OsteonError
from osteon.manifest import complete, validate

SPEC = RsnaBoneAgeSpec(kind="rsna_boneage")
TRAIN = "boneage-training-dataset"


def image(root: Path, folder: str, *ids: int) -> None:
    (root / folder).mkdir(parents=True, exist_ok=True)
    for number in ids:
        Image.fromarray(np.full((6, 5), 40, np.uint8)).save(root / folder / f"{number}.png")


def table(root: Path, name: str, *lines: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text("\ufeff" + "\r\n".join(lines) + "\r\n", encoding="utf-8")


def lay_train(root: Path, *lines: str, nested: bool = False) -> Path:
    table(root, f"{TRAIN}.csv", "id,boneage,male", *(lines or ("1377,180,False", "1378,12,True", "1379,94,False")))
    image(root, f"{TRAIN}/{TRAIN}" if nested else TRAIN, 1377, 1378, 1379)
    return root


def lay_all(root: Path, nested: bool = False) -> Path:
    lay_train(root, nested=nested)
    folder = "Bone Age Validation Set"
    table(
        root, f"{folder}/Validation Dataset.csv", "Image ID,male,Bone Age (months)", "1386,TRUE,168.93", "10000,FALSE,3"
    )
    image(root, f"{folder}/boneage-validation-dataset-1", 1386)
    image(root, f"{folder}/boneage-validation-dataset-2/boneage-validation-dataset-2", 10000)
    table(root, "boneage-test-dataset.csv", "Case ID,Sex", "4360,M", "4361,F")
    image(root, "boneage-test-dataset" + ("/boneage-test-dataset" if nested else ""), 4360, 4361)
    return root


def fault(root: Path, spec: RsnaBoneAgeSpec = SPEC) -> str:
    with pytest.raises(OsteonError) as told:
        read(root, spec)
    return str(told.value)


@pytest.mark.parametrize("nested", [False, True])
def test_three_tables_three_codings_one_manifest(tmp_path: Path, nested: bool) -> None:
    reading = read(lay_all(tmp_path, nested), SPEC)
    rows = validate(complete(reading.rows), card(SPEC).targets).set_index("image_id")
    assert rows["split"].to_dict() == {
        **dict.fromkeys(["training/1377", "training/1378", "training/1379"], "train"),
        **dict.fromkeys(["validation/1386", "validation/10000"], "val"),
        **dict.fromkeys(["test/4360", "test/4361"], "test"),
    }
    assert rows["sex"].tolist() == ["F", "M", "F", "M", "F", "M", "F"]
    assert rows["bone_age"].tolist()[:5] == [180.0, 12.0, 94.0, 168.93, 3.0]
    assert rows["bone_age"][5:].isna().all(), "the test ages are not public"
    assert rows[["patient_id", "study_id"]].isna().all(axis=None)
    assert all((tmp_path / path).is_file() for path in rows["path"])
    assert dict(reading.split_names) == {"val": "validation", "test": "test"}
    assert reading.rejected.empty


def test_the_validation_set_can_be_what_is_reported(tmp_path: Path) -> None:
    spec = RsnaBoneAgeSpec(kind="rsna_boneage", validation_as="test")
    reading = read(lay_all(tmp_path), spec)
    assert reading.rows["split"].tolist() == ["train"] * 3 + ["test"] * 2
    assert dict(reading.split_names) == {"test": "validation"}
    assert any("test set has no ages" in note for note in reading.notes)


def test_the_training_set_alone_is_to_be_split_by_osteon(tmp_path: Path) -> None:
    reading = read(lay_train(tmp_path), SPEC)
    assert reading.rows["split"].isna().all()
    assert not reading.split_names
    assert {"no table of the validation set", "no table of the test set"} <= set(reading.notes)


def test_a_table_without_images_is_left_out_and_files_without_rows_too(tmp_path: Path) -> None:
    lay_train(tmp_path)
    table(tmp_path, "boneage-test-dataset.csv", "Case ID,Sex", "4360,M")
    image(tmp_path, TRAIN, 9999)
    reading = read(tmp_path, SPEC)
    assert len(reading.rows) == 3
    assert reading.rows["split"].isna().all()
    assert any("no image of the test set" in note for note in reading.notes)
    assert any("9999" in note and "left out" in note for note in reading.notes)


def test_what_is_missing_or_listed_twice_is_rejected(tmp_path: Path) -> None:
    lay_train(
        tmp_path, "1377,180,False", "1378,12,True", "1378,12,True", "1379,94,False", "1379,95,False", "2000,9,True"
    )
    reading = read(tmp_path, SPEC)
    assert reading.rows["image_id"].tolist() == ["training/1377", "training/1378"]
    reasons = dict(zip(reading.rejected["image_id"], reading.rejected["reason"], strict=True))
    assert "another value" in reasons["training/1379"]
    assert reasons["training/2000"] == f"listed in {TRAIN}.csv, but not on disk"
    assert Counter(reading.rejected["image_id"]) == {"training/1378": 1, "training/1379": 2, "training/2000": 1}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("1379,-3,False", "'boneage' must hold months from 0 to 240 or blank; found '-3' in row 4"),
        ("1379,241,False", "found '241' in row 4"),
        ("1379,inf,False", "found 'inf' in row 4"),
        ("1379,94,X", "'male' must hold True, False or blank; found 'X' in row 4"),
        ("a/../b,94,True", "'id' must hold a number; found 'a/../b' in row 4"),
        (",94,True", "'id' must hold a number"),
        ("1379,94", "row 4 has 2 fields, the header has 3"),
    ],
)
def test_a_bad_cell_is_named(tmp_path: Path, line: str, words: str) -> None:
    lay_train(tmp_path, "1377,180,False", "1378,12,True", line)
    told = fault(tmp_path)
    assert words in told
    assert f"{TRAIN}.csv" in told


def test_a_sex_that_is_none_is_named_in_the_test_table_too(tmp_path: Path) -> None:
    lay_all(tmp_path)
    table(tmp_path, "boneage-test-dataset.csv", "Case ID,Sex", "4360,X", "4361,F")
    assert "column 'Sex' must hold F, M" in fault(tmp_path)


@pytest.mark.parametrize(
    ("header", "words"),
    [("id,age,male", "no column 'boneage'. Did you mean 'age'?"), ("image,boneage,male", "no column 'id'")],
)
def test_a_wrong_schema_is_named(tmp_path: Path, header: str, words: str) -> None:
    lay_train(tmp_path)
    table(tmp_path, f"{TRAIN}.csv", header, "1377,180,False")
    assert words in fault(tmp_path)


def test_no_table_or_no_image_or_two_tables(tmp_path: Path) -> None:
    image(tmp_path, TRAIN, 1377)
    assert "no table of the training, validation or test set" in fault(tmp_path)
    table(tmp_path, "train.csv", "id,boneage,male", "1377,180,False")
    table(tmp_path, f"{TRAIN}.csv", "id,boneage,male", "1377,180,False")
    assert f"could be 2: {TRAIN}.csv, train.csv" in fault(tmp_path)
    (tmp_path / "train.csv").unlink()
    (tmp_path / TRAIN / "1377.png").unlink()
    assert "unpack the zips" in fault(tmp_path)


@pytest.mark.parametrize("lost", [f"{TRAIN}.csv", f"{TRAIN}/1377.png"])
def test_no_training_set_is_named_and_not_an_empty_train(tmp_path: Path, lost: str) -> None:
    lay_all(tmp_path)
    for number in (1378, 1379):
        (tmp_path / TRAIN / f"{number}.png").unlink()
    (tmp_path / lost).unlink()
    told = fault(tmp_path)
    assert "no training set; found validation, test" in told
    assert "training set" in told.partition("beside the folder")[2], "and why"


def test_a_test_without_ages_is_left_out_though_there_is_no_validation_set(tmp_path: Path) -> None:
    lay_train(tmp_path)
    table(tmp_path, "boneage-test-dataset.csv", "Case ID,Sex", "4360,M")
    image(tmp_path, "boneage-test-dataset", 4360)
    reading = read(tmp_path, RsnaBoneAgeSpec(kind="rsna_boneage", validation_as="test"))
    assert reading.rows["split"].isna().all()
    assert "the test set has no ages and is left out; a test is cut from the training set" in reading.notes


def test_a_column_that_is_not_read_is_told(tmp_path: Path) -> None:
    lay_all(tmp_path)
    table(tmp_path, "boneage-test-dataset.csv", "Case ID,Sex,Ground truth bone age (months)", "4360,M,90", "4361,F,80")
    notes = read(tmp_path, SPEC).notes
    assert "boneage-test-dataset.csv: columns that are not read: Ground truth bone age (months)" in notes


def test_a_column_of_blanks_alone_is_unknown(tmp_path: Path) -> None:
    lay_train(tmp_path, "1377,180,", "1378,12,", "1379,94,")
    assert read(tmp_path, SPEC).rows["sex"].isna().all()


def test_an_unlabelled_hand_is_kept(tmp_path: Path) -> None:
    lay_train(tmp_path, "1377,180,False", "1378,,")
    rows = read(tmp_path, SPEC).rows
    assert np.isnan(rows["bone_age"][1])
    assert pd.isna(rows["sex"][1])


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("boneage-training-dataset/boneage-training-dataset", "training"),
        ("Bone Age Validation Set/boneage-validation-dataset-2", "validation"),
        ("train/boneage-test-dataset.csv", "test"),
        ("somewhere", None),
    ],
)
def test_the_nearest_name_tells_the_set(path: str, name: str | None) -> None:
    assert set_of(path) == name


def test_real_hands_equal_their_table(test_data: Path) -> None:
    root = find_root(test_data, card(SPEC), {})
    reading, listed = read(root, SPEC), pd.read_csv(root / f"{TRAIN}.csv")
    rows = validate(complete(reading.rows), card(SPEC).targets)
    assert len(rows) == len(listed) == 2400
    assert rows["image_id"].tolist() == [f"training/{number}" for number in listed["id"]]
    np.testing.assert_array_equal(rows["bone_age"], listed["boneage"])
    assert ((rows["sex"] == "M") == listed["male"]).all()
    assert all((root / path).is_file() for path in rows["path"])
