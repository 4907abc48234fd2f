import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics as sk
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from osteon.errors import OsteonError
from osteon.predictions import TaskFacts
from osteon.scoring.thresholds import Threshold, check_rule, fit, freeze, frozen


def table(target: list[float], probability: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"target": target, "probability": probability})


@pytest.mark.parametrize(
    ("rule", "value"),
    # One of the three positives is enough for sens_0.33: the cut lies between 0.5 and 0.9.
    # Two of the four negatives lie at or below 0.2.
    [
        *[("youden", 0.45), ("max_kappa", 0.45), ("sens_0.95", 0.25), ("sens_0.6", 0.45), ("sens_0.33", 0.7)],
        *[("spec_0.5", 0.25), ("spec_0.95", 0.45), ("spec_0.25", 0.15)],
    ],
)
def test_by_hand(rule: str, value: float) -> None:
    val = table([0, 0, 1, 0, 0, 1, 1, np.nan], [0.1, 0.2, 0.3, 0.35, 0.4, 0.5, 0.9, 0.95])
    found = fit(val, TaskFacts(rule=rule))
    assert (found.value, found.n, found.n_positive, found.split) == (pytest.approx(value), 7, 3, "val")


unit = st.tuples(st.booleans(), st.integers(0, 12))


@settings(deadline=None, max_examples=60)
@given(st.lists(unit, min_size=2, max_size=40), st.sampled_from([0.5, 0.8, 0.95, 1.0]))
def test_no_other_cut_is_better(units: list[tuple[bool, int]], asked: float) -> None:
    target = np.array([float(positive) for positive, _ in units])
    score = np.array([level / 12 for _, level in units])
    assume(0 < target.sum() < len(target))
    cuts = np.concatenate([[-1.0], np.unique(score), [2.0]])
    val = table(list(target), list(score))

    def youden(cut: float) -> float:
        return float((score[target == 1] > cut).mean() + (score[target == 0] <= cut).mean() - 1)

    def kappa(cut: float) -> float:
        return float(np.nan_to_num(sk.cohen_kappa_score(target, score > cut)))

    assert youden(fit(val, TaskFacts()).value) == pytest.approx(max(map(youden, cuts)))
    assert kappa(fit(val, TaskFacts(rule="max_kappa")).value) == pytest.approx(max(map(kappa, cuts)))
    value = fit(val, TaskFacts(rule=f"sens_{asked}")).value
    enough = [cut for cut in cuts if (score[target == 1] > cut).mean() >= asked]
    assert (score[target == 1] > value).mean() >= asked
    assert (score > value).sum() == min((score > cut).sum() for cut in enough)
    assert value not in score
    value = fit(val, TaskFacts(rule=f"spec_{asked}")).value
    enough = [cut for cut in cuts if (score[target == 0] <= cut).mean() >= asked]
    assert (score[target == 0] <= value).mean() >= asked
    assert (score > value).sum() == max((score > cut).sum() for cut in enough)


def test_a_cut_between_neighbouring_floats_parts_them() -> None:
    low = 0.3
    high = float(np.nextafter(low, 1))
    value = fit(table([0, 0, 1, 1], [low, low, high, high]), TaskFacts()).value
    assert not low > value
    assert high > value


def test_everything_may_be_called_positive() -> None:
    value = fit(table([1, 0, 1, 0], [0.0, 0.2, 0.3, 0.9]), TaskFacts(rule="sens_1.0")).value
    assert value < 0.0
    assert fit(table([1, 0, 1], [0.2, 0.2, 0.3]), TaskFacts(rule="sens_1.0")).value == pytest.approx(0.1)


def test_equal_cuts_take_the_middle() -> None:
    # Youden's index is the same above 0.1, above 0.3 and above 0.5.
    val = table([0, 1, 0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    assert fit(val, TaskFacts()).value == pytest.approx(0.35)


@pytest.mark.parametrize("target", [[0.0, 0, 0], [1.0, 1, 1], [np.nan] * 3])
def test_val_without_a_class_is_told_the_way_out(target: list[float]) -> None:
    with pytest.raises(OsteonError, match=r"val has \d positive and \d negative labelled study units.*val_fraction"):
        fit(table(target, [0.1, 0.2, 0.3]), TaskFacts(unit="study"))


@pytest.mark.parametrize("rule", ["yuden", "sens_", "sens_0", "sens_1.5", "sens_0.9.5", "spec_1.1", "kappa"])
def test_unknown_rules(rule: str) -> None:
    with pytest.raises(OsteonError, match="is not youden, max_kappa, sens_<x> or spec_<x>"):
        check_rule(rule)


def test_frozen_is_what_was_fitted(tmp_path: Path) -> None:
    path = tmp_path / "thresholds.json"
    found = {"mura": Threshold("youden", 0.1 + 0.2, "val", 20, 7)}
    freeze(path, found)
    assert frozen(path) == found
    assert json.loads(path.read_text())["mura"]["value"] == 0.1 + 0.2


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "no such file"), ("{", "not a file"), ('{"mura": 0.5}', "not a file"), ("[1]", "not a file")],
)
def test_what_is_not_frozen(tmp_path: Path, content: str | None, message: str) -> None:
    path = tmp_path / "thresholds.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(OsteonError, match=f"thresholds.json: {message}"):
        frozen(path)
