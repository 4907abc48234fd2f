"""Names of the scores that a task may monitor and of its rules, known without importing the code behind them."""

import re

from osteon.errors import OsteonError, nearest

# What the best epoch is chosen by, whatever is monitored: higher is better.
MONITOR = "val/monitor"
# A test holds these against the registry in osteon.scoring.metrics; importing that takes half a second (pandas).
MONITORS = {
    "binary": (
        "auroc",
        "average_precision",
        "brier",
        "ece",
        "kappa",
        "sensitivity",
        "specificity",
        "ppv",
        "npv",
        "accuracy",
        "balanced_accuracy",
        "f1",
    ),
    "multiclass": (
        "macro_auroc",
        "multiclass_brier",
        "log_loss",
        "kappa",
        "accuracy",
        "balanced_accuracy",
        "top2",
        "top3",
    ),
    "ordinal": (
        "quadratic_kappa",
        "accuracy",
        "balanced_accuracy",
        "off_by_one",
        "mae",
        "mse",
        "class_mae",
        "class_mse",
        "auroc_at_cut",
    ),
    "regression": ("mae", "rmse", "within_12", "pearson", "r2"),
    "detection": (
        "map50",
        "map50_95",
        "froc",
        *(f"froc_{rate}" for rate in ("0.125", "0.25", "0.5", "1", "2", "4", "8")),
        "lesion_sensitivity",
    ),
    "multilabel": ("macro_auroc", "macro_average_precision"),
}


def check_monitor(key: str, name: str, head: str) -> None:
    """Refuse a score that the head does not have.

    `recall_<k>` is the recall of class k of several, `within_<k>` the share of answers at most k of the unit off,
    `ap50_<class>` the average precision of a class of boxes.

    Raises:
        OsteonError: names `key`, what was found, the nearest right name and all there are.
    """
    families = {"multiclass": r"recall_\d+", "ordinal": r"recall_\d+", "regression": r"within_\d+"}
    family = (families | {"detection": r"ap50_.+"}).get(head)
    if name in MONITORS[head] or (family and re.fullmatch(family, name)):
        return
    known = ", ".join(MONITORS[head])
    raise OsteonError(f"{key}: a {head} head has no score {name!r}.{nearest(name, MONITORS[head])} It has: {known}")


def check_rule(key: str, rule: str, head: str) -> None:
    """Refuse a rule of the frozen threshold that is of boxes where the head has none, and the other way round.

    Raises:
        OsteonError: names `key`, what was found and what was expected.
    """
    of_boxes = rule == "max_f1" or rule.startswith("fp_")
    if of_boxes != (head == "detection"):
        expected = "max_f1 or fp_<x>" if head == "detection" else "youden, max_kappa, sens_<x> or spec_<x>"
        raise OsteonError(f"{key}: {rule!r} is no rule of a {head} head. Expected {expected}.")
    if rule.startswith("fp_") and not float(rule.removeprefix("fp_")) > 0:
        raise OsteonError(f"{key}: {rule!r} allows no false positive an image. Expected fp_<x> with x above 0.")
