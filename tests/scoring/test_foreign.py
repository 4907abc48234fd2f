"""Predictions of other frameworks: a folder or a file that follows the schema."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from osteon.errors import OsteonError
from osteon.predictions import read
from osteon.scoring.comparison import compare, side
from osteon.scoring.foreign import open_all, open_runs

Make = Callable[..., Path]
SHEET = ["task", "image_id", "unit_id", "patient_id", "target", "probability"]


def theirs(folder: Path, ours: Path, kind: str = "csv", splits: tuple[str, ...] = ("val", "test")) -> Path:
    """Leave the answers of a run as another framework might: few columns, nothing of the task but its name."""
    (folder / "predictions").mkdir(parents=True)
    for split in splits:
        frame = read(ours / "predictions" / f"{split}.parquet").frame[SHEET].assign(split=split)
        file = folder / "predictions" / f"{split}.{kind}"
        frame.to_csv(file, index=False) if kind == "csv" else frame.to_parquet(file)
    return folder


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_another_frameworks_folder_is_compared(run: Make, tmp_path: Path, kind: str) -> None:
    ours = run(0, folds=1)
    found = compare(side("A", ours), side("B", theirs(tmp_path / "theirs", ours, kind)), replicates=100)
    known = found.table[found.table["difference"].notna()]
    assert (known["difference"].abs() < 1e-12).all()
    # Its threshold is fitted on its val predictions by the task's rule, as ours was.
    assert set(known["operating_point"].dropna()) == {"protocol", "frozen"}
    assert set(known["unit"]) == {"study"}
    assert any(group.startswith("body_part=") for group in known["group"])
    back = compare(side("A", tmp_path / "theirs"), side("B", ours), replicates=100)
    pd.testing.assert_series_equal(back.table["p"], found.table["p"])


def test_without_val_there_is_the_protocols_point_alone(run: Make, tmp_path: Path) -> None:
    ours = run(0, folds=1)
    b = theirs(tmp_path / "theirs", ours, splits=("test",))
    found = compare(side("A", ours), side("B", b), replicates=100)
    assert set(found.table["operating_point"].dropna()) == {"protocol"}
    assert any("no frozen threshold: B" in note for note in found.notes)
    (b / "thresholds.json").write_text((ours / "thresholds.json").read_text())
    assert "frozen" in set(compare(side("A", ours), side("B", b), replicates=100).table["operating_point"])


def test_a_sheet_of_both_splits(run: Make, tmp_path: Path) -> None:
    ours = run(0, folds=1)
    parts = [read(ours / "predictions" / f"{split}.parquet").frame for split in ("val", "test")]
    pd.concat(parts)[[*SHEET, "split"]].to_csv(tmp_path / "sheet.csv", index=False)
    found = compare(side("A", ours), side("B", tmp_path / "sheet.csv"), replicates=100)
    assert "frozen" in set(found.table["operating_point"])
    assert (found.table["difference"].dropna().abs() < 1e-12).all()


def test_two_foreign_sheets_by_hand(tmp_path: Path) -> None:
    """Four images a reader, values worked by hand: A calls 3 of 4 right, B 2 of 4."""
    for name, answers in (("a", [0.9, 0.8, 0.7, 0.1]), ("b", [0.9, 0.2, 0.7, 0.1])):
        rows = [(f"i{k}", f"i{k}", f"p{k}", [1, 1, 0, 0][k], answers[k]) for k in range(4)]
        columns = ["image_id", "unit_id", "group_id", "target", "probability"]
        pd.DataFrame(rows, columns=columns).to_csv(tmp_path / f"{name}.csv", index=False)
    found = compare(side("A", tmp_path / "a.csv"), side("B", tmp_path / "b.csv"), replicates=100, metrics=["accuracy"])
    row = found.table.iloc[0]
    assert (row["a"], row["b"], row["difference"]) == (0.75, 0.5, -0.25)
    assert (row["test"], row["test_p"], row["n_differing"]) == ("McNemar", 1.0, 1)
    assert row["p"] == 1.0


def test_what_is_missing_is_named(run: Make, tmp_path: Path) -> None:
    ours = run(0, folds=1)
    b = theirs(tmp_path / "theirs", ours)
    (b / "predictions" / "test.csv").unlink()
    with pytest.raises(OsteonError, match=r"theirs: its predictions hold no test\.parquet or test\.csv"):
        open_runs(b)
    (b / "predictions" / "test.csv").write_bytes((b / "predictions" / "val.csv").read_bytes())
    with pytest.raises(OsteonError, match=r"test\.csv: found rows of split val, expected test alone\. Name the split"):
        open_runs(b)


def test_no_threshold_where_val_has_one_outcome(run: Make, tmp_path: Path) -> None:
    ours = run(0, folds=1)
    b = theirs(tmp_path / "theirs", ours)
    file = b / "predictions" / "val.csv"
    pd.read_csv(file).assign(target=1).to_csv(file, index=False)
    found = compare(side("A", ours), side("B", b), replicates=100)
    assert set(found.table["operating_point"].dropna()) == {"protocol"}


def test_a_described_task_keeps_its_own_pooling(run: Make, tmp_path: Path) -> None:
    """A guess gives way to what the other side says; what a file says of itself stays."""
    ours = run(0, folds=1)
    guessed = open_runs(theirs(tmp_path / "theirs", ours))[0].predictions
    assert guessed.guessed == {"mura"}
    assert open_runs(ours)[0].predictions.guessed == frozenset()


def test_heads_that_differ(run: Make, tmp_path: Path) -> None:
    ours = run(0, folds=1)
    b = theirs(tmp_path / "theirs", ours, splits=("test",))
    file = b / "predictions" / "test.csv"
    frame = pd.read_csv(file)
    scores = [json.dumps([1 - p, p]) for p in np.asarray(frame["probability"])]
    frame.drop(columns="probability").assign(probabilities=scores).to_csv(file, index=False)
    with pytest.raises(OsteonError, match=r"task mura: binary with 2 classes in A .*, multiclass with 2 in B"):
        compare(side("A", ours), side("B", b), replicates=100)


def test_what_a_sweep_leaves_beside_its_runs_is_passed_over(run: Make, tmp_path: Path) -> None:
    """A shell's `sweep/*` names its jobs.csv and figures as well."""
    ours = run(0, folds=1)
    sweep = tmp_path / "sweep"
    theirs(sweep / "a", ours)
    for name in ("jobs.csv", "jobs.json", "study.db", "study.db.drawing"):
        (sweep / name).write_text("folder,status\na,finished\n")
    (sweep / "results").mkdir()
    assert [one.folder for one in open_runs(sweep / "*")] == [sweep / "a"]
    opened, faults = open_all(sorted(sweep.iterdir()))
    assert ([one.folder for one in opened], faults) == ([sweep / "a"], [])
    with pytest.raises(OsteonError, match="no column image_id"):
        open_runs(sweep / "jobs.csv")
