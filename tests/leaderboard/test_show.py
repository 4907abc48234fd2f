"""The terminal, Markdown and CSV hold the same board."""

import io
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from osteon.leaderboard import Board, leaderboard
from osteon.leaderboard.page import to_page
from osteon.leaderboard.panel import text_of
from osteon.leaderboard.panels import SMALL, panels
from osteon.leaderboard.rows import Cell
from osteon.leaderboard.sheet import to_table
from osteon.leaderboard.show import show_board, to_markdown
from tests.leaderboard.making import PARTS


@pytest.fixture(scope="module")
def board(two_recipes: Path) -> Board:
    """Return the board of two recipes."""
    return leaderboard([two_recipes], "mura", replicates=200)


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
def test_no_line_is_too_long_and_nothing_is_cut(board: Board, width: int) -> None:
    text = io.StringIO()
    show_board(board, Console(file=text, width=width))
    said = text.getvalue()
    assert max(map(len, said.splitlines())) <= width
    for name in (*PARTS, "kappa", "AUROC", "sensitivity", "specificity", "1 best: densenet169"):
        assert name in said
    row = board.blocks[0].rows[0]
    for metric in ("auroc", "sensitivity", "specificity", "kappa"):
        cell = row.cells[board.ranking.key(metric)]
        for part in text_of(cell).split(" ["):
            assert part.strip("]") in said


def test_a_poor_terminal(board: Board) -> None:
    text = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="strict")
    show_board(board, Console(file=text, width=80))
    text.flush()


def test_markdown_has_every_row(board: Board) -> None:
    text = to_markdown(board)
    assert "| 1 best: densenet169 augment=sharp | 3 |" in text
    assert "**kappa by body part**" in text
    assert text.count("PUBLISHED") == 2
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    assert all(line.endswith(" |") for line in lines)


def test_what_the_legend_of_the_star_speaks_of_bears_one(board: Board) -> None:
    panel = panels(board)[0]
    every = [cell for row in board.blocks[0].rows for cell in row.cells.values()]
    assert any(cell.small for cell in every)
    groups = {column.heading.rstrip("*"): column.heading for column in panel.columns if column.part == "group"}
    for name, heading in groups.items():
        key = board.ranking.key("kappa", f"body_part={name}")
        assert heading.endswith("*") == any(row.cells[key].small for row in board.blocks[0].rows)
    starred = [heading for heading in groups.values() if heading.endswith("*")]
    starred += [row[1].text for row in panel.rows if row[1].text.endswith("*")]
    assert (SMALL in panel.captions) == bool(starred)


def test_csv_has_every_score(board: Board, tmp_path: Path) -> None:
    to_table(board).to_csv(tmp_path / "b.csv", index=False)
    table = pd.read_csv(tmp_path / "b.csv")
    ours = table[table["source"] == "real"]
    assert ours["rank"].tolist() == [1, 2]
    assert ours["best"].tolist() == [True, False]
    assert ours["seeds"].tolist() == ["0 1 2", "0 1 2"]
    assert ours["split"].unique().tolist() == ["public-valid"]
    row = board.blocks[0].rows[0]
    cell = row.cells["kappa", "body_part=wrist", "protocol"]
    first = ours.iloc[0]
    assert first["kappa_body_part=wrist"] == pytest.approx(cell.value)
    assert first["kappa_body_part=wrist_lo"] == pytest.approx(cell.lo)
    assert first["prevalence"] == pytest.approx(row.cells["auroc", "all", ""].n_positive / 210)  # type: ignore[operator]
    assert (first["n"], first["n_clusters"]) == (210, 105)
    own = row.cells["auroc", "body_part=wrist", ""]
    assert first["n_body_part=wrist"] == own.n == 30
    assert first["prevalence_body_part=wrist"] == pytest.approx(own.n_positive / 30)  # type: ignore[operator]


def test_groups_are_shown_with_their_size_and_prevalence(board: Board) -> None:
    cell = board.blocks[0].rows[0].cells["auroc", "body_part=wrist", ""]
    said = f"wrist 30 ({cell.n_positive / 30:.1%})"  # type: ignore[operator]
    assert said in to_markdown(board)
    assert said in to_page(board)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (Cell(0.7049, 0.6, 0.8), "0.705 [0.60, 0.80]"),
        (Cell(0.7049, 0.6, 0.8, 0.0123), "0.705 (0.012) [0.60, 0.80]"),
        (Cell(0.7049), "0.705"),
        (Cell(None), "n/a"),
        (None, "n/a"),
    ],
)
def test_a_cells_text(cell: Cell | None, text: str) -> None:
    assert text_of(cell) == text
