"""The cells of the score table for people: a value with its interval, a group's headline metrics."""

from typing import Any

import pandas as pd

from osteon.scoring.registry import IN_UNITS

# Metric -> heading, by head; the first of them are shown where there is no room for all. "limits" are both limits of
# agreement, "within" the share within what the unit counts as near.
HEADLINES = {
    "binary": {"auroc": "AUROC", "kappa": "kappa", "sensitivity": "sensitivity", "specificity": "specificity"},
    "multiclass": {"macro_auroc": "macro AUROC", "kappa": "kappa", "accuracy": "accuracy", "log_loss": "log loss"},
    "ordinal": {
        "quadratic_kappa": "quadr. kappa",
        "accuracy": "accuracy",
        "balanced_accuracy": "balanced acc.",
        "off_by_one": "off by <= 1",
        "mae": "MAE expected",
        "auroc_at_cut": "AUROC at cut",
    },
    "regression": {"mae": "MAE", "rmse": "RMSE", "bias": "bias", "limits": "95 % limits", "within": "within"},
    "multilabel": {
        "auroc": "AUROC",
        "average_precision": "avg. precision",
        "sensitivity": "sensitivity",
        "specificity": "specificity",
    },
    "detection": {
        "map50": "mAP50",
        "lesion_sensitivity": "lesion sens.",
        "fp_per_image": "FP/image",
        "froc": "FROC",
        "map50_95": "mAP50-95",
    },
}
# The column beside n: the share of positives, patients, or true boxes; the other heads have no room for it.
BESIDE = {"binary": "pos", "multiclass": "pat", "detection": "boxes"}


def cell(row: Any, decimals: int | None = None) -> str:
    """Return "0.705 [0.60, 0.80]" of a row with value, lo and hi; "n/a" where the value is missing.

    Args:
        row: a row of the score table, or None.
        decimals: of value and bounds alike; None: three and two.
    """
    if row is None or pd.isna(row.value):
        return "n/a"
    value = f"{row.value:.{3 if decimals is None else decimals}f}"
    if pd.isna(row.lo):
        return value
    bound = 2 if decimals is None else decimals
    return f"{value} [{row.lo:.{bound}f}, {row.hi:.{bound}f}]"


def decimals_in_units(rows: pd.DataFrame) -> int:
    """Return how many decimals give the largest score in the target's unit three figures; one at least."""
    values = rows.loc[rows["metric"].isin(IN_UNITS), "value"].dropna()
    largest = float(values.abs().max()) if len(values) else 0.0
    return 1 if largest >= 10 else 2 if largest >= 1 else 3


def headlines(rows: pd.DataFrame, head: str) -> dict[str, str]:
    """Return the headlines that the rows of a task have; how near counts as near is read from the metric."""
    metrics = list(rows["metric"].unique())
    near = next((name for name in metrics if name.startswith("within_")), "within")
    shown = {near if name == "within" else name: text for name, text in HEADLINES[head].items()}
    shown |= {near: near.replace("_", " ")} if near in shown else {}
    return {name: text for name, text in shown.items() if name in metrics or name == "limits"}


def line(rows: pd.DataFrame, head: str, shown: list[str], short: bool, decimals: int | None = None) -> list[str]:
    """Return a group's cells; `short` leaves the column's name to the header, `decimals` are of scores in a unit."""
    found: dict[str, Any] = {str(row["metric"]): row for _, row in rows.iterrows()}
    first = next(iter(found.values()))
    marked = rows["metric"].isin([*shown, *(("loa_low", "loa_high") if "limits" in shown else ())])
    mark = "*" if notes(rows[marked]).eq("small sample").any() else ""
    name = str(first.group).partition("=")[2] if short and first.group != "all" else str(first.group)
    beside = f"{first.n_positive / first.n:.0%}" if head == "binary" and first.n else str(first.n_clusters)
    if head == "detection":
        beside = str(found["froc"].n_positive)
    cells = [
        _limits(found, decimals) if one == "limits" else cell(found.get(one), decimals if one in IN_UNITS else None)
        for one in shown
    ]
    return [name + mark, str(first.n), *([beside] if head in BESIDE else []), *cells]


def notes(rows: pd.DataFrame) -> "pd.Series[str]":
    """Return the notes of rows, each for itself."""
    return rows["note"].str.split("; ").explode()


def _limits(found: dict[str, Any], decimals: int | None) -> str:
    low, high = found["loa_low"].value, found["loa_high"].value
    return "n/a" if pd.isna(low) or pd.isna(high) else f"{low:.{decimals}f} to {high:.{decimals}f}"
