from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from osteon.config.specs import KneeKlSpec
from osteon.datasets import card, find_root, read
from osteon.errors import OsteonError
from osteon.manifest import complete, validate

SPEC = KneeKlSpec(kind="knee_kl")
KNEES = {
    "train/0": ("9001695L.png", "9001695R.png"),
    "train/1": ("9002116L.png",),
    "train/2": ("9003000R.png",),
    "train/3": ("9003001R.png",),
    "train/4": ("9003002R.png",),
    "val/2": ("9010000L.png",),
    "test/4": ("9020000R.png",),
}
WORDS = ("0Normal", "1Doubtful", "2Mild", "3Moderate", "4Severe")


def knee(root: Path, folder: str, name: str) -> None:
    (root / folder).mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((6, 6), 90, np.uint8)).save(root / folder / name)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "kneeKL224"
    for split in ("train", "val", "test"):
        for grade in "01234":
            (folder / split / grade).mkdir(parents=True)
    for place, names in KNEES.items():
        for name in names:
            knee(folder, place, name)
    return folder


def fault(root: Path, spec: KneeKlSpec = SPEC) -> str:
    with pytest.raises(OsteonError) as told:
        read(root, spec)
    return str(told.value)


def test_the_published_layout(root: Path) -> None:
    reading = read(root, SPEC)
    rows = validate(complete(reading.rows), card(SPEC).targets).set_index("image_id")
    assert rows["kl"].tolist() == [0.0, 0.0, 1.0, 2.0, 3.0, 4.0, 2.0, 4.0]
    assert rows["oa"].tolist() == [0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    assert rows["laterality"].tolist() == ["L", "R", "L", "R", "R", "R", "L", "R"]
    assert rows.loc["train/9001695L.png", "patient_id"] == rows.loc["train/9001695R.png", "patient_id"] == "oai:9001695"
    assert rows["split"].tolist() == ["train"] * 6 + ["val", "test"]
    assert all((root / path).is_file() for path in rows["path"])
    assert rows[["patient_id", "study_id", "laterality"]].duplicated().sum() == 0, "a joint is one row"
    assert dict(reading.split_names) == {"val": "val", "test": "test"}


def test_the_parent_of_one_size_will_do_and_of_two_asks_which(root: Path) -> None:
    assert read(root.parent, SPEC).rows["path"][0] == "kneeKL224/train/0/9001695L.png"
    (root.parent / "kneeKL299" / "train").mkdir(parents=True)
    assert "dataset.size=224" in fault(root.parent)
    assert len(read(root.parent, KneeKlSpec(kind="knee_kl", size=224)).rows) == 8


def test_the_automatic_test_replaces_the_other(root: Path) -> None:
    asked = KneeKlSpec(kind="knee_kl", auto_test=True)
    assert "no folder auto_test" in fault(root, asked)
    for grade in "01234":
        (root / "auto_test" / grade).mkdir(parents=True)
    knee(root, "auto_test/3", "9020000R.png")
    (root / "most_test").mkdir()
    reading = read(root, SPEC)
    assert len(reading.rows) == 8
    assert any(note.startswith("left out: auto_test, most_test") for note in reading.notes)
    reading = read(root, asked)
    tested = reading.rows[reading.rows["split"] == "test"]
    assert tested["path"].tolist() == ["auto_test/3/9020000R.png"]
    assert reading.split_names["test"] == card(asked).split_names["test"] == "auto_test"


def test_without_a_test_one_is_to_be_cut_from_train(root: Path) -> None:
    for grade in "01234":
        for file in (root / "test" / grade).iterdir():
            file.unlink()
        (root / "test" / grade).rmdir()
    (root / "test").rmdir()
    reading = read(root, SPEC)
    assert reading.rows["split"].isna().sum() == 6
    assert "test" not in reading.split_names
    assert "no folder test/: the test set is cut from train" in reading.notes


@pytest.mark.parametrize("name", ["7", "Severe", "5", "2Severe", "a"])
def test_a_folder_that_is_no_grade_is_named(root: Path, name: str) -> None:
    knee(root, f"train/{name}", "9009999L.png")
    told = fault(root)
    assert str(Path("train", name)) in told
    assert "no Kellgren-Lawrence grade; expected folders 0, 1, 2, 3 and 4" in told


def test_a_grade_folder_that_is_missing_is_named(root: Path) -> None:
    (root / "val" / "3").rmdir()
    told = fault(root)
    assert "val: the folder of grade 3 is missing; found 0, 1, 2, 4" in told


def test_the_names_of_mirrors_are_understood_below_a_split_only(root: Path) -> None:
    for grade, name in enumerate(WORDS):
        (root / "train" / str(grade)).rename(root / "train" / name)
    reading = read(root, SPEC)
    assert reading.rows["kl"].tolist() == [0.0, 0.0, 1.0, 2.0, 3.0, 4.0, 2.0, 4.0]
    assert any("as in a mirror" in note and "0Normal" in note for note in reading.notes)
    knee(root, "train/4", "9009999L.png")
    assert "a second folder of its grade" in fault(root)


def test_grades_without_a_split_are_another_collection(tmp_path: Path) -> None:
    for name in WORDS:
        knee(tmp_path, name, "NormalG0 (1).png")
    told = fault(tmp_path)
    assert "no folder train; expected train, val and test" in told
    assert "dataset=folders" in told


@pytest.mark.parametrize("name", ["Train", "training"])
def test_no_training_set_is_named(root: Path, name: str) -> None:
    (root / "train").rename(root / "aside")
    (root / "aside").rename(root / name)
    with pytest.raises(OsteonError, match=rf"no folder train; expected .*found .*{name}"):
        read(root, SPEC)


def test_a_folder_that_is_no_split_is_told(root: Path) -> None:
    (root / "val").rename(root / "valid")
    assert any("no split of the release (left out): 1: valid" in note for note in read(root, SPEC).notes)


def test_a_knee_in_two_grades_and_a_strange_name_are_rejected(root: Path) -> None:
    knee(root, "train/3", "9002116L.png")
    knee(root, "train/0", "NormalG0 (7).png")
    knee(root, "train/0", "9003175_1.png")
    (root / "train/0/Thumbs.db").write_bytes(b"x")
    (root / "train/0/.DS_Store").write_bytes(b"x")
    reading = read(root, SPEC)
    reasons = dict(zip(reading.rejected["path"], reading.rejected["reason"], strict=True))
    assert reasons == {
        "train/0/NormalG0 (7).png": "its name is not <OAI id><L or R>: the patient is unknown",
        "train/1/9002116L.png": "the same knee in two grades",
        "train/3/9002116L.png": "the same knee in two grades",
    }
    numbered = reading.rows.set_index("image_id").loc["train/9003175_1.png"]
    assert numbered["patient_id"] == "oai:9003175"
    assert numbered.isna()["laterality"]
    assert any("their side is unknown): 1: train/9003175_1.png" in note for note in reading.notes)
    assert any("no images (left out): 1: Thumbs.db" in note for note in reading.notes)


def test_a_patient_in_two_official_splits_stops_the_manifest(root: Path) -> None:
    knee(root, "test/1", "9002116R.png")
    with pytest.raises(OsteonError, match="a patient in two splits"):
        validate(complete(read(root, SPEC).rows), card(SPEC).targets)


def test_real_knees(test_data: Path) -> None:
    root = find_root(test_data / "knee_kl", card(SPEC), {})
    rows = validate(complete(read(root, SPEC).rows), card(SPEC).targets)
    files = sorted(path.relative_to(root).as_posix() for path in root.glob("*/[0-4]/*.png"))
    assert len(rows) == 1358
    assert sorted(rows["path"]) == files
    assert (rows["kl"] == rows["path"].str.split("/").str[1].astype(float)).all()
    assert rows.groupby("patient_id")["split"].nunique().max() == 1, "both knees of a patient share a split"
    both = rows.groupby("patient_id")["laterality"].agg(set)
    assert (both.map(len) == rows.groupby("patient_id").size()).all(), "a patient has at most one knee a side"
    assert (both.map(len) == 2).sum() > 200
