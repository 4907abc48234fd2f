from pathlib import Path

import pandas as pd
import pytest

from osteon.errors import OsteonError
from osteon.manifest import complete, from_file


@pytest.fixture
def frame() -> pd.DataFrame:
    rows = {"image_id": ["a", "b", "c", "d"], "dataset": "x", "path": ["a", "b", "c", "d"]}
    return complete(pd.DataFrame(rows | {"patient_id": ["x:1", "x:1", "x:2", None]}))


def written(folder: Path, *lines: str, header: str = "image_id,group_id,split") -> Path:
    file = folder / "split.csv"
    file.write_text("\n".join((header, *lines)) + "\n")
    return file


GOOD = ("c,g2,test", "a,g1,train", "b,g1,train", "d,g3,val")


def test_rows_get_their_group_and_split_whatever_the_order(tmp_path: Path, frame: pd.DataFrame) -> None:
    done = from_file(frame.assign(split="train"), written(tmp_path, *GOOD))
    assert done["image_id"].tolist() == ["a", "b", "c", "d"]
    assert done["split"].tolist() == ["train", "train", "test", "val"]
    assert done["group_id"].tolist() == ["g1", "g1", "g2", "g3"]


def test_images_that_the_run_leaves_out_may_be_listed(tmp_path: Path, frame: pd.DataFrame) -> None:
    file = written(tmp_path, *GOOD, "e,g4,test")
    assert len(from_file(frame, file, left_out=["e"])) == 4
    with pytest.raises(OsteonError, match=r"images that the dataset does not have.*1: 'e'"):
        from_file(frame, file)


def test_numbers_stay_words(tmp_path: Path) -> None:
    rows = complete(pd.DataFrame({"image_id": ["007"], "dataset": "x", "path": ["7"]}))
    assert from_file(rows, written(tmp_path, "007,na,test"))["group_id"].tolist() == ["na"]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (GOOD[:3], "lacks images of the dataset: 1: 'd'"),
        ((*GOOD, "a,g1,train"), "names an image twice: 1: 'a'"),
        (("c,g2,tset", *GOOD[1:]), "must hold train, val, test: 1: 'tset'"),
        (("c,g1,test", *GOOD[1:]), "has a group in two splits: 1: 'g1'"),
        (("c,,test", *GOOD[1:]), "has rows with a blank cell: 1: 'c'"),
        (("c,g2,test", "a,g1,train", "b,g9,test", "d,g3,val"), "has a patient in two splits: 1: 'x:1'"),
    ],
)
def test_a_file_that_does_not_fit_is_named(
    tmp_path: Path, frame: pd.DataFrame, lines: tuple[str, ...], words: str
) -> None:
    with pytest.raises(OsteonError) as told:
        from_file(frame, written(tmp_path, *lines))
    assert words in str(told.value)
    assert "split.csv" in str(told.value)


def test_no_file_no_column_no_table(tmp_path: Path, frame: pd.DataFrame) -> None:
    with pytest.raises(OsteonError, match="there is no such file"):
        from_file(frame, tmp_path / "none.csv")
    with pytest.raises(OsteonError, match=r"no column 'group_id'\. Did you mean 'group'"):
        from_file(frame, written(tmp_path, "a,1,train", header="image_id,group,split"))
    (tmp_path / "split.csv").write_bytes(b"")
    with pytest.raises(OsteonError, match="cannot be read as a CSV"):
        from_file(frame, tmp_path / "split.csv")


def test_a_run_gives_its_split(tmp_path: Path, frame: pd.DataFrame) -> None:
    split = ["train", "train", "test", "val"]
    frame.assign(group_id=["g1", "g1", "g2", "g3"], split=split).to_parquet(tmp_path / "manifest.parquet")
    assert from_file(frame, tmp_path)["split"].tolist() == split
    with pytest.raises(OsteonError, match=r"manifest.parquet: there is no such file"):
        from_file(frame, tmp_path.parent)
