"""The points of curves over all thresholds, and how far they could lie elsewhere with other patients."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteon.predictions import TaskFacts
from osteon.scoring import bootstrap

Floats = NDArray[np.float64]
POINTS = 2000  # of a curve at most
REPLICATES = 300
GRID = np.linspace(0, 1, 101)


def roc(truth: NDArray[np.int64], matrix: Floats, facts: TaskFacts) -> pd.DataFrame:
    """Return class, fpr and tpr of each class against the others: of the positive one where the head is binary.

    Args:
        truth: (n,) class indices.
        matrix: (n, classes) probabilities.
        facts: of the task; classes that the truth lacks, or that are all of it, have no curve.
    """
    from sklearn.metrics import roc_curve

    parts = []
    for index, name in drawn(truth, facts):
        fpr, tpr, _ = roc_curve(truth == index, matrix[:, index])
        parts.append(_thinned(pd.DataFrame({"class": name, "fpr": fpr, "tpr": tpr})))
    return pd.concat(parts, ignore_index=True)


def precision_recall(truth: NDArray[np.int64], matrix: Floats, facts: TaskFacts) -> pd.DataFrame:
    """Return class, recall and precision, not smoothed, as `roc`."""
    from sklearn.metrics import precision_recall_curve

    parts = []
    for index, name in drawn(truth, facts):
        precision, recall, _ = precision_recall_curve(truth == index, matrix[:, index], drop_intermediate=True)
        parts.append(_thinned(pd.DataFrame({"class": name, "recall": recall, "precision": precision})))
    return pd.concat(parts, ignore_index=True)


def drawn(truth: NDArray[np.int64], facts: TaskFacts) -> list[tuple[int, str]]:
    """Return index and name of the classes that have a curve."""
    first = 1 if facts.head == "binary" else 0
    held = [(index, name) for index, name in enumerate(facts.classes) if index >= first]
    return [(index, name) for index, name in held if 0 < (truth == index).sum() < len(truth)]


def _thinned(curve: pd.DataFrame) -> pd.DataFrame:
    chosen = np.unique(np.linspace(0, len(curve) - 1, min(POINTS, len(curve))).astype(int))
    return curve.iloc[chosen]


def roc_band(
    positive: NDArray[np.bool_], score: Floats, cluster: NDArray[np.intp], seed: int = 0
) -> tuple[Floats, Floats]:
    """Return the 95 % band of the sensitivity at each false positive rate of `GRID`, pointwise.

    Percentiles over draws of whole patients (vertical averaging: Fawcett 2006, Pattern Recognit Lett 27:861).
    """
    order = np.argsort(-score, kind="stable")
    last = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)  # equal scores come together
    hits, where = positive[order], cluster[order]
    found = []
    for weights in bootstrap.draws(int(cluster.max()) + 1, REPLICATES, seed, len(score)):
        given = weights[where]
        tp, fp = (np.cumsum(given * kind[:, None], axis=0)[last] for kind in (hits, ~hits))
        found += [
            np.interp(GRID, *_rates(fp[:, k], tp[:, k])) for k in range(given.shape[1]) if fp[-1, k] and tp[-1, k]
        ]
    low, high = np.quantile(np.array(found), (0.025, 0.975), axis=0)
    return low, high


def _rates(fp: Floats, tp: Floats) -> tuple[Floats, Floats]:
    return np.append(0.0, fp / fp[-1]), np.append(0.0, tp / tp[-1])
