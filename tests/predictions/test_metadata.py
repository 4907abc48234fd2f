import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from osteon.errors import OsteonError
from osteon.predictions import TaskFacts, read, write
from tests.predictions.conftest import rows

FACTS = {"mura": TaskFacts(unit="study")}
RUN = {"name": "a", "fold": 1, "folds": 5, "seed": 3}


def rewritten(path: Path, said: bytes) -> Path:
    write(path, rows(), FACTS, RUN, {})
    table = pq.read_table(path)
    pq.write_table(table.replace_schema_metadata({b"osteon": said}), path)
    return path


@pytest.mark.parametrize("guess", [True, False])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ([], r"metadata osteon is \[\], expected a JSON object"),
        ("x", "metadata osteon is 'x'"),
        (None, "metadata osteon is None"),
        ({"tasks": ["mura"]}, r"metadata tasks is \['mura'\], expected a JSON object"),
        ({"tasks": {"mura": [1]}}, r"tasks\.mura is \[1\], expected a JSON object"),
        (
            {"tasks": {"mura": FACTS["mura"].to_json() | {"protocol_threshold": "a"}}},
            r"tasks\.mura: .*'a' is not a num",
        ),
        ({"tasks": {"mura": FACTS["mura"].to_json() | {"classes": 2}}}, r"tasks\.mura: .*2 is not a list"),
        ({"run": None}, "metadata run is None"),
        ({"run": RUN | {"folds": "y"}}, r"run\.folds is 'y', expected a whole number"),
        ({"run": RUN | {"fold": 1.5}}, r"run\.fold is 1\.5"),
        ({"run": RUN | {"fold": True}}, r"run\.fold is True"),
        ({"run": RUN | {"fold": 5}}, r"run\.fold is 5, expected one of 0\.\.4"),
        ({"run": RUN | {"fold": None}}, r"run\.fold is None, expected one of 0\.\.4"),
        ({"run": RUN | {"folds": 0}}, r"run\.folds is 0, expected 1 or more"),
        ({"run": RUN | {"cohort": ["x"]}}, r"run\.cohort is \['x'\], expected a text"),
        ({"split_names": {"test": 1}}, r"split_names\.test is 1"),
    ],
)
def test_malformed_metadata_is_named(tmp_path: Path, change: Any, message: str, guess: bool) -> None:
    whole = {"tasks": {"mura": FACTS["mura"].to_json()}, "run": RUN, "split_names": {}}
    said = whole | change if isinstance(change, dict) else change
    path = rewritten(tmp_path / "test.parquet", json.dumps(said).encode())
    with pytest.raises(OsteonError, match=rf"test\.parquet: {message}" if "osteon" in message else message) as fault:
        read(path, guess=guess)
    assert "test.parquet" in str(fault.value)


@pytest.mark.parametrize("said", [b"{", b"\xff", b""])
def test_metadata_that_is_no_json_is_named(tmp_path: Path, said: bytes) -> None:
    with pytest.raises(OsteonError, match=r"test\.parquet: its metadata \('osteon'\) is not JSON"):
        read(rewritten(tmp_path / "test.parquet", said))


def test_foreign_tables_are_guessed_only_where_asked(tmp_path: Path) -> None:
    path = rewritten(tmp_path / "test.parquet", b"{}")
    assert read(path).tasks == {"mura": TaskFacts()}
    with pytest.raises(OsteonError, match="lacks tasks and run"):
        read(path, guess=False)


def test_what_would_be_refused_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(OsteonError, match=r"run\.fold is 7"):
        write(tmp_path / "test.parquet", rows(), FACTS, RUN | {"fold": 7}, {})
    assert not list(tmp_path.iterdir())


def test_files_of_before_the_later_facts_are_read(tmp_path: Path) -> None:
    """What a run wrote when there were only classifiers: none of the scale, the cut and the owner of a label."""
    first = ("head", "unit", "pool", "truth", "classes", "groups", "protocol_threshold", "rule", "monitor")
    old = {key: FACTS["mura"].to_json()[key] for key in first}
    path = rewritten(tmp_path / "test.parquet", json.dumps({"tasks": {"mura": old}, "run": RUN}).encode())
    assert read(path, guess=False).tasks == FACTS
    del old["pool"]
    path = rewritten(tmp_path / "test.parquet", json.dumps({"tasks": {"mura": old}, "run": RUN}).encode())
    with pytest.raises(OsteonError, match=r"tasks\.mura lacks pool"):
        read(path, guess=False)


MIXED = {
    "mura": TaskFacts(),
    "age": TaskFacts(head="regression", low=0.0, high=240.0, unit_name="months"),
    "kl": TaskFacts(head="ordinal", classes=("0", "1", "2"), cut=2),
    "t.a": TaskFacts(of="t"),
}


def mixed() -> pd.DataFrame:
    """Rows of every head in one table; a cell is empty where a row's head has no such column."""
    parts = [
        rows(),
        rows(task="age", value=[1.0, 2.5, 3, 240]).drop(columns="probability"),
        rows(task="kl", value=0.5, probabilities=[[0.5, 0.5, 0.0]] * 4).drop(columns="probability"),
        rows(task="t.a"),
    ]
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize("name", ["test.parquet", "test.csv"])
def test_heads_share_a_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if path.suffix == ".csv":
        mixed().to_csv(path, index=False)
        found = read(path)
        assert {task: facts.head for task, facts in found.tasks.items()} == {
            "mura": "binary", "age": "regression", "kl": "ordinal", "t.a": "binary"
        }  # fmt: skip
    else:
        write(path, mixed(), MIXED, RUN, {})
        found = read(path, guess=False)
        assert found.tasks == MIXED
    frame = found.frame.set_index("task")
    assert frame.loc["age", "value"].tolist() == [1, 2.5, 3, 240]
    assert [list(value) for value in frame.loc["kl", "probabilities"]] == [[0.5, 0.5, 0]] * 4
    assert frame.loc["mura", "value"].isna().all()
