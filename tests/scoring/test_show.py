from collections.abc import Callable
from io import BytesIO, StringIO, TextIOWrapper

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from osteon.predictions import Predictions, TaskFacts
from osteon.scoring.cells import cell, decimals_in_units
from osteon.scoring.show import show, to_markdown
from osteon.scoring.table import score
from osteon.scoring.thresholds import Threshold
from tests.scoring.drawn import AGE, GRADE, ages, graded

Frame = Callable[..., pd.DataFrame]
FROZEN = {"mura": Threshold("youden", 0.4249, "val", 40, 20)}


def printed(table: pd.DataFrame, width: int = 100) -> str:
    text = StringIO()
    show(table, Console(file=text, width=width))
    return text.getvalue()


@pytest.fixture
def table(frame: Frame) -> pd.DataFrame:
    facts = {"mura": TaskFacts(unit="study", groups=("body_part",))}
    images = frame(300, source="phantom")
    images.loc[images["body_part"] == "hand", "target"] = 0.0
    return score(Predictions(images, facts, {}, {"test": "public-valid"}), FROZEN, replicates=100)


@pytest.mark.parametrize(
    ("value", "lo", "hi", "text"),
    [
        (0.7049, 0.6, 0.804, "0.705 [0.60, 0.80]"),
        (0.7049, pd.NA, pd.NA, "0.705"),
        (pd.NA, pd.NA, pd.NA, "n/a"),
        (-0.05, -0.2, 0.1, "-0.050 [-0.20, 0.10]"),
    ],
)
def test_cells(value: object, lo: object, hi: object, text: str) -> None:
    assert cell(pd.Series({"value": value, "lo": lo, "hi": hi})) == text


@pytest.mark.filterwarnings("ignore:kappa")
@pytest.mark.parametrize("width", [100, 80, 140])
def test_the_terminals_table(table: pd.DataFrame, width: int) -> None:
    text = printed(table, width)
    assert max(map(len, text.splitlines())) <= min(width, 100)
    assert "PHANTOM · mura · test (public-valid) · per study · protocol threshold 0.5" in text
    assert "frozen threshold 0.425" in text
    assert "phantom: drawn images, not patients" in text
    auroc = table[(table["metric"] == "auroc") & (table["group"] == "all")].iloc[0]
    overall = next(line for line in text.splitlines() if line.startswith("all"))
    assert f"{auroc['value']:.3f}" in overall
    assert f"[{auroc['lo']:.2f}, {auroc['hi']:.2f}]" in text
    hand = next(line for line in text.splitlines() if line.startswith("hand"))
    assert "0%" in hand
    assert "n/a" in hand
    assert "nan" not in text.lower()
    assert "<NA>" not in text
    for name in ("wrist", "elbow", "kappa", "sensitivity", "specificity"):
        assert name in text


@pytest.mark.filterwarnings("ignore:kappa")
def test_markdown_holds_the_same_cells(table: pd.DataFrame) -> None:
    text = to_markdown(table)
    rows = [line for line in text.splitlines() if line.startswith("| all")]
    assert len(rows) == 2
    kappa = table[(table["metric"] == "kappa") & (table["group"] == "all")]
    for row, (_, expected) in zip(rows, kappa.iterrows(), strict=True):
        assert cell(expected) in row
    assert "PHANTOM" in text
    assert "nan" not in text.lower()


def test_real_runs_bear_no_stamp(frame: Frame) -> None:
    text = printed(score(Predictions(frame(80), {"mura": TaskFacts()}), None, replicates=100))
    assert "phantom" not in text.lower()


def test_small_samples_and_several_groupings_are_marked(frame: Frame) -> None:
    images = frame(24).assign(leg=1.0)
    table = score(Predictions(images, {"mura": TaskFacts(groups=("body_part", "leg"))}), None, replicates=100)
    text = printed(table.assign(run="a"))
    assert "small sample" in text
    assert "leg=1*" in text
    assert "body_part=" in text


def test_classes_have_their_own_headlines(frame: Frame) -> None:
    images = frame(60).assign(probabilities=[[0.2, 0.8]] * 20 + [[0.7, 0.3]] * (len(frame(60)) - 20))
    facts = TaskFacts(head="multiclass", classes=("a", "b"))
    text = printed(score(Predictions(images, {"mura": facts}), None, replicates=100))
    assert "macro AUROC" in text
    assert "log loss" in text
    assert np.isfinite(len(text))


@pytest.fixture(scope="module")
def numbers() -> pd.DataFrame:
    images = pd.concat([ages(), graded(200)], ignore_index=True)
    return score(Predictions(images, {"age": AGE, "grade": GRADE}), {}, replicates=100)


def test_numbers_and_grades_have_their_own_headlines(numbers: pd.DataFrame) -> None:
    text = to_markdown(numbers)
    assert "| group | n | MAE | RMSE | bias | 95 % limits | within 12 |" in text
    assert "| sex | n | quadr. kappa | accuracy | balanced acc. | off by <= 1 | MAE expected | AUROC at cut |" in text
    rows = {row["metric"]: row for _, row in numbers[numbers["group"] == "all"].iterrows() if row["task"] == "age"}
    line = next(line for line in text.splitlines() if line.startswith("| all"))
    assert f"| {rows['mae']['value']:.1f} [{rows['mae']['lo']:.1f}, {rows['mae']['hi']:.1f}] |" in line
    assert f"| {rows['loa_low']['value']:.1f} to {rows['loa_high']['value']:.1f} |" in line
    assert cell(rows["within_12"]) in line
    assert "in months" in text
    assert "positive: mild and above" in text
    assert "nan" not in text.lower()


@pytest.mark.parametrize(("width", "last"), [(140, "within 12"), (100, "within 12"), (80, "bias"), (60, "RMSE")])
def test_what_finds_no_room_is_left_out(numbers: pd.DataFrame, width: int, last: str) -> None:
    text = printed(numbers[numbers["task"] == "age"], width)
    lines = text.splitlines()
    assert max(map(len, lines)) <= min(width, 100)
    assert lines[1].split("  ")[-1].strip() == last
    # Nothing is cut or folded: every group is named in one line, every interval closed.
    assert "target=120 to 180" in text
    assert text.count("[") == text.count("]")
    assert "…" not in text


def test_scores_in_a_unit_have_three_figures() -> None:
    frame = ages(60)
    for scale, expected in ((1.0, 1), (0.1, 2), (0.01, 3)):
        facts = TaskFacts(head="regression")
        scaled = frame.assign(target=frame["target"] * scale, value=frame["value"] * scale)
        table = score(Predictions(scaled, {"age": facts}), {}, replicates=100)
        assert decimals_in_units(table) == expected
    assert decimals_in_units(table.iloc[:0]) == 3


@pytest.mark.parametrize("part", ["none", "val"])
def test_without_a_test_row_one_line_says_so(frame: Frame, part: str) -> None:
    table = score(Predictions(frame(60, split="val"), {"mura": TaskFacts()}), None, replicates=100)
    text = printed(table if part == "val" else table.iloc[:0])
    assert text.splitlines()[-1].startswith("no test row")
    assert ("AUROC" in text) == (part == "val")


@pytest.mark.filterwarnings("ignore:kappa")
@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_any_terminal_can_be_written_to(table: pd.DataFrame, encoding: str) -> None:
    raw = BytesIO()
    stream = TextIOWrapper(raw, encoding=encoding)
    show(table.assign(run="Zwölf Hüften Ω"), Console(file=stream, width=100))
    stream.flush()
    text = raw.getvalue().decode(encoding)
    said = {"ascii": "Zw?lf H?ften ? | mura", "cp1252": "Zwölf Hüften ? | mura", "utf-8": "Zwölf Hüften Ω · mura"}
    assert said[encoding] in text
    assert "AUROC" in text


def test_names_are_not_markup(frame: Frame) -> None:
    table = score(Predictions(frame(60), {"mura": TaskFacts()}), None, replicates=100)
    assert "[/red] a[0] · mura" in printed(table.assign(run="[/red] a[0]"))
