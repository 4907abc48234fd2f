"""Published rows: each with its source, none mixed with ours."""

from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from osteon.leaderboard import leaderboard
from osteon.leaderboard.panels import panels
from osteon.leaderboard.references import published, references
from osteon.leaderboard.sheet import to_table
from osteon.leaderboard.show import to_markdown
from osteon.phantoms.shoulder import FINDINGS
from osteon.predictions import TaskFacts
from osteon.scoring.metrics import direction
from tests.leaderboard.making import PARTS, leave, studies


def figures() -> pd.DataFrame:
    frame = pd.DataFrame(references())
    return frame.assign(**{name: pd.to_numeric(frame[name]) for name in ("value", "lo", "hi")})


CONF = Path(__file__).parents[2] / "conf" / "task"


def test_every_figure_is_complete() -> None:
    frame = figures()
    assert len(frame) > 100
    for name in ("task", "dataset", "split", "system", "kind", "metric", "group", "citation"):
        assert (frame[name] != "").all(), name
    assert frame["value"].notna().all()
    assert set(frame["kind"]) == {"model", "reader"}
    assert set(frame["pretrained"]) | set(frame["full_data"]) <= {"", "yes", "no"}
    assert not frame.duplicated(["task", "dataset", "split", "system", "metric", "group"]).any()
    for name in frame["metric"].unique():
        assert direction(name) in ("max", "min")
    bounded = frame[frame["lo"].notna()]
    assert ((bounded["lo"] < bounded["value"]) & (bounded["value"] < bounded["hi"])).all()
    assert frame.loc[~frame["metric"].isin(["mae", "mse"]), "value"].between(0, 1).all()
    tasks = {file.stem for file in CONF.glob("*.yaml")}
    assert set(frame["task"]) <= tasks
    groups = [group.partition("=")[::2] for group in frame["group"].unique() if group != "all"]
    assert {one for name, one in groups if name == "body_part"} == set(PARTS)
    assert {one for name, one in groups if name == "finding"} == set(FINDINGS)
    assert {name for name, _ in groups} == {"body_part", "finding"}


def test_what_is_remembered_only_is_left_out() -> None:
    """Of the paper's table by body part only finger and wrist, the model and the best reader, are confirmed."""
    frame = figures()
    hidden = frame[(frame["split"] == "hidden-test") & (frame["group"] != "all")]
    assert sorted(hidden["value"]) == [0.389, 0.41, 0.931, 0.931]
    assert not frame["value"].isin([0.731, 4.265, 3.79, 4.14, 4.97]).any()


def test_the_hidden_test_is_never_compared_with_public_valid(tmp_path: Path) -> None:
    leave(tmp_path / "r", partial(studies, count=1199))
    board = leaderboard([tmp_path])
    found = {block.split: block for block in published(board)}
    assert found["hidden-test"].beside is None
    assert found["hidden-test"].why == "published on another split, not comparable (ours: public-valid)"
    assert found["public-valid"].beside is board.blocks[0]
    titles = [panel.title for panel in panels(board)]
    assert titles[1] == "PUBLISHED · mura · public-valid · n = 1,199"
    headings = [[column.heading for column in panel.columns] for panel in panels(board)]
    assert ["difference" in one for one in headings] == [False, True, False]


def test_the_difference_is_row_1_minus_the_published_figure(tmp_path: Path) -> None:
    leave(tmp_path / "r", partial(studies, count=1199))
    board = leaderboard([tmp_path])
    ours = board.blocks[0].rows[0].cells["kappa", "all", "protocol"].value
    panel = panels(board)[1]
    place = [column.heading for column in panel.columns].index("difference")
    gaps = {row[0].text: row[place].number for row in panel.rows}
    assert gaps["ilias-ant DenseNet-169"] == pytest.approx(ours - 0.629)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("count", "source", "dataset", "why"),
    [
        (1199, "phantom", "mura", "published on other data, not comparable (ours are phantoms)"),
        (1199, "real", "ward7", "published on other data, not comparable"),
        (70, "real", "mura", "published on another number of units, not comparable (ours: 70)"),
    ],
)
def test_no_difference_on_other_data(count: int, source: str, dataset: str, why: str, tmp_path: Path) -> None:
    def make(split: str) -> object:
        return studies(split, count).assign(source=source, dataset=dataset)

    leave(tmp_path / "r", make)  # type: ignore[arg-type]
    board = leaderboard([tmp_path])
    assert all(block.beside is None for block in published(board))
    assert next(block for block in published(board) if block.split == "public-valid").why == why
    assert all(column.heading != "difference" for panel in panels(board) for column in panel.columns)
    assert all("no difference is computed" in " ".join(panel.captions) for panel in panels(board)[1:])


def test_groups_of_another_metric_have_no_empty_table(tmp_path: Path) -> None:
    leave(tmp_path / "r", studies)
    by_kappa = panels(leaderboard([tmp_path], replicates=100))[1:]
    assert [panel.by_group for panel in by_kappa] == ["kappa by body part"] * 2
    by_auroc = panels(leaderboard([tmp_path], metric="auroc", replicates=100))[1:]
    assert [panel.by_group for panel in by_auroc] == ["", ""]
    assert not any(column.part == "group" for panel in by_auroc for column in panel.columns)


def test_published_rows_are_never_best(tmp_path: Path) -> None:
    leave(tmp_path / "r", partial(studies, count=1199))
    table = to_table(leaderboard([tmp_path]))
    theirs = table[table["source"] == "published"]
    assert len(theirs) > 20
    assert not theirs["best"].any()
    assert (theirs["citation"] != "").all()


def test_published_findings_alone_are_told_as_published(tmp_path: Path) -> None:
    """Where only the scores of findings are published, their table says of which data, and that none is compared."""
    make = partial(studies, count=40)
    facts = TaskFacts(unit="study", of="shoulder_findings")

    def of_finding(split: str) -> pd.DataFrame:
        return make(split).assign(task="shoulder_findings.fracture", dataset="shoulder")

    folder = leave(tmp_path / "r", of_finding, facts)
    said = to_markdown(leaderboard([folder], "shoulder_findings", replicates=100))
    assert "**PUBLISHED · shoulder_findings · private · own · n not stated · AUROC by finding**" in said
    assert "not comparable; no difference is computed" in said
