"""Columns as inputs: fitted on train alone, with a place for what is missing or was never seen."""

import numpy as np
import pandas as pd
import pytest

from osteon.errors import OsteonError
from osteon.manifest.covariates import Covariate, encode, fit_covariates

TRAIN = pd.DataFrame({"sex": ["M", "F", None, "F"], "age_years": [10.0, np.nan, 30.0, 20.0], "flat": [1.0] * 4})


def test_by_hand() -> None:
    fitted = fit_covariates(TRAIN, ["sex", "age_years"])
    assert fitted[0] == Covariate("sex", categories=("F", "M"))
    assert fitted[1].mean == 20.0
    assert fitted[1].sd == pytest.approx(np.sqrt(200 / 3))
    rows = pd.DataFrame({"sex": ["M", "X", None], "age_years": [20.0 + fitted[1].sd, np.nan, np.inf]})
    expected = [[0, 1, 0, 1, 1], [0, 0, 1, 0, 0], [0, 0, 1, 0, 0]]
    np.testing.assert_allclose(encode(rows, fitted), expected, atol=1e-6)


def test_a_column_that_a_dataset_lacks_is_missing_everywhere() -> None:
    fitted = fit_covariates(TRAIN, ["sex", "age_years"])
    np.testing.assert_array_equal(encode(pd.DataFrame(index=range(2)), fitted), [[0, 0, 1, 0, 0]] * 2)


def test_no_covariates_take_no_place() -> None:
    assert encode(TRAIN, ()).shape == (4, 0)


def test_a_constant_does_not_divide_by_zero() -> None:
    assert np.isfinite(encode(TRAIN, fit_covariates(TRAIN, ["flat"]))).all()


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (TRAIN, r"no column 'sax'.*Did you mean 'sex'"),
        (pd.DataFrame({"sax": [None, None]}), "empty in every train row"),
        (pd.DataFrame({"sax": [f"note {n}" for n in range(60)]}), "60 different texts.*free text"),
    ],
)
def test_faults_are_named(frame: pd.DataFrame, words: str) -> None:
    with pytest.raises(OsteonError, match=words):
        fit_covariates(frame, ["sax"])
