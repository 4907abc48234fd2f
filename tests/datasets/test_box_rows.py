"""A table with a row a box: folded to a row an image, faults named by row, nothing of a patient in a message."""

from pathlib import Path

import pytest

from osteon.config.specs import TableSpec
from osteon.config.targets import TargetSpec
from osteon.datasets import card, read
from osteon.errors import OsteonError
from osteon.manifest import complete, typed, validate

HEADER = "path,patient_id,fracture,x1,y1,x2,y2,class"
LINES = (
    "a.png,p1,1,10,20,30,40,fracture",
    "a.png,p1,1,0.5,1.25,8,9,Text",
    "b.png,p1,0,,,,,",
    "c.png,p2,1,5,5,6,7,hip",
    "c.png,p2,1,50,50,60,70,text",
)
BOXES = TargetSpec(meaning="findings", kind="boxes", classes=["fracture", "text", "hip"])


def spec(private: bool = False, **changes: object) -> TableSpec:
    targets = {"fracture": TargetSpec(meaning="a fracture"), "boxes": BOXES}
    settings = {"kind": "table", "name": "mine", "targets": targets, "private": private} | changes
    return TableSpec(**settings)  # type: ignore[arg-type]


def written(root: Path, *lines: str, header: str = HEADER) -> Path:
    (root / "labels.csv").write_text("\n".join((header, *lines)) + "\n")
    for name in "abc":
        (root / f"{name}.png").write_bytes(b"x")
    return root


def test_a_row_a_box(tmp_path: Path) -> None:
    written(tmp_path, *LINES)
    rows = validate(typed(complete(read(tmp_path, spec()).rows), card(spec()).targets), card(spec()).targets)
    assert rows["image_id"].tolist() == ["a.png", "b.png", "c.png"]
    assert rows["patient_id"].tolist() == ["mine:p1", "mine:p1", "mine:p2"]
    assert rows["fracture"].tolist() == [1.0, 0.0, 1.0]
    assert rows["boxes"].tolist() == [
        [[10, 20, 30, 40, 0], [0.5, 1.25, 8, 9, 1]],
        [],
        [[5, 5, 6, 7, 2], [50, 50, 60, 70, 1]],
    ]


def test_the_order_of_rows_does_not_matter(tmp_path: Path) -> None:
    written(tmp_path, *(LINES[at] for at in (3, 0, 2, 4, 1)))
    rows = read(tmp_path, spec()).rows.set_index("image_id")
    assert rows.loc["a.png", "boxes"] == [[10, 20, 30, 40, 0], [0.5, 1.25, 8, 9, 1]]
    assert rows.index.tolist() == ["c.png", "a.png", "b.png"]


def test_a_box_goes_to_the_target_that_has_its_class(tmp_path: Path) -> None:
    written(tmp_path, *LINES)
    two = {
        "hips": TargetSpec(meaning="hips", kind="boxes", classes=["hip"]),
        "found": TargetSpec(meaning="findings", kind="boxes", classes=["text", "fracture"]),
    }
    rows = read(tmp_path, spec(targets=two)).rows
    assert rows["hips"].tolist() == [[], [], [[5, 5, 6, 7, 0]]]
    assert rows["found"].tolist() == [[[10, 20, 30, 40, 1], [0.5, 1.25, 8, 9, 0]], [], [[50, 50, 60, 70, 0]]]
    shared = two | {"again": TargetSpec(meaning="hips", kind="boxes", classes=["Hip"])}
    with pytest.raises(OsteonError, match=r"class 'hip' is of two targets"):
        read(tmp_path, spec(targets=shared))


def test_one_class_needs_no_column_and_numbers_may_name_classes(tmp_path: Path) -> None:
    written(tmp_path, "a.png,1,2,3,4", "b.png,,,,", header="path,left,y1,x2,y2")
    only = {"boxes": TargetSpec(meaning="a fracture", kind="boxes", classes=["fracture"])}
    rows = read(tmp_path, spec(targets=only, columns={"x1": "left"})).rows
    assert rows["boxes"].tolist() == [[[1, 2, 3, 4, 0]], []]
    written(tmp_path, "a.png,1,2,3,4,2", "b.png,1,2,3,4,0", header="path,x1,y1,x2,y2,class")
    assert [cell[0][4] for cell in read(tmp_path, spec(targets={"boxes": BOXES})).rows["boxes"]] == [2.0, 0.0]


FAULTS = [
    (("a.png,p1,1,10,20,30,40,bone",), r"'class' must hold one of fracture, text, hip; found 'bone' in row 2"),
    (("a.png,p1,1,10,20,30,40,3",), r"'class' must hold one of"),
    (("a.png,p1,1,30,20,10,40,text",), r"'x2' must be above x1; found '10' in row 2"),
    (("a.png,p1,1,10,20,30,20,text",), r"'y2' must be above y1"),
    (("a.png,p1,1,ten,20,30,40,text",), r"'x1' must hold a number of pixels; found 'ten' in row 2"),
    (("a.png,p1,1,10,inf,30,40,text",), r"'y1' must hold a number of pixels"),
    (("a.png,p1,1,10,,30,40,text",), r"'y1' must not be blank where the row holds a box"),
    (("a.png,p1,1,10,20,30,40,",), r"'class' must not be blank where the row holds a box"),
    (("a.png,p1,1,,,,,text",), r"'x1' must not be blank where the row holds a box"),
    ((LINES[0], "a.png,p1,1,,,,,"), r"'x1' must not be blank where the image stands in several rows"),
    ((LINES[0], LINES[0]), r"'x1' starts a box that stands there twice; found '10' in row 3"),
    ((LINES[0], LINES[1].replace("p1", "p2")), r"'patient_id' must be the same in all rows of an image"),
    ((LINES[0], LINES[1].replace("p1,1", "p1,0")), r"'fracture' must be the same in all rows of an image"),
]


@pytest.mark.parametrize(("lines", "words"), FAULTS)
def test_a_fault_is_named_with_its_row(tmp_path: Path, lines: tuple[str, ...], words: str) -> None:
    written(tmp_path, *lines)
    with pytest.raises(OsteonError, match=words):
        read(tmp_path, spec())


def test_a_column_that_is_missing_is_named(tmp_path: Path) -> None:
    written(tmp_path, "a.png,1,2,3", header="path,x1,y1,x2")
    with pytest.raises(OsteonError, match="no column 'y2'"):
        read(tmp_path, spec(targets={"boxes": BOXES}))


def test_a_private_table_shows_no_patient(tmp_path: Path) -> None:
    written(tmp_path, LINES[0].replace("p1", "Doe^Jane"), LINES[1].replace("p1", "Roe^Jane"))
    with pytest.raises(OsteonError) as told:
        read(tmp_path, spec(private=True))
    assert "'patient_id' must be the same in all rows" in str(told.value)
    for word in ("Jane", "Doe", str(tmp_path), "a.png"):
        assert word not in str(told.value)


def test_boxes_need_classes() -> None:
    with pytest.raises(ValueError, match="a boxes target needs classes"):
        TargetSpec(meaning="findings", kind="boxes")
