"""Numbers of a comparison in words: names of metrics, signed differences, p values."""

from typing import Any

import pandas as pd

from osteon.scoring.cells import HEADLINES
from osteon.scoring.registry import IN_UNITS

_NAMES = {"ppv": "PPV", "npv": "NPV", "ece": "ECE", "rmse": "RMSE", "mse": "MSE", "f1": "F1", "brier": "Brier score"}
_NAMES |= {"macro_auroc": "macro AUROC", "class_mae": "MAE of the called grade", "class_mse": "MSE of the called grade"}
_NAMES |= {"quadratic_kappa": "quadratic kappa", "average_precision": "average precision", "r2": "R2"}
_NAMES |= {"balanced_accuracy": "balanced accuracy", "multiclass_brier": "Brier score of classes"}
_KNOWN = {metric: text for shown in HEADLINES.values() for metric, text in shown.items()} | _NAMES


def named(metric: str) -> str:
    """Return a metric's name as people write it."""
    return _KNOWN.get(metric, metric.replace("_", " "))


def plural(count: int, one: str) -> str:
    """Return "1 study", "2 studies"."""
    many = f"{one[:-1]}ies" if one.endswith("y") else f"{one}s"
    return f"{count:,} {one if count == 1 else many}"


def signed(value: float, decimals: int) -> str:
    """Return "+0.012"; a rounded nothing has no sign."""
    return f"{0:.{decimals}f}" if round(value, decimals) == 0 else f"{value:+.{decimals}f}"


def difference(row: Any, decimals: int) -> str:
    """Return "+0.012 [-0.010, +0.034]" of a row, "n/a" where it is undefined."""
    if pd.isna(row.difference):
        return "n/a"
    value = signed(row.difference, decimals)
    return value if pd.isna(row.lo) else f"{value} [{signed(row.lo, decimals)}, {signed(row.hi, decimals)}]"


def chance(p: Any) -> str:
    """Return a p value with two figures, "<0.001" below that, "n/a" where there is none; never rounded to 0.05."""
    if pd.isna(p):
        return "n/a"
    if p < 0.001:
        return "<0.001"
    digits = 3 if p < 0.1 else 2
    while digits < 6 and round(p, digits) == 0.05 and p != 0.05:
        digits += 1
    return f"{p:.{digits}f}"


def p_is(p: Any) -> str:
    """Return "= 0.012" or "< 0.001", to follow a p in a sentence."""
    return f"= {chance(p)}".replace("= <", "< ")


def small(row: Any) -> bool:
    """Return whether a row's sample is so small that its interval may be too short."""
    return "small sample" in row.note.split("; ")


def decimals_of(rows: pd.DataFrame) -> int:
    """Return how many decimals give the values of one metric three figures: three for shares, fewer for months."""
    values = rows.loc[rows["metric"].isin(IN_UNITS), ["a", "b"]].abs().max().max()
    return 3 if pd.isna(values) or values < 1 else 2 if values < 10 else 1
