"""What is done about rare classes: counted on train labels only, and said in the result."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from osteon.config.training import Training
from osteon.errors import OsteonError
from osteon.heads import Emphasis

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Balance:
    """The measures of a run, in numbers.

    Attributes:
        emphasis: task -> what its loss weighs more; only tasks with `pos_weight` or `focal`.
        row_weights: (N,) how often a manifest row is drawn, relative to the others, 0 outside train; None: each once.
        facts: task -> counts and weights in plain JSON, for result.json; empty where nothing is done.
    """

    emphasis: dict[str, Emphasis]
    row_weights: Floats | None
    facts: dict[str, dict[str, Any]]


def balance(
    training: Training,
    classes: Mapping[str, int],
    targets: Mapping[str, npt.NDArray[np.floating]],
    train: npt.NDArray[np.bool_],
) -> Balance:
    """Turn the measures that `training` names into weights.

    Args:
        training: what is asked for.
        classes: task -> number of classes (binary, multilabel: 2).
        targets: task -> (N,) class index of every manifest row, NaN where absent; of a multilabel task (N, labels).
        train: (N,) rows that are trained on; no other row's label is looked at.

    Raises:
        OsteonError: a class to be balanced has no train row.
    """
    emphasis: dict[str, Emphasis] = {}
    facts: dict[str, dict[str, Any]] = {}
    drawn: list[Floats] = []
    for task, number in classes.items():
        measures = training.measures(task)
        if not measures:
            continue
        if targets[task].ndim > 1:
            emphasis[task], facts[task] = _of_labels(training, task, targets[task][train])
            continue
        labels = np.where(train, targets[task], np.nan)
        counts = _counts(labels, number)
        said: dict[str, Any] = {"measures": list(measures), "train_rows": counts.tolist()}
        if "sampler" in measures:
            said["draw_weights"] = inverse_frequency(counts, task)
            drawn.append(_row_weights(labels, said["draw_weights"]))
        if "pos_weight" in measures or "focal" in measures:
            emphasis[task] = asked = _emphasis(training, task, counts)
            said |= {"class_weights": list(asked.class_weights) if asked.class_weights else None}
            said |= {"focal_gamma": asked.gamma, "focal_alpha": asked.alpha}
        facts[task] = said
    return Balance(emphasis, _mean(drawn, train) if drawn else None, facts)


def _of_labels(training: Training, task: str, labels: npt.NDArray[np.floating]) -> tuple[Emphasis, dict[str, Any]]:
    """Return what weighs more in a multilabel task: each label is counted for itself, like a binary task's."""
    measures = training.measures(task)
    counts = [_counts(column, 2) for column in labels.T]
    positive = tuple(loss_weights(count, task)[1] for count in counts) if "pos_weight" in measures else None
    said: dict[str, Any] = {"measures": list(measures), "train_rows": [count.tolist() for count in counts]}
    said["positive_weights"] = list(positive) if positive else None
    gamma, alpha = (training.focal_gamma, training.focal_alpha) if "focal" in measures else (0.0, None)
    asked = Emphasis(None, gamma, alpha, positive)
    return asked, said | {"focal_gamma": asked.gamma, "focal_alpha": asked.alpha}


def inverse_frequency(counts: npt.NDArray[np.int64], task: str) -> list[float]:
    """Return n / (K n_k) for each of K classes of n_k rows, n in all: every class weighs alike, the mean row 1.

    Raises:
        OsteonError: a class without rows; names `task`.
    """
    _check(counts, task)
    return [float(weight) for weight in counts.sum() / (len(counts) * counts)]


def loss_weights(counts: npt.NDArray[np.int64], task: str) -> tuple[float, ...]:
    """Return the classes' factors in the loss: of two, 1 and negatives / positives; of more, `inverse_frequency`.

    Two classes follow torch's `pos_weight`, whose mean over the rows is 2 negatives / n rather than 1.

    Raises:
        OsteonError: a class without rows; names `task`.
    """
    _check(counts, task)
    return (1.0, float(counts[0] / counts[1])) if len(counts) == 2 else tuple(inverse_frequency(counts, task))


def _emphasis(training: Training, task: str, counts: npt.NDArray[np.int64]) -> Emphasis:
    measures = training.measures(task)
    weights = loss_weights(counts, task) if "pos_weight" in measures else None
    if "focal" not in measures:
        return Emphasis(weights)
    return Emphasis(weights, training.focal_gamma, training.focal_alpha)


def _counts(labels: npt.NDArray[np.floating], classes: int) -> npt.NDArray[np.int64]:
    return np.bincount(labels[~np.isnan(labels)].astype(np.int64), minlength=classes)


def _check(counts: npt.NDArray[np.int64], task: str) -> None:
    if not counts.all():
        raise OsteonError(
            f"training.imbalance: class {int(np.argmin(counts))} of task {task} has no train row (rows by class: "
            f"{counts.tolist()}), so no weight makes up for it. Use training.imbalance=none or focal, or another split."
        )


def _row_weights(labels: Floats, weights: list[float]) -> Floats:
    """Return each row's class weight (N,), NaN where unlabelled."""
    known = ~np.isnan(labels)
    result = np.full(len(labels), np.nan)
    result[known] = np.array(weights)[labels[known].astype(np.int64)]
    return result


def _mean(drawn: list[Floats], train: npt.NDArray[np.bool_]) -> Floats:
    """Return the mean over the tasks that label a row; 1, the mean row's weight, where none of them does."""
    stacked = np.stack(drawn)
    labelled = (~np.isnan(stacked)).sum(axis=0)
    mean = np.where(labelled > 0, np.nansum(stacked, axis=0) / np.maximum(labelled, 1), 1.0)
    return np.where(train, mean, 0.0)
