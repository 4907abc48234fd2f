"""What is written parses as the real datasets do, and nothing but the image tells the label."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pydicom
import pytest
from PIL import Image
from scipy.stats import chi2_contingency

from osteon.phantoms import mura
from osteon.phantoms.film import film
from tests.phantoms.conftest import PATIENTS, SIZE

HEADER = ("BitsStored", "PhotometricInterpretation", "RescaleSlope", "BodyPartExamined", "InstitutionName")
REGIONS = ["hand", "leg", "hip", "shoulder"]


def independent(flag: pd.Series, label: pd.Series) -> bool:
    table = pd.crosstab(flag, label)
    return table.shape[0] < 2 or table.shape[1] < 2 or chi2_contingency(table).pvalue > 0.001


def paths(root: Path, split: str) -> list[str]:
    return (root / f"{split}_image_paths.csv").read_text().splitlines()


def studies(root: Path, split: str) -> pd.DataFrame:
    return pd.read_csv(root / f"{split}_labeled_studies.csv", header=None, names=["study", "label"])


@pytest.mark.parametrize("split", ["train", "valid"])
def test_mura_tables_and_files_agree(roots: dict[str, Path], split: str) -> None:
    root = roots["mura"]
    listed, table = paths(root, split), studies(root, split)
    on_disk = {f"MURA-v1.1/{file.relative_to(root).as_posix()}" for file in (root / split).rglob("*.png")}
    assert set(listed) == on_disk
    assert len(listed) == len(on_disk)
    assert {path.rsplit("/", 1)[0] + "/" for path in listed} == set(table["study"])
    assert all(("_positive/" in study) == bool(label) for study, label in table.itertuples(index=False))
    pattern = rf"MURA-v1\.1/{split}/XR_[A-Z]+/patient\d{{5}}/study\d_(positive|negative)/image\d\.png"
    assert pd.Series(listed).str.fullmatch(pattern).all()


def test_mura_has_seven_parts_both_labels_and_disjoint_patients(roots: dict[str, Path]) -> None:
    tables = {split: studies(roots["mura"], split) for split in ("train", "valid")}
    patients = {split: set(table["study"].str.extract(r"(patient\d+)")[0]) for split, table in tables.items()}
    assert not patients["train"] & patients["valid"]
    assert len(patients["train"] | patients["valid"]) == PATIENTS["mura"]
    assert 0.15 < len(patients["valid"]) / PATIENTS["mura"] < 0.35
    both = pd.concat(tables.values())
    assert set(both["study"].str.extract(r"(XR_[A-Z]+)")[0]) == {f"XR_{part}" for part in mura.PARTS}
    assert 0.33 < both["label"].mean() < 0.57


def test_mura_images_vary_as_the_original_s_do(roots: dict[str, Path]) -> None:
    files = sorted(roots["mura"].rglob("*.png"))
    modes = {file: Image.open(file).mode for file in files}
    assert set(modes.values()) == {"L", "RGB"}
    sizes = [Image.open(file).size for file in files]
    assert len(set(sizes)) > 30
    assert all(0.8 * SIZE <= max(size) <= SIZE for size in sizes)
    per_study = pd.Series([file.parent for file in files]).value_counts()
    assert set(per_study) == {1, 2, 3, 4}


def test_mura_label_is_not_told_by_what_is_not_the_image(roots: dict[str, Path]) -> None:
    files = pd.Series(sorted(roots["mura"].rglob("*.png")))
    label = files.map(lambda file: "positive" in file.parent.name)
    views = files.groupby(files.map(lambda file: file.parent)).transform("size")
    colour = files.map(lambda file: Image.open(file).mode)
    first = ~files.map(lambda file: file.parent).duplicated()
    for flag in (views, colour):
        assert independent(flag[first], label[first])
    size = files.map(lambda file: file.stat().st_size)
    assert 0.35 < rank_auroc(size[colour == "L"], label[colour == "L"]) < 0.65


def rank_auroc(score: pd.Series, label: pd.Series) -> float:
    ranks = score.rank()
    positive = int(label.sum())
    total = ranks[label.astype(bool)].sum() - positive * (positive + 1) / 2
    return float(total / (positive * (len(label) - positive)))


def test_mura_a_study_is_of_one_patient_whose_bones_stay(roots: dict[str, Path]) -> None:
    plan = list(mura.plan(PATIENTS["mura"], 3))
    twice = [study.patient for study in plan if study.number == 2]
    assert twice, "some patients come twice"
    subjects = {study: mura.describe(study, 3)[0] for study in plan if study.patient in twice}
    assert all(len({s for t, s in subjects.items() if t.patient == p}) == 1 for p in twice)
    assert {s.abnormal for s in plan if s.patient in twice} == {True, False}


def test_fracatlas_table_has_the_original_s_columns_and_files(roots: dict[str, Path], test_data: Path) -> None:
    original = pd.read_csv(test_data / "fracatlas" / "FracAtlas" / "dataset.csv", nrows=3)
    table = pd.read_csv(roots["fracatlas"] / "dataset.csv")
    assert list(table.columns) == list(original.columns)


def test_fracatlas_labels_folders_and_counts_agree(roots: dict[str, Path]) -> None:
    root = roots["fracatlas"]
    table = pd.read_csv(root / "dataset.csv")
    assert len(table) == PATIENTS["fracatlas"]
    for row in table.itertuples():
        folder = "Fractured" if row.fractured else "Non_fractured"
        assert (root / "images" / folder / row.image_id).is_file()
        assert (row.fracture_count > 0) == bool(row.fractured)
    assert (table[REGIONS].sum(axis=1) == 1 + table["mixed"]).all()
    assert (table[["frontal", "lateral", "oblique"]].sum(axis=1) == 1).all()
    assert 0.14 <= table["fractured"].mean() <= 0.42
    assert (table[REGIONS].sum() > 0).all()
    assert independent(table["hardware"], table["fractured"])


def test_fracatlas_annotations_say_the_same_three_times(roots: dict[str, Path]) -> None:
    root = roots["fracatlas"]
    coco = json.loads((root / "Annotations" / "COCO JSON" / "COCO_fracture_masks.json").read_text())
    named = {image["id"]: image for image in coco["images"]}
    table = pd.read_csv(root / "dataset.csv").set_index("image_id")
    counted = pd.Series([named[box["image_id"]]["file_name"] for box in coco["annotations"]]).value_counts()
    assert counted.to_dict() == table.loc[table["fractured"] == 1, "fracture_count"].to_dict()
    for name in table.index:
        boxes = [b["bbox"] for b in coco["annotations"] if named[b["image_id"]]["file_name"] == name]
        stem = name.removesuffix(".jpg")
        voc = ET.parse(root / "Annotations" / "PASCAL VOC" / f"{stem}.xml").getroot()
        corners = [[int(v.text or "") for v in box] for box in voc.iter("bndbox")]
        yolo = (root / "Annotations" / "YOLO" / f"{stem}.txt").read_text().split("\n")[:-1]
        assert len(boxes) == len(corners) == len(yolo)
        width, height = (int(voc.findtext(f"size/{key}") or "") for key in ("width", "height"))
        for (x, y, w, h), corner, line in zip(boxes, corners, yolo, strict=True):
            np.testing.assert_allclose(corner, [x, y, x + w, y + h], atol=1)
            shares = [(x + w / 2) / width, (y + h / 2) / height, w / width, h / height]
            np.testing.assert_allclose([float(v) for v in line.split()[1:]], shares, atol=1e-4)
            assert min(x, y) >= 0
            assert x + w <= width
            assert y + h <= height


def test_fracatlas_split_holds_each_fractured_film_once(roots: dict[str, Path]) -> None:
    root = roots["fracatlas"]
    table = pd.read_csv(root / "dataset.csv")
    folder = root / "Utilities" / "Fracture Split"
    split = pd.concat([pd.read_csv(folder / f"{name}.csv") for name in ("train", "valid", "test")])
    assert sorted(split["image_id"]) == sorted(table.loc[table["fractured"] == 1, "image_id"])


def test_fracatlas_has_one_film_that_only_fits_after_exif_rotation(roots: dict[str, Path]) -> None:
    root = roots["fracatlas"]
    turned = [file for file in sorted(root.rglob("*.jpg")) if Image.open(file).getexif().get(0x0112, 1) != 1]
    assert len(turned) == 1
    voc = ET.parse(root / "Annotations" / "PASCAL VOC" / f"{turned[0].stem}.xml").getroot()
    shape = cv2.imread(str(turned[0]), cv2.IMREAD_GRAYSCALE).shape  # OpenCV turns it upright
    assert shape == (int(voc.findtext("size/height") or ""), int(voc.findtext("size/width") or ""))


def test_hip_table_parses_and_truth_agrees(roots: dict[str, Path]) -> None:
    root = roots["hip"]
    table = pd.read_csv(root / "labels.csv")
    expected = "path,patient_id,study_id,laterality,view,body_part,sex,age_years,site,fracture,fracture_type"
    assert ",".join(table.columns) == expected
    truth = json.loads((root / "truth.json").read_text())
    assert set(truth) == set(table["path"]) == {f"images/{file.name}" for file in (root / "images").iterdir()}
    for row in table.itertuples():
        assert bool(truth[row.path]) == bool(row.fracture), "every broken hip shows its break, no whole one does"
        header = pydicom.dcmread(root / row.path, stop_before_pixels=True)
        height, width = header.Rows, header.Columns
        for x0, y0, x1, y1 in truth[row.path]:
            assert 0 <= x0 < x1 <= width
            assert 0 <= y0 < y1 <= height
    assert table.groupby("study_id")["patient_id"].nunique().max() == 1
    assert table.groupby("study_id")[["laterality", "fracture"]].nunique().max().max() == 1
    assert table.groupby("patient_id")[["sex", "age_years", "site"]].nunique().max().max() == 1
    assert table["patient_id"].nunique() == PATIENTS["hip"]
    for row in table.itertuples():
        header = pydicom.dcmread(root / row.path, stop_before_pixels=True)
        assert (header.PatientID, header.AccessionNumber) == (row.patient_id, row.study_id)
        assert header.ImageLaterality == ("B" if header.BodyPartExamined == "PELVIS" else row.laterality)
        assert (header.ViewPosition == "AP") == (row.view == "frontal")
        assert (header.PatientSex, int(header.PatientAge[:3])) == (row.sex, row.age_years)


def test_hip_label_is_not_told_by_metadata(roots: dict[str, Path]) -> None:
    root = roots["hip"]
    table = pd.read_csv(root / "labels.csv")
    films = table.groupby("study_id")["path"].transform("size")
    one = table.drop_duplicates("study_id")
    assert 0.2 < one["fracture"].mean() < 0.5
    for flag in (one["sex"], one["site"], one["laterality"], films[one.index], one["age_years"] > 68):
        assert independent(flag, one["fracture"])
    headers = one["path"].map(lambda path: pydicom.dcmread(root / path, stop_before_pixels=True))
    syntax = headers.map(lambda header: header.file_meta.TransferSyntaxUID)
    named = [headers.map(lambda header, key=key: str(header.get(key))) for key in HEADER]
    shown = headers.map(
        lambda header: str([key in header for key in ("WindowCenter", "VOILUTSequence", "PixelSpacing")])
    )
    size = one["path"].map(lambda path: (root / path).stat().st_size)
    for flag in (syntax, shown, *named):
        assert independent(flag, one["fracture"])
    assert 0.3 < rank_auroc(size, one["fracture"]) < 0.7


def test_marker_pose_and_exposure_are_drawn_apart_from_the_finding() -> None:
    """At its edge a broken bone's film is the whole one's (the window may shift), another seed's is not."""
    residuals = []
    for study in [study for study in mura.plan(200, 0) if study.abnormal][:16]:
        subject, views, findings = mura.describe(study, 0)
        whole, broken = (film(subject, views[0], SIZE, (0, 1), f).pixels.astype(float) for f in ([], findings))
        edge = np.ones(whole.shape, bool)
        edge[SIZE // 10 : -SIZE // 10, SIZE // 10 : -SIZE // 10] = False
        grey = edge & (whole > 20)
        line = np.polyfit(whole[grey], broken[grey], 2)
        residuals.append(float(np.abs(np.polyval(line, whole[grey]) - broken[grey]).mean()))
    assert np.median(residuals) < 25, "grey levels: displaced bone leaves ten, another pose, marker and noise sixty"
