"""Names of the scores that a task may monitor, known without importing the code that computes them."""

import re

from osteon.errors import OsteonError, nearest

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
    "multiclass": ("macro_auroc", "multiclass_brier", "log_loss", "kappa", "accuracy", "balanced_accuracy"),
    "ordinal": (
        "quadratic_kappa",
        "accuracy",
        "balanced_accuracy",
        "off_by_one",
        "mae",
        "mse",
        "auroc_at_cut",
    ),
    "regression": ("mae", "rmse", "bias", "within_12"),
    "multilabel": ("macro_auroc", "macro_average_precision"),
}


def check_monitor(key: str, name: str, head: str) -> None:
    """Refuse a score that the head does not have; `recall_<k>` is the recall of class k of several.

    Raises:
        OsteonError: names `key`, what was found, the nearest right name and all there are.
    """
    if name in MONITORS[head] or (head in ("multiclass", "ordinal") and re.fullmatch(r"recall_\d+", name)):
        return
    known = ", ".join(MONITORS[head])
    raise OsteonError(f"{key}: a {head} head has no score {name!r}.{nearest(name, MONITORS[head])} It has: {known}")
