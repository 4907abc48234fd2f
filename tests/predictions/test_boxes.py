import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from osteon.errors import OsteonError
from osteon.predictions import Predictions, TaskFacts, check, drop_repeats, merge, read, write
from osteon.predictions.boxes import array_of, overlap_of
from tests.predictions.conftest import rows

FACTS = {"wrist": TaskFacts(head="detection", classes=("fracture", "text"))}
BOX = [1.0, 2.0, 30.0, 40.0, 1.0, 0.5]


def drawn(**changes: Any) -> pd.DataFrame:
    """Four images: two boxes, one, none; the last was looked at by nobody."""
    columns: dict[str, Any] = {
        "task": "wrist",
        "boxes": [[BOX, [0, 0, 5, 5, 0, 1]], [BOX], [], [BOX]],
        "truth": [[BOX[:5]], [], [[0, 0, 9, 9, 0], [1, 1, 5, 5, 1]], None],
        "target": [1.0, 0.0, 2.0, np.nan],
    }
    return rows(**columns | changes).drop(columns="probability")


def test_boxes_that_keep_the_rules_become_arrays() -> None:
    frame = drawn()
    found = check(frame, FACTS)
    assert [len(cell) for cell in found["boxes"]] == [2, 1, 0, 1]
    assert all(cell.shape[1] == 6 and cell.dtype == np.float64 for cell in found["boxes"])
    assert found["truth"].tolist()[3] is None
    assert isinstance(frame["boxes"][0], list)
    # A head may clip a box to a line at the image's edge.
    assert len(check(drawn(boxes=[[[5, 5, 5, 9, 0, 0.1]], [], [], []]), FACTS)) == 4


def breach(column: str, box: list[float | None]) -> dict[str, Any]:
    cells: list[Any] = [[], [], [[0, 0, 9, 9, 0, 0.3][: len(box)], box], []]
    return {column: cells, "truth": [[], [], [], None], "target": [0, 0, 0, np.nan]} | {column: cells}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            breach("boxes", [9, 0, 3, 9, 0, 0.5]),
            r"task wrist: boxes: x2 < x1 or y2 < y1 in 1 of 2 .*image_id=c, box 2: ",
        ),
        (
            breach("boxes", [0, 9, 3, 3, 0, 0.5]),
            r"x2 < x1 or y2 < y1 in 1 of 2 boxes. First: image_id=c, box 2: \[0, 9, 3",
        ),
        (
            breach("boxes", [0, 0, 3, 3, 2, 0.5]),
            r"boxes: a class index that is none of 0\.\.1 in 1 .*image_id=c, box 2",
        ),
        (breach("boxes", [0, 0, 3, 3, 0.5, 0.5]), "a class index that is none of"),
        (breach("boxes", [0, 0, 3, 3, -1, 0.5]), "a class index that is none of"),
        (breach("boxes", [0, 0, 3, 3, 1, 1.01]), r"a score outside \[0, 1\] in 1 of 2 boxes.*image_id=c, box 2"),
        (breach("boxes", [0, 0, 3, 3, 1, -0.1]), "a score outside"),
        (
            breach("boxes", [0, 0, np.nan, 3, 1, 0.1]),
            "boxes: a number that is not finite in 1 of 2 .*image_id=c, box 2",
        ),
        (breach("boxes", [0, 0, 3, 3, 1, None]), "not finite"),
        (breach("boxes", [0, -np.inf, 3, 3, 1, 0.5]), "not finite"),
        (
            breach("boxes", [0, 0, 3, 3, 1]),
            r"boxes of image_id=c: a row has not 6 numbers; expected a list of \[x1, y1,",
        ),
        (breach("truth", [0, 0, 0, 3, 1]), "truth: x2 <= x1 or y2 <= y1 in 1 of 2 boxes.*image_id=c, box 2"),
        (breach("truth", [0, 0, 3, 3, 7]), "truth: a class index that is none of"),
        (breach("truth", [0, 0, 3, np.inf, 1]), "truth: a number that is not finite"),
        ({"boxes": [[BOX], [], [], "x"]}, "boxes of image_id=d: 'x' is no list of boxes"),
        ({"boxes": [[BOX], [["a"] * 6], [], []]}, "boxes of image_id=b: could not convert"),
        (
            {"boxes": [[BOX], None, [], []]},
            r"boxes is empty; an image on which nothing is found has the list \[\].*image_id=b",
        ),
        ({"target": [1.0, 0, 1, np.nan]}, "target is not the number of boxes in truth.*image_id=c"),
        ({"target": [1.0, 0, 2, 0]}, "target is not the number of boxes in truth.*image_id=d"),
        ({"target": [1.0, np.nan, 2, np.nan]}, "target is not the number of boxes in truth.*image_id=b"),
    ],
)
def test_a_box_without_a_meaning_is_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(OsteonError, match=message):
        check(drawn(**changes), FACTS)


@pytest.mark.parametrize("column", ["boxes", "truth", "target"])
def test_a_missing_column_is_named(column: str) -> None:
    with pytest.raises(OsteonError, match=f"no column {column}"):
        check(drawn().drop(columns=column), FACTS)


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"hit": "iou"}, r"hit: 'iou' is not centre or iou_<x>"),
        ({"hit": "iou_0"}, "hit: 'iou_0'"),
        ({"hit": "iou_1.5"}, "hit: 'iou_1.5'"),
        ({"hit": "center"}, "Did you mean 'centre'"),
        ({"unit": "study"}, "unit: 'study', but boxes are scored image by image"),
        ({"classes": ("a", "a")}, "has a name twice"),
        ({"classes": ()}, "do not fit a detection head"),
        ({"monitor": "ap50_fractur"}, "monitor: 'ap50_fractur', but the classes are a, b"),
    ],
)
def test_facts_of_boxes_without_a_meaning(told: dict[str, Any], message: str) -> None:
    with pytest.raises(OsteonError, match=message):
        TaskFacts(**{"head": "detection", "classes": ("a", "b")} | told)


def test_what_a_detection_task_is_unless_told() -> None:
    facts = TaskFacts(head="detection", classes=("fracture",))
    assert (facts.hit, facts.rule, facts.monitor, facts.unit) == ("iou_0.5", "max_f1", "map50", "image")
    assert TaskFacts(hit="centre").hit == ""
    assert TaskFacts().rule == "youden"
    assert (overlap_of("iou_0.2"), overlap_of("centre")) == (0.2, None)
    assert TaskFacts(head="detection", classes=("a b",), monitor="ap50_a b").monitor == "ap50_a b"


def test_boxes_survive_a_file_beside_other_tasks(tmp_path: Path) -> None:
    tasks = FACTS | {"wrist.image": TaskFacts(unit="image")}
    both = pd.concat([drawn(), rows(task="wrist.image")], ignore_index=True)
    write(tmp_path / "test.parquet", both, tasks, {"name": "a"}, {})
    found = read(tmp_path / "test.parquet", guess=False)
    assert found.tasks == tasks
    boxes = found.frame[found.frame["task"] == "wrist"].reset_index(drop=True)
    for column in ("boxes", "truth"):
        for cell, given in zip(boxes[column], check(drawn(), FACTS)[column], strict=True):
            assert (cell is None) == (given is None)
            assert cell is None or np.array_equal(cell, given)
    assert found.frame.loc[found.frame["task"] == "wrist.image", "boxes"].isna().all()
    kinds = pd.read_parquet(tmp_path / "test.parquet", dtype_backend="pyarrow").dtypes
    assert "list<" in str(kinds["boxes"])
    assert str(kinds["boxes"]).count("double") == 1


def test_a_file_in_which_nothing_was_found_has_the_same_columns(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    for name, changes in (("full", {}), ("empty", {"boxes": [[]] * 4, "truth": [None] * 4, "target": np.nan})):
        write(tmp_path / f"{name}.parquet", drawn(**changes), FACTS, {"name": "a"}, {})
    kinds = [pq.read_schema(tmp_path / f"{name}.parquet").field("boxes").type for name in ("full", "empty")]
    assert kinds[0] == kinds[1]
    assert str(kinds[0]).startswith("list<")
    assert len(read(tmp_path / "empty.parquet").frame) == 4


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_another_frameworks_file_works(tmp_path: Path, suffix: str) -> None:
    path, frame = (
        tmp_path / f"theirs.{suffix}",
        drawn().drop(columns=["task", "target", "dataset", "source", "group_id"]),
    )
    frame["patient_id"] = list("ppqr")
    frame["unit_id"] = frame["image_id"]
    if suffix == "csv":
        lists = {
            name: [None if cell is None else json.dumps(cell) for cell in frame[name]] for name in ("boxes", "truth")
        }
        frame.assign(**lists).to_csv(path, index=False)
    else:
        frame.to_parquet(path)
    found = read(path)
    assert found.tasks == {"task": TaskFacts(head="detection", classes=("0", "1"))}
    np.testing.assert_array_equal(found.frame["target"], [1, 0, 2, np.nan])
    assert found.frame["truth"][3] is None
    assert found.frame["boxes"][0].tolist() == drawn()["boxes"][0]


@pytest.mark.parametrize(
    ("boxes", "message"),
    [
        ("[[1,2,3,4,1e12,0.5]]", r"a class index that is none of 0\.\.999"),
        ("[[1,2,3,4,0.5]]", "theirs.csv: boxes of image_id=a: a row has not 6 numbers"),
        ("7", "theirs.csv: boxes of image_id=a: 7 is no list of boxes"),
        ("[[1,2,3", r"theirs\.csv: column boxes: '\[\[1,2,3' is no JSON list"),
        ("[[NaN,2,3,4,0,0.5]]", "a number that is not finite"),
    ],
)
def test_another_frameworks_faults_are_named(tmp_path: Path, boxes: str, message: str) -> None:
    frame = pd.DataFrame({"image_id": ["a"], "group_id": ["a"], "unit_id": ["a"], "boxes": [boxes], "truth": ["[]"]})
    frame.to_csv(tmp_path / "theirs.csv", index=False)
    with pytest.raises(OsteonError, match=message):
        read(tmp_path / "theirs.csv")


def test_repeats_of_an_image_count_once_unless_their_boxes_differ() -> None:
    frame = check(drawn(), FACTS)
    half = Predictions(frame, FACTS)
    assert len(merge([half, half]).frame) == 4
    other = frame.copy()
    other["truth"] = [np.array([[0, 0, 7, 7, 0.0]]), *frame["truth"][1:]]
    with pytest.raises(OsteonError, match=r"the same image with different true boxes in 2 of 8 rows.*image_id=a"):
        drop_repeats(pd.concat([frame, other], ignore_index=True))


@pytest.mark.parametrize("cell", [[BOX], np.array([BOX]), np.array([np.array(BOX), None], object)[:1], (tuple(BOX),)])
def test_cells_of_any_kind_are_arrays(cell: Any) -> None:
    np.testing.assert_array_equal(array_of(cell), [BOX])
    assert array_of([], 5).shape == (0, 5)
