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
    images = [{"id": 7, "file_name": "IMG2.jpg"}, {"id": 9, "file_name": "IMG3.jpg"}]
    boxes = [{"image_id": 7, "bbox": [1, 1, 2, 2]}, {"image_id": 9, "bbox": [1, 1, 2, 2]}]
    (folder / "COCO_fracture_masks.json").write_text(json.dumps({"images": images, "annotations": boxes}))
    return tmp_path


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
        "with a fracture box but fractured=0 (dataset.csv wins): 1: IMG3.jpg",
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
    assert any("not checked against boxes" in note for note in reading.notes)


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
