"""The best mark: only on identical units, only where the paired difference holds."""

import json
from functools import partial
from pathlib import Path

import pytest

from osteon.leaderboard import leaderboard
from osteon.leaderboard.best import Best
from osteon.leaderboard.panels import panels
from osteon.scoring.comparison import compare, side
from tests.leaderboard.making import leave, studies


def marks(folder: Path) -> list[str]:
    """Return the ranks as they are shown."""
    return [row[0].text for row in panels(leaderboard([folder], "mura", replicates=200))[0].rows]


def test_a_clear_difference_is_marked_and_equals_compares(two_recipes: Path) -> None:
    (block,) = leaderboard([two_recipes], "mura", replicates=200).blocks
    assert marks(two_recipes) == ["1 best", "2"]
    found = compare(
        side("A", two_recipes / "dull"), side("B", two_recipes / "sharp"), metrics=["kappa"], replicates=200
    )
    row = found.table[(found.table["group"] == "all") & (found.table["operating_point"] == "protocol")].iloc[0]
    assert block.best is not None
    assert (block.best.difference, block.best.lo, block.best.hi, block.best.p) == (
        pytest.approx(row["difference"]),
        pytest.approx(row["lo"]),
        pytest.approx(row["hi"]),
        pytest.approx(row["p"]),
    )


def test_equal_recipes_have_no_mark(tmp_path: Path) -> None:
    for name in "ab":
        leave(tmp_path / name, partial(studies, seed=ord(name)), settings=name)
    assert marks(tmp_path) == ["1", "2"]
    text = panels(leaderboard([tmp_path], replicates=200))[0].captions
    assert any(caption.startswith("no row is marked best; 1 minus 2: ") for caption in text)


def test_one_recipe_has_no_mark(two_recipes: Path) -> None:
    assert marks(two_recipes / "sharp") == ["1"]


def test_p_is_adjusted_over_test_sets(two_recipes: Path, tmp_path: Path) -> None:
    alone = leaderboard([two_recipes], "mura", replicates=200).blocks[0].best
    for name in "ab":
        leave(tmp_path / name, partial(studies, count=90, seed=ord(name)), settings=name, cohort="d")
    both = leaderboard([two_recipes, tmp_path], "mura", replicates=200)
    assert alone is not None
    assert both.blocks[0].best is not None
    assert alone.p is not None
    assert both.blocks[0].best.p == pytest.approx(2 * alone.p)
    assert both.blocks[0].best.family == 2


@pytest.mark.parametrize(
    ("best", "marked"),
    [
        (Best(0.1, 0.01, 0.2, 0.05), True),
        (Best(0.1, 0.01, 0.2, 0.051), False),
        (Best(0.1, -0.01, 0.2, 0.04), False),
        (Best(-2.0, -3.0, -1.0, 0.001), True),
        (Best(0.1, None, None, 0.03), False),
        (Best(why="one patient"), False),
    ],
)
def test_when_a_row_is_marked(best: Best, marked: bool) -> None:
    assert best.marked is marked


def test_patients_that_differ_are_not_compared(tmp_path: Path) -> None:
    def others(split: str) -> object:
        frame = studies(split, seed=3)
        return frame.assign(group_id=frame["unit_id"])

    leave(tmp_path / "a", studies)
    leave(tmp_path / "b", others, settings="t")  # type: ignore[arg-type]
    board = leaderboard([tmp_path], replicates=100)
    assert board.blocks[0].best is not None
    assert "do not agree on which units share a patient" in board.blocks[0].best.why
    assert marks(tmp_path) == ["1", "2"]


def test_a_result_that_was_edited_is_found_out_before_it_is_called_best(tmp_path: Path) -> None:
    leave(tmp_path / "honest", partial(studies, noise=0.15))
    folder = leave(tmp_path / "edited", partial(studies, noise=0.4, seed=1), settings="t")
    told = json.loads((folder / "result.json").read_text())
    for row in told["scores"]:
        row["value"] = 0.99 if row["metric"] == "kappa" else row["value"]
    (folder / "result.json").write_text(json.dumps(told))
    board = leaderboard([tmp_path], replicates=100)
    assert board.blocks[0].rows[0].trainings[0].places[0] == folder
    assert not board.blocks[0].best.marked  # type: ignore[union-attr]
    assert "edited: result.json says kappa 0.9900, the predictions of this recipe give" in board.faults[0]
