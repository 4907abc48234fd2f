import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from osteon.config.specs import MuraSpec
from osteon.datasets import card, check_target, read
from osteon.errors import OsteonError
from osteon.manifest import complete, validate

SPEC = MuraSpec(kind="mura")
STUDIES = {
    "train/XR_WRIST/patient00001/study1_positive": 2,
    "train/XR_WRIST/patient00001/study2_negative": 1,
    "train/XR_HAND/patient00001/study1_negative": 1,
    "train/XR_HUMERUS/patient00002/study1_negative": 3,
    "valid/XR_ELBOW/patient11185/study1_positive": 2,
    "valid/XR_ELBOW/patient11186/study1_negative": 1,
}


def image(path: Path, channels: int = 1) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((6, 5) if channels == 1 else (6, 5, 3), 90, np.uint8)).save(path)


def lines(root: Path, name: str, rows: list[str], header: str | None) -> None:
    (root / name).write_text("\n".join(([header] if header else []) + rows) + "\n", encoding="utf-8")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make(tmp_path / "MURA-v1.1")


def make(folder: Path, header: bool = False, lists: bool = True) -> Path:
    for study, count in STUDIES.items():
        for number in range(1, count + 1):
            image(folder / study / f"image{number}.png", channels=3 if number == 2 else 1)
    for part in ("train", "valid") if lists else ():
        mine = {study: count for study, count in STUDIES.items() if study.startswith(part)}
        paths = [f"MURA-v1.1/{study}/image{n}.png" for study, count in mine.items() for n in range(1, count + 1)]
        lines(folder, f"{part}_image_paths.csv", paths, "Img_Path" if header else None)
        labels = [f"MURA-v1.1/{study}/,{int(study.endswith('positive'))}" for study in mine]
        lines(folder, f"{part}_labeled_studies.csv", labels, "Img_Path,Label" if header else None)
    return folder


def test_the_official_layout(root: Path) -> None:
    reading = read(root, SPEC)
    rows = validate(complete(reading.rows), card(SPEC).targets)
    assert len(rows) == 10
    first = rows[rows["path"] == "train/XR_WRIST/patient00001/study1_positive/image2.png"].iloc[0]
    assert first["patient_id"] == "mura:patient00001"
    assert first["study_id"] == "XR_WRIST/study1"
    assert first["body_part"] == "wrist"
    assert first["abnormal"] == 1.0
    assert pd.isna(first["split"])
    assert pd.isna(first["laterality"])
    assert set(rows["split"].dropna()) == {"test"}
    assert (rows["split"] == "test").sum() == 3
    assert card(SPEC).split_names == reading.split_names == {"test": "public-valid"}
    assert all((root / path).is_file() for path in rows["path"])
    assert reading.rejected.empty
    assert reading.notes == ("10 images are listed, the complete release has 40,005",)


def test_a_patient_with_studies_of_two_body_parts_has_two_studies_numbered_one(root: Path) -> None:
    rows = read(root, SPEC).rows
    mine = rows[rows["patient_id"] == "mura:patient00001"]
    assert sorted(mine["study_id"].unique()) == ["XR_HAND/study1", "XR_WRIST/study1", "XR_WRIST/study2"]
    assert (mine.groupby("study_id")["abnormal"].nunique() == 1).all()


def test_no_id_tells_the_label(root: Path) -> None:
    rows = read(root, SPEC).rows
    for column in ("image_id", "patient_id", "study_id", "body_part"):
        assert not rows[column].str.contains("positive|negative").any()


def test_with_header_without_header_and_without_lists_are_the_same(tmp_path: Path) -> None:
    frames = []
    for name, options in {"plain": {}, "header": {"header": True}, "folders": {"lists": False}}.items():
        reading = read(make(tmp_path / name / "MURA-v1.1", **options), SPEC)
        frames.append(reading.rows.sort_values("path", ignore_index=True))
        told = [note for note in reading.notes if "_image_paths.csv" in note]
        assert len(told) == (2 if name == "folders" else 0)
    pd.testing.assert_frame_equal(frames[0], frames[1])
    pd.testing.assert_frame_equal(frames[0], frames[2])


def test_walked_folders_leave_hidden_and_foreign_files_aside(tmp_path: Path) -> None:
    root = make(tmp_path, lists=False)
    study = root / "train" / "XR_WRIST" / "patient00001" / "study1_positive"
    (study / "._image1.png").touch()
    image(root / "train" / "XR_WRIST" / "patient00001" / "study_odd" / "image1.png")
    reading = read(root, SPEC)
    assert len(reading.rows) == 10
    assert any("1 other files are left out" in note for note in reading.notes)


def test_a_list_that_contradicts_a_folder_wins_and_is_told(root: Path) -> None:
    file = root / "train_labeled_studies.csv"
    file.write_text(file.read_text().replace("patient00002/study1_negative/,0", "patient00002/study1_negative/,1"))
    reading = read(root, SPEC)
    assert (reading.rows.loc[reading.rows["patient_id"] == "mura:patient00002", "abnormal"] == 1.0).all()
    told = [note for note in reading.notes if "contradicts" in note]
    assert told == [
        "studies whose listed label contradicts their folder's name (the list wins): "
        "1: train/XR_HUMERUS/patient00002/study1_negative"
    ]


def test_studies_without_any_label_are_kept_unlabelled(root: Path) -> None:
    image(root / "test" / "XR_HAND" / "patient12000" / "study1" / "image1.png")
    lines(root, "test_image_paths.csv", ["MURA-v1.1/test/XR_HAND/patient12000/study1/image1.png"], None)
    reading = read(root, SPEC)
    hidden = reading.rows[reading.rows["patient_id"] == "mura:patient12000"].iloc[0]
    assert hidden["split"] == "test"
    assert np.isnan(hidden["abnormal"])
    assert any("without a label" in note and "patient12000" in note for note in reading.notes)


def test_missing_and_repeated_images_are_rejected_rows(root: Path) -> None:
    (root / "train" / "XR_HUMERUS" / "patient00002" / "study1_negative" / "image3.png").unlink()
    file = root / "valid_image_paths.csv"
    file.write_text(file.read_text() + file.read_text().splitlines()[0] + "\n")
    reading = read(root, SPEC)
    assert len(reading.rows) == 9
    assert reading.rejected["reason"].tolist() == ["listed, but not on disk", "listed twice"]
    assert reading.rejected["image_id"].tolist() == [
        "train/XR_HUMERUS/patient00002/study1/image3.png",
        "valid/XR_ELBOW/patient11185/study1/image1.png",
    ]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("train_image_paths.csv", "MURA-v1.1/train/XR_WRIST/image1.png\n", "no line of MURA"),
        ("train_image_paths.csv", "MURA-v1.1/train/XR_WRIST/patient00001/study1_positive/image1.png,1\n", "1 field"),
        ("train_labeled_studies.csv", "MURA-v1.1/train/XR_WRIST/patient00001/study1_positive/\n", "2 field"),
        ("train_labeled_studies.csv", "MURA-v1.1/train/XR_WRIST/patient00001/study1_positive/,2\n", "label '2'"),
        ("train_labeled_studies.csv", "MURA-v1.1/train/XR_WRIST/patient00001/study1_positive/,\n", "label ''"),
        (
            "train_labeled_studies.csv",
            "a/train/XR_WRIST/patient00001/study1_positive/,1\na/train/XR_WRIST/patient00001/study1_positive/,0\n",
            "once a study",
        ),
    ],
)
def test_a_list_with_a_fault_is_named(root: Path, name: str, text: str, words: str) -> None:
    (root / name).write_text(text)
    with pytest.raises(OsteonError, match=words) as fault:
        read(root, SPEC)
    assert name in str(fault.value)


@pytest.mark.parametrize("loss", ["all", "list emptied", "images"])
@pytest.mark.parametrize("hidden", [False, True], ids=["", "with test/"])
def test_without_the_valid_set_nothing_is_called_public_valid(root: Path, loss: str, hidden: bool) -> None:
    if hidden:
        image(root / "test" / "XR_HAND" / "patient12000" / "study1_negative" / "image1.png")
    if loss == "list emptied":
        (root / "valid_image_paths.csv").write_text("")
    else:
        shutil.rmtree(root / "valid")
    if loss == "all":
        for file in root.glob("valid_*.csv"):
            file.unlink()
    reading = read(root, SPEC)
    assert len(reading.rows) == 7 + hidden
    assert reading.split_names == ({"test": "test"} if hidden else {})
    told = "test is the part test/" if hidden else "test is cut from train"
    assert [told in note for note in reading.notes if note.startswith("valid set missing")] == [True]


def test_valid_and_test_parts_are_both_named(root: Path) -> None:
    image(root / "test" / "XR_HAND" / "patient12000" / "study1_negative" / "image1.png")
    assert read(root, SPEC).split_names == {"test": "public-valid+test"}


def test_an_unclosed_quote_in_a_list_is_refused(root: Path) -> None:
    file = root / "train_labeled_studies.csv"
    first, rest = file.read_text().split("\n", 1)
    file.write_text(first.replace(",1", ',"1') + "\n" + rest)
    with pytest.raises(OsteonError, match=r"train_labeled_studies\.csv: row 1 has a cell of several lines"):
        read(root, SPEC)


def test_a_fault_in_a_list_goes_by_its_line(root: Path) -> None:
    file = root / "train_image_paths.csv"
    file.write_text("Img_Path\n\n\n" + file.read_text() + "\nnonsense\n")
    with pytest.raises(OsteonError, match=r"row 12: 'nonsense' is no line of MURA"):
        read(root, SPEC)


def test_a_folder_without_images(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    with pytest.raises(OsteonError, match="no MURA images"):
        read(tmp_path, SPEC)


def test_lists_without_any_of_their_images(root: Path) -> None:
    for path in root.glob("*/*/*/*/*.png"):
        path.unlink()
    with pytest.raises(OsteonError, match=r"no image of the dataset 'mura' can be used. First: train/.*not on disk"):
        read(root, SPEC)


def test_a_target_that_is_not_declared_is_answered_with_the_nearest() -> None:
    check_target("tasks.mura.target", "abnormal", card(SPEC))
    with pytest.raises(OsteonError, match=r"tasks\.mura\.target: .*'abnormall'.*Did you mean 'abnormal'"):
        check_target("tasks.mura.target", "abnormall", card(SPEC))
