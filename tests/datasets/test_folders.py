from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from osteon.config.specs import FoldersSpec
from osteon.datasets import card, find_root, read
from osteon.errors import OsteonError
from osteon.manifest import complete, validate

MAKERS = ["Cofield", "Depuy", "Tornier", "Zimmer"]


def spec(**options: Any) -> FoldersSpec:
    return FoldersSpec(kind="folders", **({"name": "implants", "classes": MAKERS, "private": False} | options))


def picture(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((6, 6), 90, np.uint8)).save(root / name)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    picture(tmp_path, "Zimmer/Zimmer.1.jpg", "Cofield/a.jpg", "Depuy/b.PNG", "Depuy/old/c.jpg", "Tornier/d.tif")
    return tmp_path


def fault(root: Path, **options: Any) -> str:
    with pytest.raises(OsteonError) as told:
        read(root, spec(**options))
    return str(told.value)


def test_the_folder_is_the_label_in_the_order_of_the_classes(root: Path) -> None:
    reading = read(root, spec(body_part="shoulder"))
    rows = validate(complete(reading.rows), card(spec()).targets).set_index("image_id")
    assert rows["label"].to_dict() == {
        "Cofield/a.jpg": 0.0,
        "Depuy/b.PNG": 1.0,
        "Depuy/old/c.jpg": 1.0,
        "Tornier/d.tif": 2.0,
        "Zimmer/Zimmer.1.jpg": 3.0,
    }
    assert (rows["body_part"] == "shoulder").all()
    assert rows[["split", "patient_id"]].isna().all(axis=None)
    assert card(spec()).targets["label"].classes == tuple(MAKERS)
    assert reading.notes == ()


def test_hidden_and_foreign_files_are_left_out_and_counted(root: Path) -> None:
    for name in ("Zimmer/.DS_Store", "Zimmer/._Zimmer.1.jpg", "Cofield/readme.txt"):
        (root / name).write_bytes(b"x")
    (root / ".git").mkdir()
    reading = read(root, spec())
    assert len(reading.rows) == 5
    assert set(reading.notes) == {"left out: 2 hidden files", "left out: 1 files that are no images"}


@pytest.mark.parametrize("names", [("train", "val", "test"), ("Train", "validation", "test")])
def test_a_level_of_splits(tmp_path: Path, names: tuple[str, ...]) -> None:
    for place, name in enumerate(names):
        picture(tmp_path, *(f"{name}/{maker}/{place}.png" for maker in MAKERS))
    reading = read(tmp_path, spec())
    given = dict(zip(names, ("train", "val", "test"), strict=True))
    assert (reading.rows["split"] == reading.rows["path"].str.split("/").str[0].map(given)).all()
    assert len(reading.rows) == 12
    assert dict(reading.split_names) == {"val": names[1], "test": "test"}


def test_a_train_folder_alone_is_split_by_osteon(tmp_path: Path) -> None:
    picture(tmp_path, *(f"train/{maker}/1.png" for maker in MAKERS))
    assert read(tmp_path, spec()).rows["split"].isna().all()


def test_without_classes_the_error_gives_them_ready_to_type(root: Path) -> None:
    assert "dataset.classes=[Cofield,Depuy,Tornier,Zimmer]" in fault(root, classes=[])


@pytest.mark.parametrize(
    ("classes", "words"),
    [
        ([*MAKERS, "Arthrex"], "the folder of class Arthrex is missing; found Cofield, Depuy, Tornier, Zimmer"),
        (MAKERS[:3], "'Zimmer' not in dataset.classes"),
        (["Cofield", "Depuy", "Tornier", "Zimer"], "Did you mean 'Zimer'?"),
    ],
)
def test_folders_and_classes_must_agree(root: Path, classes: list[str], words: str) -> None:
    assert words in fault(root, classes=classes)


def test_a_class_beside_the_splits_is_refused(tmp_path: Path) -> None:
    picture(tmp_path, *(f"train/{maker}/1.png" for maker in MAKERS), "Zimmer/2.png")
    assert "'Zimmer' not in dataset.classes" in fault(tmp_path)


def test_a_private_folder_may_be_a_patient_and_is_not_shown(tmp_path: Path) -> None:
    picture(tmp_path, "Meier_Anna/1.png", "Depuy/2.png")
    for classes in ([], ["Depuy"], MAKERS):
        told = fault(tmp_path, classes=classes, private=True)
        assert "Meier" not in told
        assert str(tmp_path) not in told
    assert "none and 2 not shown" in fault(tmp_path, classes=[], private=True)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"classes": ["a", "A"]}, "must differ in more than case"),
        ({"classes": ["../a", "b"]}, "no name of a folder"),
        ({"target": "split"}, "a name that Osteon uses itself"),
        ({"target_kind": "binary"}, "a binary target has two"),
        ({"patient": "("}, "no regular expression"),
        ({"patient": "x"}, "has no group"),
    ],
)
def test_settings_that_cannot_be_meant(options: dict[str, Any], words: str) -> None:
    with pytest.raises(OsteonError) as told:
        card(spec(**options))
    assert words in str(told.value)


def test_two_folders_as_a_binary_target(tmp_path: Path) -> None:
    picture(tmp_path, "normal/1.png", "fractured/2.png")
    two = spec(classes=["normal", "fractured"], target="fracture", target_kind="binary", meaning="a fracture")
    rows = validate(complete(read(tmp_path, two).rows), card(two).targets)
    assert rows.set_index("image_id")["fracture"].to_dict() == {"normal/1.png": 0.0, "fractured/2.png": 1.0}
    assert card(two).targets["fracture"].meaning == "a fracture: 1 is 'fractured', 0 is 'normal'"
    assert card(two).targets["fracture"].classes == ()


def test_patients_from_names(root: Path) -> None:
    picture(root, "Zimmer/0012L.png")
    assert "finds no patient in 5 names, first 'a.jpg'" in fault(root, patient=r"^(\d+)[LR]")
    assert "finds no patient in 6 names" in fault(root, patient=r"^(x?)"), "an empty name is no patient"
    told = fault(root, patient=r"^(\d+)[LR]", private=True)
    assert "finds no patient in 5 names" in told
    assert "a.jpg" not in told
    assert str(root) not in told
    whole = read(root, spec(patient=r"^([^.]+)")).rows
    assert "implants:0012L" in whole["patient_id"].tolist()


def test_an_empty_class_is_no_fault_but_an_empty_set_is(tmp_path: Path) -> None:
    for maker in MAKERS:
        (tmp_path / maker).mkdir()
    assert "no image of the dataset 'implants' can be used" in fault(tmp_path)
    picture(tmp_path, "Depuy/1.png")
    assert len(read(tmp_path, spec()).rows) == 1


def test_real_implants(test_data: Path) -> None:
    implants = spec(name="shoulder_implant")
    root = find_root(test_data, card(implants), {})
    rows = validate(complete(read(root, implants).rows), card(implants).targets)
    assert rows["label"].value_counts().sort_index().tolist() == [83, 294, 71, 149]
    assert (rows["path"].str.split("/").str[0] == rows["label"].map(dict(enumerate(MAKERS)))).all()
