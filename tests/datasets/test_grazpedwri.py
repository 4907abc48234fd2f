"""GRAZPEDWRI-DX as published and as mirrored: every layout gives the same rows and boxes; faults are named."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from osteon.config.specs import GrazPedWriSpec
from osteon.datasets import card, find_root, read
from osteon.datasets.grazpedwri import CLASSES
from osteon.errors import OsteonError
from osteon.images import read_image
from osteon.manifest import Reading, complete, typed, validate

SPEC = GrazPedWriSpec(kind="grazpedwri")
AS_ANNOTATED = GrazPedWriSpec(kind="grazpedwri", uncertain="as_annotated")
HEADER = (
    "filestem,patient_id,study_number,timehash,gender,age,laterality,projection,initial_exam,ao_classification,cast,"
    "diagnosis_uncertain,osteopenia,fracture_visible,metal,pixel_spacing,device_manufacturer"
)
STEMS = ("0001_1297860395_01_WRI-L1_M014", "0001_1297860435_01_WRI-L2_M014", "0002_0354485735_01_WRI-R1_F012")
UNSURE = "0003_0667600001_01_WRI-R2_F009"
LINES = [
    f"{STEMS[0]},1,1,1297860395,M,14.2,L,1,1,23r-M/2.1; 23u-E/7,,,,1,,0.144,Siemens",
    f"{STEMS[1]},1,1,1297860435,M,14.2,L,2,1,,1,,1,1,1,0.144,Siemens",
    f"{STEMS[2]},2,1,0354485735,O,12.1,R,1,,,,,,,,0.143,Agfa",
    f"{UNSURE},3,1,0667600001,F,9,R,2,1,,,1,,,,0.144,Siemens",
]
WIDTH, HEIGHT = 40, 80
TEN = (*CLASSES[:7], "axis", *CLASSES[7:])
BOXES = {
    STEMS[0]: [("fracture", 4, 8, 20, 16), ("text", 30, 0, 40, 8)],
    STEMS[1]: [("metal", 10, 10, 30, 20), ("fracture", 0, 40, 20, 60), ("softtissue", 2, 4, 6, 12)],
    STEMS[2]: [],
    UNSURE: [("text", 30, 0, 40, 8)],
}


def yolo(root: Path, order: tuple[str, ...], folder: str = "folder_structure/yolov5/labels", meta: str = "") -> None:
    (root / folder).mkdir(parents=True, exist_ok=True)
    for stem, boxes in BOXES.items():
        lines = [
            f"{order.index(n)} {(a + c) / 2 / WIDTH:.6f} {(b + d) / 2 / HEIGHT:.6f} {(c - a) / WIDTH:.6f} "
            f"{(d - b) / HEIGHT:.6f}\n"
            for n, a, b, c, d in boxes
        ]
        (root / folder / f"{stem}.txt").write_text("".join(lines))
    named = root / (meta or f"{folder}/../meta.yaml")
    named.write_text(f"nc: {len(order)}\nnames: [{', '.join(order)}]\n")


def voc(root: Path, folder: str = "folder_structure/pascalvoc") -> None:
    (root / folder).mkdir(parents=True, exist_ok=True)
    for stem, boxes in BOXES.items():
        objects = "".join(
            f"<object><name>{n}</name><bndbox><xmin>{a}</xmin><ymin>{b}</ymin><xmax>{c}</xmax><ymax>{d}</ymax></bndbox>"
            "</object>"
            for n, a, b, c, d in boxes
        )
        size = f"<size><width>{WIDTH}</width><height>{HEIGHT}</height></size>"
        (root / folder / f"{stem}.xml").write_text(f"<annotation>{size}{objects}</annotation>")


def images(root: Path, *folders: str) -> None:
    for number, stem in enumerate(BOXES):
        path = root / folders[number % len(folders)] / f"{stem}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        ramp = np.linspace(0, 60_000, WIDTH * HEIGHT).reshape(HEIGHT, WIDTH)
        Image.fromarray(ramp.astype(np.uint16)).save(path)


def sheet(root: Path, *lines: str, header: str = HEADER) -> None:
    (root / "dataset.csv").write_bytes(("\n".join((header, *lines)) + "\n").encode("utf-8-sig"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "GRAZPEDWRI-DX"
    images(root, "images_part1", "images_part2")
    sheet(root, *LINES)
    return root


def told(reading: Reading, words: str) -> bool:
    return any(words in note for note in reading.notes)


def expected(stem: str) -> list[list[float]]:
    return [[*map(float, corners), float(CLASSES.index(name))] for name, *corners in BOXES[stem]]


def test_the_published_layout(root: Path) -> None:
    yolo(root, CLASSES)
    voc(root)
    assert find_root(root.parent, card(SPEC), {}) == root
    reading = read(root, SPEC)
    rows = validate(typed(complete(reading.rows), card(SPEC).targets), card(SPEC).targets)
    assert rows["image_id"].tolist() == [*STEMS, UNSURE]
    assert rows["path"][:2].tolist() == [f"images_part{n}/{STEMS[n - 1]}.png" for n in (1, 2)]
    assert rows["patient_id"].tolist() == ["grazpedwri:1", "grazpedwri:1", "grazpedwri:2", "grazpedwri:3"]
    assert rows["study_id"].tolist() == ["1"] * 4
    assert rows["laterality"].tolist() == ["L", "L", "R", "R"]
    assert rows["view"].tolist() == ["PA", "lateral", "PA", "lateral"]
    assert rows["sex"].fillna("-").tolist() == ["M", "M", "-", "F"]
    assert rows["age_years"].tolist() == [14.2, 14.2, 12.1, 9.0]
    assert rows[["cast", "metal", "osteopenia"]].sum(axis=1).tolist() == [0, 3, 0, 0]
    assert rows["spacing_mm_row"].tolist() == [0.144, 0.144, 0.143, 0.144]
    assert rows["split"].isna().all()
    assert rows["boxes"].tolist() == [expected(STEMS[0]), expected(STEMS[1]), [], None]
    assert rows["fracture_boxes"].tolist() == [[[4, 8, 20, 16, 0]], [[0, 40, 20, 60, 0]], [], None]
    np.testing.assert_array_equal(rows["fracture_visible"], [1.0, 1.0, 0.0, np.nan])
    assert reading.rejected.empty
    assert told(reading, f"of diagnosis_uncertain, left unlabelled: 1: {UNSURE}")
    assert told(reading, "fracture 2 of 18,090")
    assert not told(reading, "disagree")


def test_uncertain_images_may_be_kept(root: Path) -> None:
    voc(root)
    rows = read(root, AS_ANNOTATED).rows.set_index("image_id")
    assert rows.loc[UNSURE, "boxes"] == expected(UNSURE)
    assert rows.loc[UNSURE, "fracture_visible"] == 0.0
    assert card(AS_ANNOTATED).expected["boxes=fracture"] == 18_090


def test_sixteen_bits_are_read(root: Path) -> None:
    voc(root)
    found = read_image(root / read(root, SPEC).rows["path"][0])
    assert (found.height, found.width) == (HEIGHT, WIDTH)
    assert np.ptp(found.pixels) > 200


LAYOUTS = {
    "a split's folders": (("images/train", "images/valid"), "labels/train", "meta.yaml"),
    "data below": (("data/images/train", "data/images/test"), "data/labels/train", "data/meta.yaml"),
    "a split above": (("train/images",), "train/labels", "data.yaml"),
    "all in one folder": (("all",), "all", "all/classes.yaml"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("order", [CLASSES, TEN, CLASSES[::-1]], ids=["nine", "ten", "turned round"])
def test_mirrors_give_the_same_boxes(tmp_path: Path, layout: str, order: tuple[str, ...]) -> None:
    below, labels, meta = LAYOUTS[layout]
    images(tmp_path, *below)
    sheet(tmp_path, *LINES)
    yolo(tmp_path, order, labels, meta)
    rows = read(tmp_path, SPEC).rows
    for stem, cell in zip(rows["image_id"][:3], rows["boxes"][:3], strict=True):
        assert len(cell) == len(BOXES[stem])
        np.testing.assert_allclose(np.reshape(cell, (-1, 5)), np.reshape(expected(stem), (-1, 5)), atol=1e-3)
    assert all((tmp_path / path).is_file() for path in rows["path"])


def test_two_exports_with_different_class_orders_are_named_and_agree_by_name(root: Path) -> None:
    yolo(root, CLASSES)
    yolo(root, TEN, "mirror/labels")
    reading = read(root, SPEC)
    assert told(reading, "two exports number the classes differently (boxes are read by name): folder_structure/")
    assert not told(reading, "annotation files disagree")
    assert reading.rows["boxes"][0] == expected(STEMS[0])
    (root / "mirror" / "meta.yaml").write_text(f"names: [{', '.join(CLASSES[:8])}, axis, text]")
    assert told(read(root, SPEC), f"annotation files disagree (PASCAL VOC, else the first is taken): 1: {STEMS[1]}")


def test_an_axis_is_left_out_and_told(root: Path) -> None:
    voc(root)
    file = root / "folder_structure" / "pascalvoc" / f"{STEMS[0]}.xml"
    file.write_text(file.read_text().replace("<name>text", "<name>axis"))
    reading = read(root, SPEC)
    assert told(reading, "none of the nine (left out): axis 1")
    assert reading.rows["boxes"][0] == expected(STEMS[0])[:1]


def test_without_names_numbers_say_nothing(root: Path) -> None:
    yolo(root, CLASSES)
    (root / "folder_structure" / "yolov5" / "meta.yaml").unlink()
    with pytest.raises(OsteonError, match=r"nothing names the classes.*nine and of ten.*dataset\.classes=\[boneanom"):
        read(root, SPEC)
    given = GrazPedWriSpec(kind="grazpedwri", classes=list(CLASSES))
    assert read(root, given).rows["boxes"][0] == expected(STEMS[0])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("names: [a, b, c]\n", "names a, b, c, none of which is of GRAZPEDWRI-DX"),
        (f"nc: 10\nnames: [{', '.join(CLASSES)}]\n", "nc is 10, but 9 classes are named"),
        ("names: [text, text]\n", "a class stands there twice"),
        ("names: {1: text, 2: metal}\n", "must number its classes 0, 1, 2"),
    ],
)
def test_class_names_that_cannot_be_are_named(root: Path, text: str, words: str) -> None:
    yolo(root, CLASSES)
    (root / "folder_structure" / "yolov5" / "meta.yaml").write_text(text)
    with pytest.raises(OsteonError, match=words):
        read(root, SPEC)


def test_two_files_of_names_in_one_folder_must_agree(root: Path) -> None:
    yolo(root, CLASSES)
    (root / "folder_structure" / "yolov5" / "classes.txt").write_text("\n".join(TEN))
    with pytest.raises(OsteonError, match=r"two files beside the labels disagree.*classes\.txt.*meta\.yaml"):
        read(root, SPEC)


def test_an_image_without_an_annotation_file_is_unlabelled_not_negative(root: Path) -> None:
    voc(root)
    (root / "folder_structure" / "pascalvoc" / f"{STEMS[2]}.xml").unlink()
    reading = read(root, SPEC)
    assert reading.rows["boxes"][2] is None
    assert reading.rows["fracture_visible"][2] == 0.0
    assert told(reading, f"without an annotation file (their boxes are unknown): 1: {STEMS[2]}")


def test_annotations_without_an_image_are_named(root: Path) -> None:
    voc(root)
    (root / "images_part1" / f"{STEMS[0]}.png").unlink()
    folder = root / "folder_structure" / "pascalvoc"
    shutil.copy(folder / f"{STEMS[0]}.xml", folder / "9999_1_01_WRI-L1_M001.xml")
    reading = read(root, SPEC)
    assert reading.rejected.to_dict("records")[0]["reason"] == "listed in dataset.csv, but not on disk"
    assert told(reading, f"annotations of images that are not on disk: 1: {STEMS[0]}")
    assert told(reading, "images that dataset.csv does not list (left out): 1: 9999_1_01_WRI-L1_M001")


FAULTS = [
    ("txt", "9 0.5 0.5 0.1 0.1", "class 9, but classes go from 0 to 8"),
    ("txt", "-1 0.5 0.5 0.1 0.1", "class -1, but classes"),
    ("txt", "3 0.5 0.5 -0.1 0.1", "a number outside 0 to 1"),
    ("txt", "3 0.5 1.5 0.1 0.1", "a number outside 0 to 1"),
    ("txt", "3 0.5 nan 0.1 0.1", "not finite"),
    ("txt", "3 0.5 half 0.1 0.1", "no number"),
    ("txt", "3 0.5 0.5 0.1 0", "no area"),
    ("txt", "3 0.5 0.5 0.1", "a line of 4 fields"),
    ("txt", "3 0.1 0.1 0.2 0.1 0.2 0.2", "polygons are no boxes"),
    ("xml", "<annotation><object>", "no XML, or cut off"),
    ("xml", "<html/>", "no PASCAL VOC"),
    ("xml", "<annotation><object><name>text</name></object></annotation>", "missing or no number"),
    ("xml", "<annotation><object><bndbox/></object></annotation>", "no class name"),
]


@pytest.mark.parametrize(("suffix", "text", "words"), FAULTS)
def test_an_annotation_with_a_fault_costs_its_image(root: Path, suffix: str, text: str, words: str) -> None:
    yolo(root, CLASSES) if suffix == "txt" else voc(root)
    next(root.glob(f"folder_structure/*/*{STEMS[1]}.{suffix}"), next(root.rglob(f"{STEMS[1]}.{suffix}"))).write_text(
        text
    )
    reading = read(root, SPEC)
    assert reading.rejected["image_id"].tolist() == [STEMS[1]]
    assert words in reading.rejected["reason"][0]
    assert STEMS[0] in reading.rows["image_id"].tolist()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("fracture_visible,", "fracture,", "no column 'fracture_visible'"),
        (",14.2,L,1,", ",14.2,X,1,", "'laterality' must hold L, R"),
        (",14.2,L,1,", ",14.2,L,4,", "'projection' must hold 1, 2, 3 or blank; found '4' in row 2"),
        (",M,14.2,L,1,", ",M,143,L,1,", "'age' must hold years from 0 to 130"),
        (",,,1,,0.144", ",,yes,1,,0.144", "'osteopenia' must hold 1, 0 or blank; found 'yes'"),
    ],
)
def test_a_table_with_a_fault_is_named(root: Path, old: str, new: str, words: str) -> None:
    voc(root)
    sheet(root, *(line.replace(old, new, 1) for line in LINES), header=HEADER.replace(old, new, 1))
    with pytest.raises(OsteonError, match=words):
        read(root, SPEC)


def test_a_patient_that_the_name_contradicts_is_noted(root: Path) -> None:
    voc(root)
    sheet(root, LINES[0].replace(",1,1,", ",7,1,", 1), *LINES[1:])
    assert told(read(root, SPEC), f"name says another patient than patient_id (patient_id is taken): 1: {STEMS[0]}")
