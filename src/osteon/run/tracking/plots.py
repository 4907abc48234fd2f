"""Curves over all thresholds and confusion at one, on the labelled units of test, as W&B's own charts.

`wandb.plot.roc_curve` is not used: where a class is missing in the truth it takes another class's column, and its
precision is smoothed.
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteon.predictions import TaskFacts
from osteon.scoring.thresholds import Threshold
from osteon.scoring.units import scores

_CHART = "wandb/area-under-curve/v0"
POINTS = 2000  # of a class's curve at most


def plots(task: str, made: pd.DataFrame, facts: TaskFacts, threshold: Threshold | None) -> dict[str, Any]:
    """Return ROC, precision-recall and confusion by name; none where the labelled units have one outcome.

    Of a regression: what was said against the truth.

    Args:
        task: its name.
        made: units of test, as `scoring.units` makes them.
        facts: of the task.
        threshold: frozen on val; without one the protocol's.
    """
    from wandb import plot

    made = made[made["target"].notna()]
    if made["target"].nunique() < 2:
        return {}
    if facts.head == "regression":
        return {f"said/{task}": _said(made, f"{task}, test, by {facts.unit}: {facts.unit_name or 'value'}")}
    truth, share = made["target"].to_numpy(np.int64), scores(made, facts)
    matrix = np.column_stack([1 - share, share]) if facts.head == "binary" else share
    cut = facts.protocol_threshold if threshold is None else threshold.value
    call = (share > cut).astype(np.int64) if facts.head == "binary" else share.argmax(1)
    unit = f"{task}, test, by {facts.unit}"
    return {
        f"roc/{task}": _chart(roc(truth, matrix, facts), "fpr", "tpr", f"ROC: {unit}"),
        f"precision_recall/{task}": _chart(
            precision_recall(truth, matrix, facts), "recall", "precision", f"Precision and recall: {unit}"
        ),
        f"confusion/{task}": plot.confusion_matrix(
            y_true=truth.tolist(), preds=call.tolist(), class_names=list(facts.classes), title=f"Confusion: {unit}"
        ),
    }


def _said(made: pd.DataFrame, title: str) -> Any:
    import wandb

    pairs = made[["target", "value"]].rename(columns={"target": "truth", "value": "said"})
    table = wandb.Table(columns=list(pairs.columns), data=pairs.to_numpy(dtype=object))
    return wandb.plot.scatter(table, "truth", "said", title)


def roc(truth: NDArray[np.int64], matrix: NDArray[np.float64], facts: TaskFacts) -> pd.DataFrame:
    """Return class, fpr and tpr of each class against the others: of the positive one where the head is binary.

    Args:
        truth: (n,) class indices.
        matrix: (n, classes) probabilities.
        facts: of the task; classes that the truth lacks, or that are all of it, have no curve.
    """
    from sklearn.metrics import roc_curve

    parts = []
    for index, name in _drawn(truth, facts):
        fpr, tpr, _ = roc_curve(truth == index, matrix[:, index])
        parts.append(_thinned(pd.DataFrame({"class": name, "fpr": fpr, "tpr": tpr})))
    return pd.concat(parts, ignore_index=True)


def precision_recall(truth: NDArray[np.int64], matrix: NDArray[np.float64], facts: TaskFacts) -> pd.DataFrame:
    """Return class, recall and precision, not smoothed, as `roc`."""
    from sklearn.metrics import precision_recall_curve

    parts = []
    for index, name in _drawn(truth, facts):
        precision, recall, _ = precision_recall_curve(truth == index, matrix[:, index], drop_intermediate=True)
        parts.append(_thinned(pd.DataFrame({"class": name, "recall": recall, "precision": precision})))
    return pd.concat(parts, ignore_index=True)


def _drawn(truth: NDArray[np.int64], facts: TaskFacts) -> list[tuple[int, str]]:
    first = 1 if facts.head == "binary" else 0
    return [(index, name) for index, name in enumerate(facts.classes) if index >= first and (truth == index).any()]


def _thinned(curve: pd.DataFrame) -> pd.DataFrame:
    chosen = np.unique(np.linspace(0, len(curve) - 1, min(POINTS, len(curve))).astype(int))
    return curve.iloc[chosen]


def _chart(curve: pd.DataFrame, x: str, y: str, title: str) -> Any:
    import wandb

    table = wandb.Table(columns=list(curve.columns), data=curve.to_numpy(dtype=object))
    text = {"title": title, "x-axis-title": x, "y-axis-title": y}
    return wandb.plot_table(_CHART, table, {"x": x, "y": y, "class": "class"}, text)
