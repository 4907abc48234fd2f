import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from osteon.config.specs import FracAtlasSpec
from osteon.datasets import card, find_root, read
from osteon.errors import OsteonError
from osteon.images import read_image
from osteon.manifest import complete, validate

SPEC = FracAtlasSpec(kind="fracatlas")
HEADER = "image_id,hand,leg,hip,shoulder,mixed,hardware,multiscan,fractured,fracture_count,frontal,lateral,oblique"
LINES = [
    "IMG1.jpg,1,0,0,0,0,0,0,0,0,1,0,0",
    "IMG2.jpg,0,1,1,0,1,1,0,1,2,1,1,0",
    "IMG3.jpg,0,0,1,0,0,0,0,1,1,0,0,1",
    "IMG4.jpg,0,0,0,1,0,0,1,0,0,0,0,0",
]
SIZE = {"width": 6, "height": 8}
WIDE = [0.5, 1.25, 5.000000004, 3]


def image(root: Path, fractured: bool, name: str) -> None:
    folder = root / "images" / ("Fractured" if fractured else "Non_fractured")
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((8, 6), 40, np.uint8)).save(folder / name)


def sheet(root: Path, *lines: str, header: str = HEADER) -> None:
    (root / "dataset.csv").write_text("\r\n".join((header, *lines)) + "\r\n")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for number, fractured in enumerate((False, True, True, False), start=1):
        image(tmp_path, fractured, f"IMG{number}.jpg")
    sheet(tmp_path, *LINES)
    folder = tmp_path / "Annotations" / "COCO JSON"
    folder.mkdir(parents=True)
    images = [{"id": 7, "file_name": "IMG2.jpg", **SIZE}, {"id": 9, "file_name": "IMG3.jpg", **SIZE}]
    boxes = [{"image_id": i, "category_id": 0, "bbox": b} for i, b in ((7, [1, 1, 2, 2]), (7, [0, 4, 6, 4]), (9, WIDE))]
    content = {"images": images, "annotations": boxes, "categories": [{"id": 0, "name": "fractured"}]}
    (folder / "COCO_fracture_masks.json").write_text(json.dumps(content))
    return tmp_path


def also(root: Path, image: str, boxes: list[tuple[float, float, float, float]]) -> None:
    """Write corners as PASCAL VOC and YOLO do."""
    objects = "".join(
        "<object><name>fractured</name><bndbox>"
        + "".join(f"<{k}>{int(v)}</{k}>" for k, v in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True))
        + "</bndbox></object>"
        for box in boxes
    )
    lines = [f"0 {(a + c) / 12:.4f} {(b + d) / 16:.4f} {(c - a) / 6:.4f} {(d - b) / 8:.4f}\n" for a, b, c, d in boxes]
    for folder, suffix, text in (
        ("PASCAL VOC", ".xml", f"<annotation>{objects}</annotation>"),
        ("YOLO", ".txt", "".join(lines)),
    ):
        (root / "Annotations" / folder).mkdir(exist_ok=True)
        (root / "Annotations" / folder / Path(image).with_suffix(suffix)).write_text(text)


def test_the_published_layout(root: Path) -> None:
    reading = read(root, SPEC)
    rows = validate(complete(reading.rows), card(SPEC).targets).set_index("image_id")
    assert rows.index.tolist() == ["IMG1.jpg", "IMG2.jpg", "IMG3.jpg", "IMG4.jpg"]
    assert rows["body_part"].tolist() == ["hand", "leg+hip", "hip", "shoulder"]
    assert rows["view"].fillna("-").tolist() == ["frontal", "frontal+lateral", "oblique", "-"]
    assert rows["fractured"].tolist() == [0.0, 1.0, 1.0, 0.0]
    assert rows["fracture_count"].tolist() == [0.0, 2.0, 1.0, 0.0]
    assert rows["hardware"].tolist() == [0.0, 1.0, 0.0, 0.0]
    assert rows["path"].tolist()[:2] == ["images/Non_fractured/IMG1.jpg", "images/Fractured/IMG2.jpg"]
    assert rows[["patient_id", "study_id", "split"]].isna().all(axis=None)
    assert reading.rejected.empty
    assert reading.notes == ("4 images are listed, the complete release has 4,083",)
    assert rows["boxes"].tolist() == [[], [[1, 1, 3, 3, 0], [0, 4, 6, 8, 0]], [[0.5, 1.25, 5.5, 4.25, 0]], []]


def test_disagreements_become_notes_and_the_table_wins(root: Path) -> None:
    (root / "images" / "Non_fractured" / "IMG1.jpg").rename(root / "images" / "Fractured" / "IMG1.jpg")
    sheet(root, *LINES[:2], LINES[2].replace("0,1,1,0,0,1", "0,0,0,0,0,1"), LINES[3])
    image(root, False, "IMG99.jpg")
    (root / "Utilities" / "Fracture Split").mkdir(parents=True)
    reading = read(root, SPEC)
    rows = reading.rows.set_index("image_id")
    assert rows.loc["IMG1.jpg", "path"] == "images/Fractured/IMG1.jpg"
    assert rows.loc["IMG1.jpg", "fractured"] == 0.0
    assert rows.loc["IMG3.jpg", "fractured"] == 0.0
    assert "IMG99.jpg" not in rows.index
    for words in (
        "in the folder of the other label (dataset.csv wins): 2: IMG1.jpg, IMG3.jpg",
        "with a fracture box but fractured=0 (dataset.csv wins; the box is kept): 1: IMG3.jpg",
        "on disk but not in dataset.csv (left out): 1: IMG99.jpg",
        "the authors' split holds fractured images only",
    ):
        assert any(words in note for note in reading.notes), words


def test_missing_and_repeated_images_are_rejected(root: Path) -> None:
    (root / "images" / "Fractured" / "IMG3.jpg").unlink()
    sheet(root, *LINES, LINES[0])
    reading = read(root, SPEC)
    assert reading.rows["image_id"].tolist() == ["IMG1.jpg", "IMG2.jpg", "IMG4.jpg"]
    assert reading.rejected["image_id"].tolist() == ["IMG3.jpg", "IMG1.jpg"]
    assert "not on disk" in reading.rejected["reason"][0]
    assert "listed twice" in reading.rejected["reason"][1]


@pytest.mark.parametrize("text", [None, "no json", "[]", '{"images": [], "annotations": [{"image_id": 3}]}'])
def test_without_readable_boxes_only_the_check_is_lost(root: Path, text: str | None) -> None:
    file = root / "Annotations" / "COCO JSON" / "COCO_fracture_masks.json"
    file.unlink()
    if text is not None:
        file.write_text(text)
    reading = read(root, SPEC)
    assert len(reading.rows) == 4
    assert reading.rows["boxes"].isna().all(), "nobody can say"
    assert any("not checked against boxes" in note for note in reading.notes)
    assert not any(str(root) in note for note in reading.notes)


def test_nobody_looked_where_a_fractured_image_has_no_box_or_the_label_is_blank(root: Path) -> None:
    file = root / "Annotations" / "COCO JSON" / "COCO_fracture_masks.json"
    content = json.loads(file.read_text())
    content["annotations"] = [*content["annotations"][:2], {"image_id": 99, "category_id": 0, "bbox": WIDE}]
    file.write_text(json.dumps(content))
    sheet(root, LINES[0].replace(",0,0,1,0,0", ",,,1,0,0"), *LINES[1:])
    reading = read(root, SPEC)
    assert reading.rows["boxes"].tolist() == [None, [[1, 1, 3, 3, 0], [0, 4, 6, 8, 0]], None, []]
    for words in (
        "with fractured=1 but without a box (their boxes are unknown): 1: IMG3.jpg",
        "annotations of images that COCO_fracture_masks.json does not list (left out): 1",
    ):
        assert any(words in note for note in reading.notes), words


def test_three_forms_that_agree_are_not_worth_a_note(root: Path) -> None:
    also(root, "IMG1.jpg", [])
    also(root, "IMG2.jpg", [(0, 4, 6, 8), (1, 1, 3, 3)])
    also(root, "IMG3.jpg", [(0, 1, 5, 4)])
    also(root, "IMG4.jpg", [])
    assert read(root, SPEC).notes == ("4 images are listed, the complete release has 4,083",)


def test_forms_that_disagree_are_named(root: Path) -> None:
    also(root, "IMG1.jpg", [(0, 0, 3, 3)])
    also(root, "IMG2.jpg", [(0, 4, 6, 8), (3, 1, 6, 3)])
    also(root, "IMG3.jpg", [(0, 1, 5, 4)])
    (root / "Annotations" / "PASCAL VOC" / "IMG3.xml").write_text("<annotation><object>")
    reading = read(root, SPEC)
    for words in (
        "Annotations/PASCAL VOC/ says otherwise than COCO (COCO is taken): 3: IMG1.jpg, IMG2.jpg, IMG3.jpg",
        "Annotations/YOLO/ says otherwise than COCO (COCO is taken): 2: IMG1.jpg, IMG2.jpg",
        "without a file in Annotations/YOLO/ (COCO is taken): 1: IMG4.jpg",
    ):
        assert any(words in note for note in reading.notes), words
    assert reading.rows["boxes"][0] == []


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"category_id": 1, "bbox": [1, 1, 2, 2]}, "category 1, which is not among"),
        ({"category_id": 0, "bbox": [1, 1, -2, 2]}, "no area"),
        ({"category_id": 0, "bbox": [1, 1, float("nan"), 2]}, "not finite"),
        ({"category_id": 0, "bbox": [1, "x", 2, 2]}, "no number"),
        ({"category_id": 0, "bbox": [1, 2, 2]}, "bbox of four"),
        ({"category_id": 0}, "bbox of four"),
    ],
)
def test_an_impossible_box_costs_its_image(root: Path, entry: dict[str, object], words: str) -> None:
    file = root / "Annotations" / "COCO JSON" / "COCO_fracture_masks.json"
    content = json.loads(file.read_text())
    content["annotations"].append({"image_id": 9, **entry})
    file.write_text(json.dumps(content))
    reading = read(root, SPEC)
    assert reading.rejected["image_id"].tolist() == ["IMG3.jpg"]
    assert words in reading.rejected["reason"][0]


@pytest.mark.parametrize(
    ("header", "line", "words"),
    [
        (HEADER.replace("fractured,", "fracture,"), LINES[0], r"no column 'fractured'\. Did you mean '?fracture"),
        (HEADER, LINES[0].replace(",0,0,1,0,0", ",2,0,1,0,0"), r"'fractured' must hold 0 or 1; found '2' in row 2"),
        (HEADER, LINES[0].replace(",0,0,1,0,0", ",0,x,1,0,0"), r"'fracture_count' must hold a count; found 'x'"),
        (HEADER, LINES[0] + ",9", "row 2 has 14 fields, the header has 13"),
    ],
)
def test_a_table_with_a_fault_is_named(root: Path, header: str, line: str, words: str) -> None:
    sheet(root, line, header=header)
    with pytest.raises(OsteonError, match=words) as fault:
        read(root, SPEC)
    assert "dataset.csv" in str(fault.value)


def test_a_blank_label_stays_unknown(root: Path) -> None:
    sheet(root, "IMG1.jpg,1,0,0,0,0,0,0,,,1,0,0", *LINES[1:])
    rows = read(root, SPEC).rows
    assert np.isnan(rows["fractured"][0])
    assert rows["path"][0] == "images/Non_fractured/IMG1.jpg"


@pytest.fixture(scope="module")
def real(test_data: Path) -> Path:
    return find_root(test_data, card(SPEC), {})


def test_real_rows_equal_the_table(real: Path) -> None:
    reading, table = read(real, SPEC), pd.read_csv(real / "dataset.csv")
    rows = validate(complete(reading.rows), card(SPEC).targets)
    assert len(rows) == 706
    assert rows["image_id"].tolist() == table["image_id"].tolist()
    for column in ("fractured", "hip", "leg", "hardware", "fracture_count", "frontal"):
        np.testing.assert_array_equal(rows[column], table[column])
    assert all((real / path).is_file() for path in rows["path"])
    assert (rows["body_part"].str.split("+").str.len() == table[["hand", "leg", "hip", "shoulder"]].sum(axis=1)).all()
    boxes = [cell for cell in rows["boxes"] if cell]
    assert (len(boxes), sum(map(len, boxes))) == (277, 351)
    assert rows["boxes"].notna().all()
    assert (rows["boxes"].map(len) == table["fracture_count"]).all()
    assert not any("otherwise than COCO" in note for note in reading.notes), "the three forms agree"
    conflicts = [note for note in reading.notes if "IMG0003298.jpg" in note]
    assert len(conflicts) == 2, "in the wrong folder, and a box though fractured=0"


@pytest.mark.parametrize("name", ["IMG0002588", "IMG0002628"])
def test_real_rotated_images_are_upright_with_their_boxes_on_the_bone(real: Path, name: str) -> None:
    table = json.loads((real / "Annotations" / "COCO JSON" / "COCO_fracture_masks.json").read_text())
    listed = next(image for image in table["images"] if image["file_name"] == f"{name}.jpg")
    found = read_image(next(real.glob(f"images/*/{name}.jpg")))
    assert "EXIF" in found.decision
    assert (found.height, found.width) == (listed["height"], listed["width"])
    boxes = [box["bbox"] for box in table["annotations"] if box["image_id"] == listed["id"]]
    turned = np.rot90(found.pixels, 2) if found.height > found.width else found.pixels
    assert boxes
    for left, top, width, height in boxes:
        assert left >= 0
        assert top >= 0
        assert left + width <= found.width
        assert top + height <= found.height
        window = np.s_[int(top) : int(top + height), int(left) : int(left + width)]
        if name == "IMG0002588":  # stored upside down: the box then lies on something darker
            assert found.pixels[window].mean() > turned[window].mean()
