"""Figures show the numbers of the score table, say n, unit and PHANTOM, and are drawn for few units as for many."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from sklearn.metrics import average_precision_score, roc_auc_score

from osteon import figures
from osteon.errors import OsteonError
from osteon.figures import curves
from osteon.figures.style import COLOURS, look_of, pixels
from osteon.predictions import TaskFacts
from osteon.scoring.calibrated import calibrate
from osteon.scoring.units import units

ABOUT = figures.About("knee", "test", "study", "real")
DRAWN = figures.About("knee", "test", "study", "phantom")
BINARY = TaskFacts(unit="study", classes=("whole", "broken"))
SEVERAL = {count: TaskFacts(head="multiclass", classes=tuple(f"class_{k}" for k in range(count))) for count in (3, 13)}
GRADES = TaskFacts(head="ordinal", classes=("0", "1", "2", "3", "4"))
AGE = TaskFacts(head="regression", low=0.0, high=240.0, unit_name="months")
BOXES = TaskFacts(head="detection", classes=("fracture",))


def made(facts: TaskFacts, n: int, seed: int = 0) -> pd.DataFrame:
    """Return units of any head; every class is there at least once."""
    rng, count = np.random.default_rng(seed), max(len(facts.classes), 1)
    table = pd.DataFrame(
        {"unit_id": [f"u{k}" for k in range(n)], "group_id": [f"p{k // 2}" for k in range(n)], "source": "real"}
    )
    target = np.concatenate([np.arange(count), rng.integers(0, count, max(n - count, 0))])[:n]
    if facts.head == "binary":
        return table.assign(target=target * 1.0, probability=np.clip(rng.normal(0.35 + 0.3 * target, 0.2), 0, 1))
    if facts.head == "regression":
        truth = rng.uniform(20, 220, n)
        return table.assign(target=truth, value=truth + rng.normal(2, 12, n))
    if facts.head == "detection":
        boxes = [[[0, 0, 10, 10, 0, rng.random()], [30, 30, 40, 40, 0, rng.random() * 0.7]] for _ in range(n)]
        truth = [[[0, 0, 10, 10 + k % 9, 0]] if k % 2 else [] for k in range(n)]
        frame = table.assign(image_id=table["unit_id"], boxes=pd.Series(boxes), truth=pd.Series(truth))
        frame["target"] = [float(len(cell)) for cell in truth]
        frame["boxes"] = [np.array(cell) for cell in boxes]
        frame["truth"] = [np.array(cell, float).reshape(-1, 5) for cell in truth]
        return units(frame, facts)
    chance = rng.dirichlet(np.ones(count), n) + 0.6 * np.eye(count)[target]
    chance /= chance.sum(1, keepdims=True)
    return table.assign(
        target=target * 1.0, value=chance @ np.arange(count), **{f"p{k}": chance[:, k] for k in range(count)}
    )


def words(figure: Figure) -> str:
    """Return every text of a figure."""
    import matplotlib.text

    return "\n".join(text.get_text() for text in figure.findobj(matplotlib.text.Text))


CASES = [(BINARY, 4), (SEVERAL[3], 4), (SEVERAL[13], 40), (GRADES, 30), (AGE, 2), (BOXES, 2)]


@pytest.mark.filterwarnings("error::UserWarning", "error::RuntimeWarning")
@pytest.mark.parametrize(("facts", "n"), CASES)
def test_every_head_has_figures_even_of_few_units(facts: TaskFacts, n: int) -> None:
    table = made(facts, n)
    calibration = None
    if facts.head not in ("regression", "detection"):
        calibration = calibrate("knee", facts, made(facts, max(n, 30), 1), table, replicates=100)
    drawn = figures.figures_of(table, facts, DRAWN, 0.45, calibration)
    assert drawn
    for name, figure in drawn.items():
        assert "PHANTOM" in words(figure)
        assert "knee, test, per study" in words(figure)
        figure.draw_without_rendering()
        width = figure.get_size_inches()[0]
        assert width == 3.5 or (name == "confusion" and len(facts.classes) > 5)


LONG = TaskFacts(
    head="multiclass",
    unit="study",
    classes=("normal", "displaced_neck", "nondisplaced_neck", "intertrochanteric", "orif", "arthroplasty"),
)


@pytest.mark.filterwarnings("error::UserWarning")
@pytest.mark.parametrize("facts", [BINARY, LONG, SEVERAL[13], GRADES, AGE, BOXES])
def test_nothing_is_cut_off_at_the_edge(facts: TaskFacts) -> None:
    about = figures.About("shoulder_findings.endoprosthesis_or_osteosynthesis", "public-valid", "study")
    table = made(facts, 60)
    calibration = None
    if facts.head not in ("regression", "detection"):
        calibration = calibrate("knee", facts, made(facts, 60, 1), table, replicates=100)
    drawn = figures.figures_of(table, facts, about, 0.45, calibration)
    rows = pd.DataFrame({"label": ["body_part=hand+leg+hip+shoulder"], "value": 0.8, "lo": 0.7, "hi": 0.9, "n": 1000})
    drawn["groups"] = figures.forest(rows, about, "AUROC by group", axis="AUROC, 95 % interval")
    for name, figure in drawn.items():
        image = pixels(figure)[..., :3]
        edge = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
        assert (edge == 255).all(), name


def test_real_images_are_not_stamped() -> None:
    assert "PHANTOM" not in words(figures.roc(made(BINARY, 40), BINARY, ABOUT))


def test_the_legend_holds_area_interval_and_n() -> None:
    table = made(BINARY, 120)
    area = roc_auc_score(table["target"], table["probability"])
    assert f"broken: AUROC {area:.2f} [" in words(figures.roc(table, BINARY, ABOUT))
    assert f"n = {int(table['target'].sum())} of 120" in words(figures.roc(table, BINARY, ABOUT))
    area = average_precision_score(table["target"], table["probability"])
    assert f"AP {area:.2f} [" in words(figures.precision_recall(table, BINARY, ABOUT))


@pytest.mark.parametrize("count", [2, 3])
def test_curves_have_the_areas_of_scikit_learn(count: int) -> None:
    facts = BINARY if count == 2 else SEVERAL[3]
    table = made(facts, 100)
    truth = table["target"].to_numpy(np.int64)
    matrix = (
        np.column_stack([1 - table["probability"], table["probability"]])
        if count == 2
        else table[["p0", "p1", "p2"]].to_numpy()
    )
    for place, name in curves.drawn(truth, facts):  # noqa: B007 (pandas reads it in a query)
        part = curves.roc(truth, matrix, facts).query("`class` == @name")
        assert np.trapezoid(part["tpr"], part["fpr"]) == pytest.approx(roc_auc_score(truth == place, matrix[:, place]))
        part = curves.precision_recall(truth, matrix, facts).query("`class` == @name")
        area = -np.sum(np.diff(part["recall"]) * part["precision"].to_numpy()[:-1])
        assert area == pytest.approx(average_precision_score(truth == place, matrix[:, place]))


def test_a_class_that_the_truth_lacks_has_no_curve_and_shifts_no_other() -> None:
    truth = np.array([1, 1, 2, 2])
    matrix = np.array([[0.5, 0.4, 0.1], [0.1, 0.8, 0.1], [0.6, 0.1, 0.3], [0.2, 0.2, 0.6]])
    curve = curves.roc(truth, matrix, SEVERAL[3])
    assert curve["class"].unique().tolist() == ["class_1", "class_2"]


def test_the_band_holds_the_curve_and_is_wider_where_films_share_patients() -> None:
    table = made(BINARY, 200)
    positive, score = (table["target"] == 1).to_numpy(), table["probability"].to_numpy()
    alone = curves.roc_band(positive, score, np.arange(200))
    fpr, tpr = (
        curves.roc(positive.astype(int), np.column_stack([1 - score, score]), BINARY)[name] for name in ("fpr", "tpr")
    )
    middle = np.interp(curves.GRID, fpr, tpr)
    assert ((alone[0] <= middle + 0.03) & (middle <= alone[1] + 0.03)).mean() > 0.95
    twice = np.tile(np.arange(200), 4)
    together = curves.roc_band(np.tile(positive, 4), np.tile(score, 4), twice)
    apart = curves.roc_band(np.tile(positive, 4), np.tile(score, 4), np.arange(800))
    assert (together[1] - together[0]).mean() > 1.5 * (apart[1] - apart[0]).mean()


def test_the_confusion_matrix_counts_every_unit() -> None:
    table = made(SEVERAL[3], 90)
    axes = figures.confusion(table, SEVERAL[3], ABOUT).axes[0]
    assert sum(int(text.get_text().split("\n")[0]) for text in axes.texts) == 90


def test_limits_of_agreement_are_those_of_the_table() -> None:
    table = made(AGE, 80)
    said = words(figures.bland_altman(table, AGE, ABOUT))
    away = (table["value"] - table["target"]).to_numpy()
    assert f"bias\n{away.mean():.1f} [" in said
    assert f"upper limit\n{away.mean() + 1.96 * away.std(ddof=1):.1f} [" in said
    assert "months" in said


def test_one_outcome_has_no_figure() -> None:
    table = made(BINARY, 10).assign(target=1.0)
    assert figures.figures_of(table, BINARY, ABOUT) == {}
    assert figures.figures_of(table.head(0), BINARY, ABOUT) == {}
    assert figures.figures_of(made(BOXES, 6).assign(target=0.0), BOXES, ABOUT) == {}


def test_a_forest_keeps_rows_without_a_value_and_refuses_what_it_cannot_draw() -> None:
    rows = pd.DataFrame(
        {"label": ["all", "old"], "value": [0.8, None], "lo": [0.7, None], "hi": [0.9, None], "n": [90, 3]}
    )
    said = words(figures.forest(rows, ABOUT, "AUROC by group", axis="AUROC", null=0.8))
    assert "0.80 [0.70, 0.90]" in said
    assert "n/a" in said
    assert "old (3)" in said
    with pytest.raises(OsteonError, match="lo, hi missing"):
        figures.forest(rows[["label", "value"]], ABOUT, "x", axis="x")
    with pytest.raises(OsteonError, match="no row"):
        figures.forest(rows.head(0), ABOUT, "x", axis="x")


def test_the_same_figure_is_the_same_file(tmp_path: Path) -> None:
    table = made(BINARY, 40)
    files = [figures.save(figures.roc(table, BINARY, DRAWN), tmp_path / name, "roc") for name in "ab"]
    for one, other in zip(*files, strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_settings_of_the_caller_are_left_alone_and_do_not_matter(tmp_path: Path) -> None:
    import matplotlib

    table = made(BINARY, 40)
    plain = figures.save(figures.roc(table, BINARY, ABOUT), tmp_path / "a", "roc")[1].read_bytes()
    before: dict[Any, Any] = dict(matplotlib.rcParams)
    with matplotlib.rc_context({"font.size": 20, "axes.facecolor": "red"}):
        other = figures.save(figures.roc(table, BINARY, ABOUT), tmp_path / "b", "roc")[1].read_bytes()
    assert other == plain
    assert {key: matplotlib.rcParams[key] for key in before} == before


def test_no_two_curves_of_13_look_alike() -> None:
    assert len({tuple(look_of(place).values()) for place in range(13)}) == 13
    assert len(set(COLOURS)) == len(COLOURS)
