"""COCO, PASCAL VOC and YOLO of one's own say the same; each fault is named; of a private set nothing is shown."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from osteon.config.specs import BoxFilesSpec
from osteon.config.targets import TargetSpec
from osteon.datasets import card, read
from osteon.datasets.annotations import AnnotationError, size_of
from osteon.errors import OsteonError
from osteon.images import read_image
from osteon.manifest import Reading, complete, typed, validate
from osteon.phantoms import draw
from osteon.run.survey.chosen import spec_of

NAMES = ("text", "fracture")
SIZES = {"a.png": (40, 20), "b.jpg": (30, 60), "c.png": (50, 50)}
BOXES = {"a.png": [("fracture", 4, 2, 20, 12), ("text", 30, 0, 38, 8)], "b.jpg": [("text", 0, 30, 15, 60)], "c.png": []}
EXPECTED = [[[4, 2, 20, 12, 0], [30, 0, 38, 8, 1]], [[0, 30, 15, 60, 1]], []]
ORIENTATION = 0x0112


def images(root: Path) -> None:
    (root / "images").mkdir()
    for name, (width, height) in SIZES.items():
        Image.fromarray(np.full((height, width), 90, np.uint8)).save(root / "images" / name)


def coco(root: Path) -> None:
    listed = [{"id": i, "file_name": n, "width": w, "height": h} for i, (n, (w, h)) in enumerate(SIZES.items())]
    place = {entry["file_name"]: entry["id"] for entry in listed}
    found = [
        {"id": n, "image_id": place[name], "category_id": 3 * NAMES.index(k), "bbox": [x0, y0, x1 - x0, y1 - y0]}
        for n, (name, (k, x0, y0, x1, y1)) in enumerate((name, box) for name, boxes in BOXES.items() for box in boxes)
    ]
    categories = [{"id": 3 * i, "name": name} for i, name in enumerate(NAMES)]
    text = json.dumps({"images": listed, "annotations": found, "categories": categories})
    (root / "annotations.json").write_text(text)


def voc(root: Path) -> None:
    (root / "xml").mkdir()
    for name, boxes in BOXES.items():
        objects = "".join(
            f"<object><name>{k}</name><bndbox><xmin>{a}</xmin><ymin>{b}</ymin><xmax>{c}</xmax><ymax>{d}</ymax></bndbox>"
            "</object>"
            for k, a, b, c, d in boxes
        )
        width, height = SIZES[name]
        size = f"<size><width>{width}</width><height>{height}</height></size>"
        (root / "xml" / f"{name[0]}.xml").write_text(f"<annotation>{size}{objects}</annotation>")


def yolo(root: Path) -> None:
    (root / "labels").mkdir()
    for name, boxes in BOXES.items():
        w, h = SIZES[name]
        lines = [
            f"{NAMES.index(k)} {(a + c) / 2 / w} {(b + d) / 2 / h} {(c - a) / w} {(d - b) / h}\n"
            for k, a, b, c, d in boxes
        ]
        (root / "labels" / f"{name[0]}.txt").write_text("".join(lines))
    (root / "data.yaml").write_text("names: {0: text, 1: fracture}\n")


WRITERS: dict[str, tuple[Callable[[Path], None], str]] = {
    "coco": (coco, "annotations.json"),
    "voc": (voc, "xml"),
    "yolo": (yolo, "labels"),
}


def spec(kind: str, **changes: object) -> BoxFilesSpec:
    settings = {"name": "mine", "annotations": WRITERS[kind][1], "classes": ["fracture", "text"], "private": False}
    return BoxFilesSpec(kind=kind, **(settings | changes))  # type: ignore[arg-type]


@pytest.fixture(params=WRITERS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def root(tmp_path: Path, kind: str) -> Path:
    images(tmp_path)
    WRITERS[kind][0](tmp_path)
    return tmp_path


def told(reading: Reading, words: str) -> bool:
    return any(words in note for note in reading.notes)


def rows_of(root: Path, of: BoxFilesSpec) -> Any:
    return validate(typed(complete(read(root, of).rows), card(of).targets), card(of).targets)


def test_three_forms_give_the_same_boxes(root: Path, kind: str) -> None:
    rows = rows_of(root, spec(kind))
    assert rows["path"].tolist() == [f"images/{name}" for name in SIZES]
    for cell, expected in zip(rows["boxes"], EXPECTED, strict=True):
        np.testing.assert_allclose(np.reshape(cell, (-1, 5)), np.reshape(expected, (-1, 5)), atol=1e-3)
    assert read(root, spec(kind)).notes == ()
    assert rows["patient_id"].isna().all()


def test_classes_go_by_name_in_the_order_asked_for(root: Path, kind: str) -> None:
    only = read(root, spec(kind, classes=["text"]))
    assert [[box[4] for box in cell] for cell in only.rows["boxes"]] == [[0.0], [0.0], []]
    assert told(only, "not asked for (left out): fracture 1")


def test_a_class_spelt_otherwise_is_no_negative(root: Path, kind: str) -> None:
    wanted = read(root, spec(kind)).rows["boxes"].tolist()
    changed = read(root, spec(kind, classes=["Fracture", "text"]))
    assert changed.rows["boxes"].tolist() == wanted
    assert told(changed, "classes spelt otherwise, taken for those asked for: fracture 1")
    both = read(root, spec(kind, classes=["text", "TEXT", "fracture"])) if kind == "voc" else None
    assert both is None or [len(cell) for cell in both.rows["boxes"]] == [2, 1, 0], "names that differ by case alone"


def test_classes_must_be_given_and_be_there(root: Path, kind: str) -> None:
    with pytest.raises(OsteonError, match=r"dataset\.classes: not given.*classes=\[(text,fracture|fracture,text)\]"):
        read(root, spec(kind, classes=[]))
    with pytest.raises(OsteonError, match=r"have no class 'fractures'\. Did you mean '?fracture"):
        read(root, spec(kind, classes=["fractures"]))


def test_a_table_brings_patients_exams_and_splits(root: Path, kind: str) -> None:
    table = "path,patient_id,study_id,split,osteopenia\na.png,p1,s1,train,1\nb.jpg,p1,s2,train,0\nc.png,p2,s3,test,\n"
    (root / "labels.csv").write_text(table)
    of = spec(kind, table="labels.csv", targets={"osteopenia": TargetSpec(meaning="osteopenia")})
    rows = rows_of(root, of)
    assert rows["patient_id"].tolist() == ["mine:p1", "mine:p1", "mine:p2"]
    assert rows["split"].tolist() == ["train", "train", "test"]
    assert rows["osteopenia"].tolist()[:2] == [1.0, 0.0]
    assert [len(cell) for cell in rows["boxes"]] == [2, 1, 0]
    (root / "labels.csv").write_text(table.replace("b.jpg,p1,s2,train", "b.jpg,p1,s2,test"))
    with pytest.raises(OsteonError, match="a patient in two splits"):
        rows_of(root, of)
    (root / "labels.csv").write_text("path\na.png\nc.png\n")
    reading = read(root, spec(kind, table="labels.csv"))
    assert reading.rows["path"].tolist() == ["images/a.png", "images/c.png"]
    assert told(reading, "annotations of images that are not there (left out): 1")


def test_a_missing_image_and_an_image_without_annotation_are_named(root: Path, kind: str) -> None:
    (root / "images" / "b.jpg").unlink()
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(root / "images" / "d.png")
    reading = read(root, spec(kind))
    assert told(reading, "annotations of images that are not there (left out): 1")
    if kind == "coco":
        assert reading.rejected["path"].tolist() == ["images/b.jpg"]
        (root / "labels.csv").write_text("path\na.png\nd.png\n")
        reading = read(root, spec(kind, table="labels.csv"))
    assert reading.rows.set_index("path").loc["images/d.png", "boxes"] is None, "unlabelled, not negative"
    assert told(reading, "images that no annotation speaks of (their boxes are unknown): 1: images/d.png")


def test_annotations_of_another_size_are_of_another_image(root: Path, kind: str) -> None:
    if kind == "yolo":
        pytest.skip("shares have no size")
    Image.fromarray(np.zeros((40, 20), np.uint8)).save(root / "images" / "a.png")
    rejected = read(root, spec(kind)).rejected
    assert rejected["path"].tolist() == ["images/a.png"]
    assert rejected["reason"][0] == "annotated on an image of 40 x 20, but as it is read it has 20 x 40"


@pytest.mark.parametrize(
    ("kind", "old", "new", "words"),
    [
        ("coco", '"category_id": 3', '"category_id": 7', "category 7, which is not among"),
        ("coco", "[4, 2, 16, 10]", "[4, 2, -16, 10]", "no area"),
        ("coco", "[4, 2, 16, 10]", "[4, 2, NaN, 10]", "not finite"),
        ("coco", "[4, 2, 16, 10]", '[4, 2, "wide", 10]', "no number"),
        ("voc", "<xmax>20", "<xmax>3", "no area"),
        ("voc", "<xmax>20", "<xmax>wide", "no number"),
        ("voc", "</annotation>", "", "no XML, or cut off"),
        ("yolo", "1 0.3", "2 0.3", "class 2, but classes go from 0 to 1"),
        ("yolo", "1 0.3", "1 1.3", "a number outside 0 to 1"),
        ("yolo", "1 0.3", "1 nan", "not finite"),
        ("yolo", "1 0.3", "1 left", "no number"),
    ],
    indirect=["kind"],
)
def test_an_impossible_box_costs_its_image(root: Path, kind: str, old: str, new: str, words: str) -> None:
    place = {"coco": "annotations.json", "voc": "xml/a.xml", "yolo": "labels/a.txt"}[kind]
    text = (root / place).read_text()
    assert old in text
    (root / place).write_text(text.replace(old, new, 1))
    reading = read(root, spec(kind))
    assert reading.rejected["path"].tolist() == ["images/a.png"]
    assert words in reading.rejected["reason"][0]


BROKEN = [
    ("coco", "annotations.json", lambda text: text[:60], "no JSON, or cut off"),
    ("coco", "annotations.json", lambda text: text.replace("categories", "classes"), "no list 'categories'"),
    ("coco", "annotations.json", lambda text: text.replace('"id": 1', '"id": 0', 1), "two of 'images' have the id 0"),
    ("coco", "annotations.json", lambda text: text.replace('"fracture"', '"text"'), "two categories have one name"),
    ("coco", "annotations.json", lambda text: text.replace('"a.png"', '"../a.png"'), "must lie below dataset.images"),
    ("yolo", "data.yaml", lambda text: "names: [text, fracture, text]", "a class stands there twice"),
    ("yolo", "data.yaml", lambda text: "nothing: 1", "nothing names the classes"),
]


@pytest.mark.parametrize(("kind", "file", "change", "words"), BROKEN, indirect=["kind"])
def test_what_is_broken_as_a_whole_is_an_error(
    root: Path, kind: str, file: str, change: Callable[[str], str], words: str
) -> None:
    (root / file).write_text(change((root / file).read_text()))
    with pytest.raises(OsteonError, match=words):
        read(root, spec(kind))


@pytest.mark.parametrize("kind", ["coco"], indirect=True)
def test_an_image_that_is_listed_twice_is_rejected(root: Path) -> None:
    content = json.loads((root / "annotations.json").read_text())
    content["images"].append({"id": 9, "file_name": "a.png"})
    (root / "annotations.json").write_text(json.dumps(content))
    rejected = read(root, spec("coco")).rejected
    assert rejected["reason"].tolist() == ["listed twice among the images"]


@pytest.mark.parametrize("kind", ["yolo"], indirect=True)
def test_two_exports_with_different_class_orders_are_named(root: Path) -> None:
    for folder, order in (("one", "[text, fracture]"), ("two", "[fracture, text]")):
        (root / "labels" / folder).mkdir()
        (root / "labels" / folder / "data.yaml").write_text(f"names: {order}")
    (root / "images" / "two").mkdir()
    (root / "images" / "a.png").rename(root / "images" / "two" / "a.png")
    (root / "labels" / "a.txt").rename(root / "labels" / "two" / "a.txt")
    with pytest.raises(OsteonError, match=r"two exports number their classes differently: fracture, text; text, frac"):
        read(root, spec("yolo"))


@pytest.mark.parametrize("kind", ["yolo"], indirect=True)
@pytest.mark.parametrize("inside", [True, False])
def test_folders_of_a_split_are_the_split(root: Path, inside: bool) -> None:
    for split, name in (("train", "a"), ("train", "b"), ("test", "c")):
        for word in ("images", "labels"):
            file = next((root / word).glob(f"{name}.*"))
            place = root / word / split if inside else root / split / word
            place.mkdir(parents=True, exist_ok=True)
            file.rename(place / file.name)
    of = spec("yolo") if inside else spec("yolo", images=".", annotations=".")
    reading = read(root, of)
    assert sorted(zip(reading.rows["image_id"].str[-5], reading.rows["split"], strict=True)) == [
        ("a", "train"),
        ("b", "train"),
        ("c", "test"),
    ]
    assert reading.split_names == {"test": "test"}
    assert sorted(map(len, reading.rows["boxes"])) == [0, 1, 2]


def test_a_private_set_shows_no_name(root: Path, kind: str) -> None:
    (root / "images" / "a.png").unlink()
    reading = read(root, spec(kind, private=True))
    said = " ".join((*reading.notes, *reading.rejected["reason"]))
    for name in ("a.png", "a.xml", "a.txt", str(root)):
        assert name not in said
    (root / WRITERS[kind][1]).rename(root / "gone")
    with pytest.raises(OsteonError) as fault:
        read(root, spec(kind, private=True))
    assert f"data.roots.mine: {WRITERS[kind][1]}" in str(fault.value)
    assert str(root) not in str(fault.value)


@pytest.mark.parametrize("place", ["../x", "/x", "c:/x"])
@pytest.mark.parametrize("key", ["annotations", "images", "table"])
def test_a_place_outside_the_dataset_is_refused(key: str, place: str) -> None:
    with pytest.raises(OsteonError, match=f"dataset.{key}: found"):
        card(spec("coco", **{key: place}))


@pytest.mark.parametrize("name", ["coco", "voc", "yolo"])
def test_the_settings_that_are_shipped(name: str) -> None:
    of = spec_of(name, ["classes=[fracture]"])
    assert isinstance(of, BoxFilesSpec)
    assert of.private
    assert card(of).targets["boxes"].classes == ("fracture",)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif"])
def test_a_size_is_that_of_the_image_as_it_is_read(tmp_path: Path, orientation: int, suffix: str) -> None:
    tags = Image.Exif()
    tags[ORIENTATION] = orientation
    path = tmp_path / f"x{suffix}"
    Image.fromarray(np.zeros((20, 40), np.uint8)).save(path, exif=tags)
    found = read_image(path)
    assert size_of(path) == (found.width, found.height)


def test_a_dicom_s_size(tmp_path: Path) -> None:
    path = next((draw("hip", tmp_path, 1, 0, 64) / "images").iterdir())
    found = read_image(path)
    assert size_of(path) == (found.width, found.height)


def test_a_damaged_header_has_no_size(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(b"\x89PNG\r\n")
    with pytest.raises(AnnotationError, match="header cannot be read"):
        size_of(tmp_path / "x.png")
