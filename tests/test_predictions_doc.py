"""The example of docs/predictions.md, taken out of it, goes through the three commands that it names."""

import re
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from osteon.cli import app

DOC = Path(__file__).parents[1] / "docs" / "predictions.md"
TEXT = DOC.read_text(encoding="utf-8")


@pytest.fixture
def reader(tmp_path: Path) -> Path:
    """Write the document's example."""
    (block,) = re.findall(r"```csv\n(.*?)```", TEXT, re.DOTALL)
    (tmp_path / "reader.csv").write_text(block)
    other = pd.read_csv(tmp_path / "reader.csv")
    other["probability"] = [0.3, 0.4, 0.6, 0.1, 0.9, 0.8, 0.2, 0.5, 0.7]
    other.to_csv(tmp_path / "second.csv", index=False)
    return tmp_path / "reader.csv"


def test_it_scores_as_the_document_says(reader: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["score", str(reader), "--csv", str(tmp_path / "s.csv"), "--replicates", "100"])
    assert done.exit_code == 0, done.output
    table = pd.read_csv(tmp_path / "s.csv").query("group == 'all' and split == 'test'")
    called = table[table["operating_point"] == "protocol"].set_index("metric")
    assert (called.loc["sensitivity", "value"], called.loc["specificity", "value"]) == (pytest.approx(2 / 3), 1.0)
    assert called.loc["kappa", "value"] == pytest.approx(0.667, abs=5e-4)
    assert set(table["n"]) == {6}


def test_it_is_compared(reader: Path) -> None:
    done = CliRunner().invoke(app, ["compare", str(reader), str(reader.with_name("second.csv")), "--replicates", "100"])
    assert done.exit_code == 0, done.output
    assert "kappa" in done.output


def test_it_takes_its_place_on_a_leaderboard(reader: Path, tmp_path: Path) -> None:
    words = ["leaderboard", str(reader), str(reader.with_name("second.csv")), "--task", "wrist", "--replicates", "100"]
    done = CliRunner().invoke(app, [*words, "--csv", str(tmp_path / "b.csv"), "--html", str(tmp_path / "b.html")])
    assert done.exit_code == 0, done.output
    table = pd.read_csv(tmp_path / "b.csv")
    assert sorted(table["recipe"]) == ["reader", "second"]
    assert set(table["n"]) == {6}
    assert "reader" in (tmp_path / "b.html").read_text()


def test_the_document_names_the_commands_and_columns() -> None:
    for words in ("osteon score reader.csv", "osteon compare runs/mine reader.csv", "osteon leaderboard runs/mine"):
        assert words in TEXT
    from osteon.predictions.rules import REQUIRED, SCORES

    for column in {*REQUIRED, *(name for names in SCORES.values() for name in names)}:
        assert f"`{column}`" in TEXT
