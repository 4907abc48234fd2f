from collections.abc import Callable

import numpy as np
import pytest
import sklearn.metrics as sk

from osteon.scoring import bootstrap
from osteon.scoring.metrics import METRICS
from osteon.scoring.sample import Floats, Sample

NAMES = ("auroc", "kappa")


def resampled(sample: Sample, weights: Floats) -> Floats:
    """The naive loop: take each patient's units as often as the patient was drawn, then scikit-learn."""
    found = []
    for column in weights.T:
        rows = np.repeat(np.arange(len(sample.target)), column[sample.cluster].astype(int))
        target, score, call = sample.target[rows], sample.score[rows], sample.call[rows]
        found.append((sk.roc_auc_score(target, score), sk.cohen_kappa_score(target, call)))
    return np.array(found).T


def test_replicates_are_those_of_the_naive_loop_under_the_same_draws(draw: Callable[..., Sample]) -> None:
    sample = draw(n=150, patients=60)
    prepared = [METRICS[name].prepare(sample, "binary") for name in NAMES]
    weights = np.concatenate(list(bootstrap.draws(60, 40, seed=3, width=150)), axis=1)
    np.testing.assert_allclose(
        bootstrap.replicate(prepared, 60, 40, 3, 150), resampled(sample, weights), rtol=0, atol=1e-13
    )


def test_replicates_have_the_naive_loops_distribution(draw: Callable[..., Sample]) -> None:
    sample = draw(n=150, patients=60)
    prepared = [METRICS[name].prepare(sample, "binary") for name in NAMES]
    rng = np.random.default_rng(11)
    chosen = [np.bincount(rng.integers(0, 60, 60), minlength=60) for _ in range(400)]
    theirs, ours = resampled(sample, np.array(chosen, float).T), bootstrap.replicate(prepared, 60, 4000, 0)
    np.testing.assert_allclose(ours.mean(1), theirs.mean(1), atol=0.01)
    np.testing.assert_allclose(ours.std(1), theirs.std(1), rtol=0.1)
    np.testing.assert_allclose(
        np.quantile(ours, [0.025, 0.975], axis=1), np.quantile(theirs, [0.025, 0.975], axis=1), atol=0.02
    )


def test_as_many_patients_are_drawn_as_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "CHUNK", 500)
    chunks = list(bootstrap.draws(50, 103, seed=0))
    assert all(chunk.size <= 500 for chunk in chunks)
    weights = np.concatenate(chunks, axis=1)
    assert weights.shape == (50, 103)
    assert (weights.sum(0) == 50).all()
    # Poisson-like: about 1/e of the patients are left out of a replicate.
    assert 0.3 < (weights == 0).mean() < 0.43
    assert len(np.unique(weights, axis=1).T) == 103


def test_patients_are_resampled_not_units(draw: Callable[..., Sample]) -> None:
    """Four copies of each patient's study teach nothing: the interval must not become half as wide."""
    one = draw(n=80)
    copies = Sample(*(np.tile(part, 4) for part in (one.target, one.score, one.call, one.cluster)))
    apart = Sample(copies.target, copies.score, copies.call, np.arange(320))
    width = {}
    for name, sample in (("one", one), ("copies", copies), ("apart", apart)):
        values = bootstrap.replicate([METRICS["kappa"].prepare(sample, "binary")], sample.clusters, 2000, 1)
        low, high = bootstrap.percentile(values[0])
        width[name] = high - low
    assert width["copies"] == pytest.approx(width["one"], rel=1e-9)
    assert width["apart"] == pytest.approx(width["one"] / 2, rel=0.2)


def test_seeds(draw: Callable[..., Sample]) -> None:
    sample = draw(n=50)
    prepared = [METRICS["auroc"].prepare(sample, "binary")]
    first, again, other = (bootstrap.replicate(prepared, 50, 20, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_undefined_replicates_are_left_out() -> None:
    assert bootstrap.percentile(np.array([np.nan, 0.0, 1.0]), level=1.0) == (0.0, 1.0)
