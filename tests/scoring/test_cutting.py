from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osteon.errors import OsteonError
from osteon.predictions import TaskFacts, check
from osteon.scoring.cutting import check_box_rule
from osteon.scoring.froc import RATES
from osteon.scoring.metrics import estimate, metric, sample_of
from osteon.scoring.thresholds import fit, freeze, frozen
from osteon.scoring.units import units
from tests.scoring.coco import Rows, drawn, facts, table
from tests.scoring.test_froc import BOXES, LESIONS


def made(boxes: list[Rows], truth: list, told: TaskFacts) -> object:
    return units(check(table(boxes, truth), {"wrist": told}), told)


@pytest.mark.parametrize(
    ("rule", "value"),
    # F1 above each score: 0.9: 2/6, 0.7: 2/7, 0.6: 4/9, 0.5: 4/15, 0.3: 6/16.
    [("max_f1", 0.55), ("fp_0.5", 0.65), ("fp_1", 0.55), ("fp_2", 0.55), ("fp_4", 0.15), ("fp_0.2", 0.975)],
)
def test_by_hand(rule: str, value: float) -> None:
    told = facts(1, rule=rule)
    found = fit(made([*BOXES, []], [*LESIONS, None], told), told)  # type: ignore[arg-type]
    assert (found.rule, found.value, found.split, found.n, found.n_positive) == (
        rule,
        pytest.approx(value),
        "val",
        4,
        4,
    )


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.sampled_from(RATES), st.sampled_from([None, 5]))
def test_the_threshold_of_a_rate_reaches_the_curve(seed: int, rate: float, levels: int | None) -> None:
    boxes, truth = drawn(12, seed=seed, levels=levels)
    told = facts(rule=f"fp_{rate:g}")
    table = made(boxes, truth, told)
    sample = sample_of(table, told, fit(table, told).value)  # type: ignore[arg-type]
    found = {
        name: estimate(metric(name, "detection"), sample, "detection")
        for name in ("lesion_sensitivity", "fp_per_image")
    }
    assert found["lesion_sensitivity"] == estimate(metric(f"froc_{rate:g}", "detection"), sample, "detection")
    assert found["fp_per_image"] <= rate  # type: ignore[operator]


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000))
def test_no_other_cut_has_a_better_f1(seed: int) -> None:
    boxes, truth = drawn(10, seed=seed, levels=8)
    told = facts()
    table = made(boxes, truth, told)

    def f1(cut: float) -> float:
        found = sample_of(table, told, cut).boxes  # type: ignore[arg-type]
        tp, fp = ((found.shown & (found.found["hit"] == kind)).sum() for kind in (1, -1))
        return float(2 * tp / (tp + fp + found.true.sum()))

    assert f1(fit(table, told).value) == max(f1(cut) for cut in np.linspace(-0.05, 1, 43))  # type: ignore[arg-type]


def test_what_is_frozen_is_read_again(tmp_path: Path) -> None:
    told = facts(1)
    found = {"wrist": fit(made(BOXES, LESIONS, told), told)}  # type: ignore[arg-type]
    freeze(tmp_path / "thresholds.json", found)
    assert frozen(tmp_path / "thresholds.json") == found


def test_without_a_box_the_protocols_threshold_stands() -> None:
    told = facts(1, protocol_threshold=0.3)
    assert fit(made([[]] * 4, LESIONS, told), told).value == 0.3  # type: ignore[arg-type]
    wrong: list[Rows] = [[[90, 90, 95, 95, 0, 0.4]], [], [], []]
    for rule in ("max_f1", "fp_1"):
        told = facts(1, rule=rule)
        assert 0 <= fit(made(wrong, LESIONS, told), told).value <= 1  # type: ignore[arg-type]


@pytest.mark.parametrize("truth", [[[]] * 4, [None] * 4])
def test_val_without_a_true_box_is_told_the_way_out(truth: list) -> None:
    told = facts(1)
    with pytest.raises(OsteonError, match=r"val has no true box on its \d labelled images.*val_fraction"):
        fit(made(BOXES, truth, told), told)  # type: ignore[arg-type]


@pytest.mark.parametrize("rule", ["youden", "fp_", "fp_0", "fp_x", "max_f2", "sens_0.95"])
def test_unknown_rules(rule: str) -> None:
    with pytest.raises(OsteonError, match="is not max_f1 or fp_<x>"):
        check_box_rule(rule)
