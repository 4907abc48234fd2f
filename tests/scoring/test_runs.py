import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from osteon.errors import OsteonError
from osteon.predictions import read, write
from osteon.scoring.folds import score_runs
from osteon.scoring.runs import load

Make = Callable[..., Path]
LATE = {"rule": "youden", "value": 0.5, "split": "val", "n": 9, "n_positive": 3}


def about(file: Path, change: Callable[[Any], Any]) -> None:
    """Write the parquet file again with other metadata."""
    table = pq.read_table(file)
    said = change(json.loads(table.schema.metadata[b"osteon"]))
    pq.write_table(table.replace_schema_metadata({} if said is None else {b"osteon": json.dumps(said).encode()}), file)


@pytest.mark.parametrize("name", ["result.json", "thresholds.json", "predictions/test.parquet"])
def test_an_unfinished_run_is_named(run: Make, name: str) -> None:
    folder = run(0)
    (folder / name).unlink()
    with pytest.raises(OsteonError, match=f"{folder.name}: not the folder of a finished run, it lacks {name}"):
        load(folder)


@pytest.mark.parametrize("content", ["{", "[1, 2]"])
def test_a_broken_result_is_named(run: Make, content: str) -> None:
    folder = run(0)
    (folder / "result.json").write_text(content)
    with pytest.raises(OsteonError, match=r"result\.json"):
        load(folder)


def test_foreign_folders(tmp_path: Path) -> None:
    with pytest.raises(OsteonError, match="no such run folder"):
        score_runs([tmp_path / "none"])
    with pytest.raises(OsteonError, match="holds no run and no predictions"):
        score_runs([tmp_path])
    with pytest.raises(OsteonError, match="no run folder to score"):
        score_runs([])


def test_a_file_is_no_run_folder(tmp_path: Path) -> None:
    (tmp_path / "reader.csv").write_text("image_id")
    with pytest.raises(OsteonError, match=r"reader\.csv: this is a file; here the folder of a finished run is needed"):
        load(tmp_path / "reader.csv")


@pytest.mark.parametrize("content", ["{}", '{"seed": 1}'])
def test_a_result_says_what_was_scored(run: Make, content: str) -> None:
    folder = run(0)
    (folder / "result.json").write_text(content)
    with pytest.raises(OsteonError, match=r"result\.json: found .*expected the JSON object with 'scores' or 'source'"):
        load(folder)


@pytest.mark.parametrize("content", [{}, {"hip": LATE}])
def test_every_binary_task_has_its_threshold(run: Make, content: Any) -> None:
    folder = run(0)
    (folder / "thresholds.json").write_text(json.dumps(content))
    with pytest.raises(
        OsteonError, match=r"thresholds\.json: no threshold of task 'mura'; found (none|hip)\. .*Restore"
    ):
        load(folder)


@pytest.mark.parametrize("value", [float("nan"), 7, -0.2, True, "abc", None, [0.5]])
def test_a_threshold_is_a_number(run: Make, value: Any) -> None:
    folder = run(0)
    (folder / "thresholds.json").write_text(json.dumps({"mura": LATE | {"value": value}}))
    with pytest.raises(OsteonError, match=r"thresholds\.json: .*mura is .*, expected a number"):
        load(folder)


@pytest.mark.parametrize(("source", "target"), [("val", "test"), ("test", "val")])
def test_a_file_holds_the_split_of_its_name(run: Make, source: str, target: str) -> None:
    folder = run(0)
    files = folder / "predictions"
    (files / f"{target}.parquet").write_bytes((files / f"{source}.parquet").read_bytes())
    with pytest.raises(OsteonError, match=rf"{target}\.parquet: found rows of split {source}, expected {target} alone"):
        load(folder)


def test_val_of_another_run_is_refused(run: Make) -> None:
    one, other = run(0), run(1)
    (one / "predictions" / "val.parquet").write_bytes((other / "predictions" / "val.parquet").read_bytes())
    with pytest.raises(
        OsteonError, match=r"val\.parquet, .*test\.parquet: of two runs, they differ in their fold, name"
    ):
        load(one)


def test_val_may_be_absent(run: Make) -> None:
    folder = run(0)
    (folder / "predictions" / "val.parquet").unlink()
    assert set(load(folder).predictions.frame["split"]) == {"test"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda _: None, "lacks tasks and run"),
        (lambda _: {}, "lacks tasks and run"),
        (lambda said: said | {"run": {}}, "lacks run"),
        (lambda said: said | {"tasks": {}}, "lacks tasks"),
        (lambda said: said | {"tasks": {"mura": {"head": "binary"}}}, r"tasks\.mura lacks unit, pool"),
        (lambda said: said | {"run": said["run"] | {"folds": "y"}}, r"run\.folds is 'y', expected a whole number"),
        (lambda said: said | {"tasks": {"hip": said["tasks"]["mura"]}}, "task is not one of hip"),
    ],
)
def test_facts_of_a_run_folder_are_never_guessed(run: Make, change: Callable[[Any], Any], message: str) -> None:
    folder = run(0)
    about(folder / "predictions" / "test.parquet", change)
    with pytest.raises(OsteonError, match=rf"test\.parquet.*{message}"):
        load(folder)


def test_merged_faults_name_the_folder(run: Make) -> None:
    folder = run(0)
    file = folder / "predictions" / "val.parquet"
    told = read(file)
    frame = told.frame.assign(group_id=told.frame["group_id"].str.replace("val", "test"))
    write(file, frame, told.tasks, told.run, told.split_names)
    with pytest.raises(OsteonError, match=rf"{folder.name}.*two splits"):
        load(folder)
