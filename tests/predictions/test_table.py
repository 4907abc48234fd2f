from pathlib import Path

import numpy as np
import pandas as pd
import pandas.testing as pdt
import pytest

from osteon.errors import OsteonError
from osteon.predictions import Predictions, TaskFacts, merge, read, write
from tests.predictions.conftest import rows

FACTS = {"mura": TaskFacts(unit="study", groups=("body_part",), rule="sens_0.95", monitor="kappa")}
RUN = {"name": "a", "fold": 1, "folds": 5, "seed": 3, "backbone": "resnet18"}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    frame = rows(body_part=["wrist", "wrist", None, "hand"], target=[0.0, 0.0, 1.0, np.nan])
    path = tmp_path / "predictions" / "test.parquet"
    write(path, frame, FACTS, RUN, {"test": "public-valid"})
    found = read(path)
    pdt.assert_frame_equal(found.frame, frame, check_dtype=False)
    assert (found.tasks, found.run, found.split_names) == (FACTS, RUN, {"test": "public-valid"})
    assert [item.name for item in path.parent.iterdir()] == ["test.parquet"]


def test_multiclass_is_read_as_written(tmp_path: Path) -> None:
    facts = {"mura": TaskFacts(head="multiclass", classes=("a", "b", "c"))}
    frame = rows(target=[0.0, 1.0, 2.0, np.nan], probabilities=[[0.2, 0.3, 0.5]] * 4).drop(columns="probability")
    write(tmp_path / "val.parquet", frame, facts, {}, {})
    found = read(tmp_path / "val.parquet")
    assert found.tasks["mura"].monitor == "macro_auroc"
    np.testing.assert_array_equal(np.stack(found.frame["probabilities"].to_list()), [[0.2, 0.3, 0.5]] * 4)


def test_bad_table_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "test.parquet"
    write(path, rows(), {"mura": TaskFacts()}, {}, {})
    before = path.read_bytes()
    with pytest.raises(OsteonError, match="probability"):
        write(path, rows(probability=[2.0, 0, 0, 0]), {"mura": TaskFacts()}, {}, {})
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_foreign_csv_gets_defaults_and_keeps_its_ids(tmp_path: Path) -> None:
    path = tmp_path / "theirs.csv"
    text = "image_id,unit_id,patient_id,target,probability\n01,007,0001,1,0.9\n02,007,0001,1,0.7\n03,008,0002,,0.2\n"
    path.write_text("\ufeff" + text, encoding="utf-8")
    found = read(path)
    assert found.tasks == {"task": TaskFacts()}
    assert found.tasks["task"].pool == "mean"
    assert found.tasks["task"].rule == "youden"
    assert found.frame["unit_id"].tolist() == ["007", "007", "008"]
    assert found.frame["group_id"].tolist() == ["patient:0001", "patient:0001", "patient:0002"]
    assert found.frame["split"].tolist() == ["test"] * 3
    assert np.isnan(found.frame["target"].iloc[2])


def test_foreign_tables_of_several_classes(tmp_path: Path) -> None:
    path = tmp_path / "theirs.csv"
    path.write_text('image_id,unit_id,group_id,target,probabilities\na,a,a,2,"[0.1, 0.2, 0.7]"\n')
    assert read(path).tasks["task"].classes == ("0", "1", "2")
    rows(probabilities=[[0.5, 0.5]] * 4).to_parquet(tmp_path / "theirs.parquet")
    assert read(tmp_path / "theirs.parquet").tasks["mura"].head == "multiclass"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.parquet", None, "no such predictions file"),
        ("text.parquet", b"not parquet at all", "not a readable parquet"),
        ("cut.parquet", "cut", "not a readable parquet"),
        ("lacks.csv", b"image_id,target,probability\na,1,0.5\n", "no column group_id, unit_id"),
        ("word.csv", b"image_id,unit_id,group_id,target,probability\na,a,a,yes,0.5\n", "target is not a number"),
        (
            "list.csv",
            b"image_id,unit_id,group_id,target,probabilities\na,a,a,1,half\n",
            "probabilities: 'half' is no JSON",
        ),
        ("empty.csv", b"", "not a CSV of predictions"),
        ("header.csv", b"image_id,unit_id,group_id,target,probability\n", "no row"),
        ("binary.csv", b"\xff\xfe\x00\x01\x80", "not a CSV of predictions"),
    ],
)
def test_unreadable_files_are_named(tmp_path: Path, name: str, content: bytes | str | None, message: str) -> None:
    path = tmp_path / name
    if content == "cut":
        write(path, rows(), {"mura": TaskFacts()}, {}, {})
        content = path.read_bytes()[:-40]
    if isinstance(content, bytes):
        path.write_bytes(content)
    with pytest.raises(OsteonError, match=message) as fault:
        read(path)
    assert name in str(fault.value)


def test_merge_counts_a_repeated_image_once() -> None:
    tasks = {"mura": TaskFacts()}
    ranks = [Predictions(part, tasks, {"name": "x"}) for part in (rows(), rows().iloc[[0, 2]])]
    val = rows(image_id=["e", "f", "g", "h"], split="val", group_id=["u", "u", "v", "w"], unit_id=["u", "u", "v", "w"])
    found = merge([*ranks, Predictions(val, tasks, {}, {"val": "val"})])
    assert found.frame["image_id"].tolist() == list("abcdefgh")
    assert found.run == {"name": "x"}
    assert found.split_names == {"val": "val"}


def test_merge_refuses_contradictions() -> None:
    one = Predictions(rows(), {"mura": TaskFacts()})
    with pytest.raises(OsteonError, match="describe it differently"):
        merge([one, Predictions(rows(), {"mura": TaskFacts(pool="max")})])
    other = pd.DataFrame(rows(target=[1.0, 0, 1, 1]))
    with pytest.raises(OsteonError, match=r"same image with different targets.*image_id=a"):
        merge([one, Predictions(other, {"mura": TaskFacts()})])
