import itertools
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from osteon.scoring.comparison.one_unit import by_formula, delong, mcnemar
from osteon.scoring.comparison.paired import Contrast
from osteon.scoring.metrics import METRICS, metric
from osteon.scoring.sample import Floats, Sample

Draw = Callable[..., Sample]

# 43 women with ovarian cancer: albumin, total protein, K-G score, whether surgery helped. DeLong, DeLong and
# Clarke-Pearson (1988), as SAS/STAT prints them and their comparison (The LOGISTIC Procedure, "Comparing ROC Curves").
WOMEN = """
3.0 5.8 10 0  3.2 6.3 5 1  3.9 6.8 3 1  2.8 4.8 6 0  3.2 5.8 3 1  0.9 4.0 5 0  2.5 5.7 8 0  1.6 5.6 5 1
3.8 5.7 5 1  3.7 6.7 6 1  3.2 5.4 4 1  3.8 6.6 6 1  4.1 6.6 5 1  3.6 5.7 5 1  4.3 7.0 4 1  3.6 6.7 4 0
2.3 4.4 6 1  4.2 7.6 4 0  4.0 6.6 6 0  3.5 5.8 6 1  3.8 6.8 7 1  3.0 4.7 8 0  4.5 7.4 5 1  3.7 7.4 5 1
3.1 6.6 6 1  4.1 8.2 6 1  4.3 7.0 5 1  4.3 6.5 4 1  3.2 5.1 5 1  2.6 4.7 6 1  3.3 6.8 6 0  1.7 4.0 7 0
3.7 6.1 5 1  3.3 6.3 7 1  4.2 7.7 6 1  3.5 6.2 5 1  2.9 5.7 9 0  2.1 4.8 7 1  2.8 6.2 8 0  4.0 7.0 7 1
3.3 5.7 6 1  3.7 6.9 5 1  3.6 6.6 5 1
"""


def women() -> tuple[Floats, Floats, Floats, np.ndarray]:
    albumin, protein, score, helped = np.array(WOMEN.split(), float).reshape(-1, 4).T
    return albumin, protein, 10 - score, helped == 1


def test_delong_of_the_published_example() -> None:
    albumin, protein, score, helped = women()
    assert len(helped) == 43
    assert delong([score], [albumin], helped) == pytest.approx(0.9102, abs=5e-5)
    assert delong([score], [protein], helped) == pytest.approx(0.4561, abs=5e-5)


def by_pairs(a: Floats, b: Floats, positive: np.ndarray) -> tuple[float, float]:
    """Return difference and variance of two AUROCs from the matrix of all pairs, with the covariance written out."""
    areas, kinds = [], ([], [])
    for score in (a, b):
        wins = np.array([[(p > n) + 0.5 * (p == n) for n in score[~positive]] for p in score[positive]], float)
        areas.append(wins.mean())
        kinds[0].append(wins.mean(1))
        kinds[1].append(wins.mean(0))
    covariance = sum(np.cov(np.stack(kind)) / kind[0].size for kind in kinds)
    return areas[1] - areas[0], float(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])


@pytest.mark.parametrize("seed", range(5))
def test_delong_is_that_of_all_pairs(seed: int) -> None:
    from scipy.stats import norm

    rng = np.random.default_rng(seed)
    positive = rng.random(40) < 0.4
    a, b = (np.round(rng.normal(positive, 1), 1) for _ in range(2))
    difference, variance = by_pairs(a, b, positive)
    assert delong([a], [b], positive) == pytest.approx(2 * norm.sf(abs(difference) / np.sqrt(variance)), abs=1e-12)
    assert delong([b], [a], positive) == pytest.approx(delong([a], [b], positive), abs=1e-12)
    assert delong([a, b], [a], positive) == pytest.approx(delong([a], [b], positive), abs=1e-12)


def test_equal_areas_without_spread() -> None:
    positive = np.array([True, True, False, False])
    perfect = np.array([0.9, 0.8, 0.2, 0.1])
    assert delong([perfect], [perfect], positive) == 1
    assert delong([perfect], [1 - perfect], positive) is None


def calls(both: int, a: int, b: int, none: int) -> tuple[np.ndarray, np.ndarray]:
    return np.repeat([True, True, False, False], [both, a, b, none]), np.repeat([1, 0, 1, 0], [both, a, b, none]) == 1


@pytest.mark.parametrize(("table", "p"), [((1, 1, 7, 12), 0.070), ((59, 6, 16, 80), 0.052)])
def test_mcnemar_of_the_published_examples(table: tuple[int, int, int, int], p: float) -> None:
    """Fagerland, Lydersen and Laake (2013), BMC Med Res Methodol 13:91, tables 2 and 3: the exact conditional test."""
    assert mcnemar(*calls(*table)) == pytest.approx(p, abs=5e-4)


@given(st.tuples(*[st.integers(0, 30)] * 4).filter(any))
def test_mcnemar_is_the_binomial_of_the_discordant(table: tuple[int, int, int, int]) -> None:
    a, b = table[1:3]
    expected = binomtest(a, a + b).pvalue if a + b else 1.0
    assert mcnemar(*calls(*table)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", ["auroc", "accuracy"])
def test_refused_where_a_patient_has_several_units(draw: Draw, name: str) -> None:
    a, b = draw(60, patients=50), draw(60, patients=50, seed=1)
    several = int((np.bincount(a.cluster) > 1).sum())
    found = by_formula(
        Contrast(metric(name, "binary"), "binary", (a,), (Sample(a.target, b.score, b.call, a.cluster),))
    )
    assert found.p is None
    assert f"refused: {several} of 50 patients have several units" in found.note


def test_what_has_a_test_beside_the_bootstrap(draw: Draw) -> None:
    a = draw(60)
    b = Sample(a.target, draw(60, seed=1).score, draw(60, seed=1).call, a.cluster)
    for item in METRICS.values():
        if "binary" in item.heads:
            found = by_formula(Contrast(item, "binary", (a,), (b,)))
            assert found.name == {"auroc": "DeLong", "accuracy": "McNemar"}.get(item.name)
    assert "several trainings" in by_formula(Contrast(METRICS["accuracy"], "binary", (a, a), (b,))).note
    ranked = by_formula(Contrast(METRICS["auroc"], "binary", (a, a), (b,)))
    assert ranked.p == pytest.approx(by_formula(Contrast(METRICS["auroc"], "binary", (a,), (b,))).p)


@pytest.mark.parametrize("positives", [0, 1, 39, 40])
def test_delong_needs_two_of_each_kind(positives: int) -> None:
    target = np.repeat([1, 0], [positives, 40 - positives])
    score = np.linspace(0, 1, 40)
    sample = Sample(target, score, (score > 0.5).astype(np.intp), np.arange(40))
    found = by_formula(Contrast(METRICS["auroc"], "binary", (sample,), (sample,)))
    assert found.p is None
    assert "two positives and two negatives" in found.note


def test_all_small_tables_of_mcnemar_are_symmetric() -> None:
    for a, b in itertools.product(range(6), repeat=2):
        assert mcnemar(*calls(3, a, b, 3)) == pytest.approx(mcnemar(*calls(3, b, a, 3)))
