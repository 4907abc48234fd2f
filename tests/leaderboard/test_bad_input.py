"""What is wrong is named with its run and column; the other runs are still shown, and the exit status tells."""

import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from osteon.cli import app
from tests.leaderboard.making import AGE, images, leave, studies


def result(folder: Path, change: Callable[[dict[str, object]], object]) -> None:
    """Change a row of result.json."""
    file = folder / "result.json"
    told = json.loads(file.read_text())
    change(next(row for row in told["scores"] if row["metric"] == "kappa" and row["group"] == "all"))
    file.write_text(json.dumps(told))


def column(folder: Path, name: str, value: object) -> None:
    """Put `value` in every cell of a column, or take the column away."""
    file = folder / "predictions" / "test.parquet"
    table = pq.read_table(file)
    frame = table.to_pandas()
    frame = frame.drop(columns=name) if value is None else frame.assign(**{name: value})
    import pyarrow as pa

    made = pa.Table.from_pandas(frame, preserve_index=False)
    pq.write_table(made.replace_schema_metadata({**made.schema.metadata, **table.schema.metadata}), file)


def no_predictions(folder: Path) -> None:
    shutil.rmtree(folder / "predictions")


def unfinished(folder: Path) -> None:
    (folder / "result.json").unlink()
    (folder / "config.yaml").write_text("seed: 0\n")


def not_parquet(folder: Path) -> None:
    (folder / "predictions" / "test.parquet").write_bytes(b"PAR1 no")


CASES: dict[str, tuple[Callable[[Path], object], str]] = {
    "no predictions": (no_predictions, "bad: not the folder of a finished run, it lacks predictions/test.parquet"),
    "unfinished": (unfinished, "bad: not the folder of a finished run, it lacks result.json"),
    "not json": (lambda f: (f / "result.json").write_text('{"scores": [{'), "result.json: not JSON"),
    "other json": (lambda f: (f / "result.json").write_text("[]"), "result.json: found []"),
    "scores": (lambda f: (f / "result.json").write_text('{"scores": 3}'), "result.json: its scores are no list"),
    "text": (lambda f: result(f, lambda r: r.update(value="0.9")), "result.json: scores: value of 'kappa' is '0.9'"),
    "nan": (lambda f: result(f, lambda r: r.update(lo=float("nan"))), "result.json: scores: lo of 'kappa' is nan"),
    "group": (lambda f: result(f, lambda r: r.pop("group")), "result.json: scores: group of 'kappa' is None"),
    "count": (lambda f: result(f, lambda r: r.update(n=9999)), "result.json: scored n=9999 units"),
    "NaN answers": (lambda f: column(f, "probability", float("nan")), "probability is not in [0, 1] in"),
    "out of range": (lambda f: column(f, "probability", 1.5), "probability is not in [0, 1] in"),
    "no column": (lambda f: column(f, "probability", None), "no column probability"),
    "no target": (lambda f: column(f, "target", None), "no column target"),
    "parquet": (not_parquet, "test.parquet: not a readable parquet file"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_bad_run_is_named_and_the_others_are_shown(case: str, tmp_path: Path) -> None:
    leave(tmp_path / "good", studies)
    change, words = CASES[case]
    change(leave(tmp_path / "bad", studies, settings="t"))
    done = CliRunner().invoke(app, ["leaderboard", str(tmp_path), "--task", "mura"])
    assert done.exit_code == 1, done.output
    assert "1 densenet169" in done.stdout
    assert words in done.stderr
    assert "bad" in done.stderr
    assert "Traceback" not in done.output


def test_a_task_that_a_named_run_lacks(tmp_path: Path) -> None:
    good = leave(tmp_path / "good", studies)
    other = leave(tmp_path / "age", partial(images, task="bone_age"), AGE)
    done = CliRunner().invoke(app, ["leaderboard", str(good), str(other), "--task", "mura"])
    assert done.exit_code == 1
    assert f"left out: {other}: no task 'mura'; its predictions (column task) have bone_age" in done.stderr
    assert "1 densenet169" in done.stdout


def test_two_runs_with_different_test_images_are_both_shown(tmp_path: Path) -> None:
    leave(tmp_path / "a", studies)
    leave(tmp_path / "b", partial(studies, count=71), settings="t", cohort="d")
    done = CliRunner().invoke(app, ["leaderboard", str(tmp_path)])
    assert done.exit_code == 0
    assert done.stdout.count("1 densenet169") >= 2
    assert "2 test sets: rows are ranked only among those of identical units" in done.stdout


@pytest.mark.parametrize("name", ["empty", "none"])
def test_nothing_to_show(name: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = CliRunner().invoke(app, ["leaderboard", str(tmp_path / name), "--task", "mura"])
    assert done.exit_code == 1
    assert "holds no run and no predictions" in str(done.exception) or "no such run folder" in str(done.exception)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda frame: frame.drop(columns="group_id"), "no column group_id"),
        (lambda frame: frame.assign(probability=float("nan")), "probability is not in [0, 1]"),
        (lambda frame: frame.assign(probability="high"), "probability is not a number"),
        (lambda frame: frame.assign(split="val"), "no row of split test"),
    ],
)
def test_a_sheet_with_a_fault(change: Callable[[pd.DataFrame], pd.DataFrame], words: str, tmp_path: Path) -> None:
    leave(tmp_path / "good", studies)
    sheet = studies("test")[["task", "split", "image_id", "unit_id", "group_id", "target", "probability"]]
    change(sheet).to_csv(tmp_path / "sheet.csv", index=False)
    words_given = ["leaderboard", str(tmp_path / "good"), str(tmp_path / "sheet.csv"), "--task", "mura"]
    done = CliRunner().invoke(app, words_given)
    assert done.exit_code == 1, done.output
    assert "sheet.csv" in done.stderr
    assert words in done.stderr
    assert "1 densenet169" in done.stdout


def test_score_leaves_out_what_cannot_be_scored(tmp_path: Path) -> None:
    leave(tmp_path / "good", studies)
    unfinished(leave(tmp_path / "bad", studies))
    done = CliRunner().invoke(app, ["score", str(tmp_path), "--replicates", "100"])
    assert done.exit_code == 1
    assert "bad: not the folder of a finished run, it lacks result.json" in done.stderr
    assert "good" in done.stdout
