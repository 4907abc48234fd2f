"""The cells of the score table for people: a value with its interval, a group's headline metrics."""

from typing import Any

import pandas as pd

from osteon.scoring.registry import IN_UNITS

# Metric -> heading, by head; the first of them are shown where there is no room for all.
HEADLINES = {
    "binary": {"auroc": "AUROC", "kappa": "kappa", "sensitivity": "sensitivity", "specificity": "specificity"},
    "multiclass": {"macro_auroc": "macro AUROC", "kappa": "kappa", "accuracy": "accuracy", "log_loss": "log loss"},
    "ordinal": {
        "quadratic_kappa": "quadr. kappa",
        "accuracy": "accuracy",
        "balanced_accuracy": "balanced acc.",
        "off_by_one": "within 1",
        "mae": "MAE",
        "auroc_at_cut": "AUROC at cut",
    },
    "regression": {
        "mae": "MAE",
        "rmse": "RMSE",
        "bias": "bias",
        "limits": "95 % limits",
        "within": "within",
    },
    "multilabel": {
        "auroc": "AUROC",
        "average_precision": "avg. precision",
        "sensitivity": "sensitivity",
        "specificity": "specificity",
    },
}


def cell(row: Any, in_units: bool = False) -> str:
    """Return "0.705 [0.60, 0.80]" of a row with value, lo and hi; "n/a" where the value is missing.

    A score in the target's unit has three figures, and its bounds as many decimals.
    """
    if row is None or pd.isna(row.value):
        return "n/a"
    digits = _decimals(row.value) if in_units else 3
    value = f"{row.value:.{digits}f}"
    if pd.isna(row.lo):
        return value
    bound = digits if in_units else 2
    return f"{value} [{row.lo:.{bound}f}, {row.hi:.{bound}f}]"


def headlines(rows: pd.DataFrame, head: str) -> dict[str, str]:
    """Return the headlines of a head; how near counts as near is read from the metric."""
    near = [name for name in rows["metric"].unique() if name.startswith("within_")]
    shown = {name: text for name, text in HEADLINES[head].items() if name != "within"}
    return shown | ({near[0]: near[0].replace("_", " ")} if near else {})


def _has(rows: pd.DataFrame, metric: str) -> bool:
    return bool((rows["metric"] == metric).any())


def beside(head: str) -> list[str]:
    """Return the heading of the column beside n: the share of positives, patients, or none where there is no room."""
    return {"binary": ["pos"], "multiclass": ["pat"]}.get(head, [])


def line(rows: pd.DataFrame, head: str, shown: list[str], short: bool) -> list[str]:
    """Return a group's cells; `short` leaves the column's name to the header."""
    found: dict[str, Any] = {str(row["metric"]): row for _, row in rows.iterrows()}
    first = next(iter(found.values()))
    beside = {"binary": f"{first.n_positive / first.n:.0%}" if head == "binary" and first.n else str(first.n_clusters)}
    mark = "*" if notes(rows[rows["metric"].isin(shown)]).eq("small sample").any() else ""
    name = str(first.group).partition("=")[2] if short and first.group != "all" else str(first.group)
    second = [beside["binary"]] if beside(head) else []
    cells = [_limits(found) if one == "limits" else cell(found.get(one), _units(one, head)) for one in shown]
    return [name + mark, str(first.n), *second, *cells]


def _units(metric: str, head: str) -> bool:
    return head == "regression" and metric in IN_UNITS


def _limits(found: dict[str, Any]) -> str:
    low, high = found["loa_low"].value, found["loa_high"].value
    if pd.isna(low) or pd.isna(high):
        return "n/a"
    digits = _decimals(max(abs(low), abs(high)))
    return f"{low:.{digits}f} to {high:.{digits}f}"


def _decimals(value: float) -> int:
    return 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3


def notes(rows: pd.DataFrame) -> "pd.Series[str]":
    return rows["note"].str.split("; ").explode()
