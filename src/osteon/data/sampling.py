"""How often the rows of each task are drawn, where several are trained together."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from osteon.config import Data
from osteon.errors import OsteonError

Floats = npt.NDArray[np.float64]


def shares(counts: Mapping[str, int], data: Data) -> dict[str, float]:
    """Return the share of the draws that each task gets; they add up to 1.

    `proportional`: as many as it has rows. `balanced`: all alike. `temperature`: rows ** (1 / T), which is the first at
    T = 1 and nears the second as T grows (Arivazhagan 2019, who sampled languages so).

    Args:
        counts: task -> its labelled train rows.
        data: `sampling` and `temperature`.
    """
    power = {"proportional": 1.0, "balanced": 0.0, "temperature": 1.0 / data.temperature}[data.sampling]
    sizes = {task: float(count) ** power for task, count in counts.items()}
    return {task: size / sum(sizes.values()) for task, size in sizes.items()}


def labelled(targets: Mapping[str, np.ndarray], rows: np.ndarray) -> dict[str, npt.NDArray[np.bool_]]:
    """Return of every task which of `rows` (n,) carry a label of it, (n,) bool."""
    return {task: (~np.isnan(values[rows])).reshape(len(rows), -1).any(axis=1) for task, values in targets.items()}


def row_weights(known: Mapping[str, npt.NDArray[np.bool_]], parts: Mapping[str, float], weights: Floats) -> Floats:
    """Return how often each of n rows is drawn: of every task its share of the draws, shared out among its rows.

    A row with the labels of several tasks is drawn for each of them.

    Args:
        known: task -> (n,) whether the row carries its label.
        parts: task -> its share of the draws.
        weights: (n,) how often a row is drawn relative to the others of its task.
    """
    found = np.zeros(len(weights))
    for task, mine in known.items():
        own = np.where(mine, weights, 0.0)
        found += parts[task] * own / own.sum() if own.any() else 0.0
    return found


def sizes(parts: Mapping[str, float], batch_size: int, least: int) -> list[int]:
    """Return the images of each task in a batch of `batch_size`, by largest remainders, none below `least`.

    Raises:
        OsteonError: a batch too small for `least` images a task.
    """
    if batch_size < least * len(parts):
        raise OsteonError(
            f"data.batch_size: found {batch_size}, but data.batching=per_task needs {least} images or more for each of "
            f"{len(parts)} tasks. Use data.batch_size={least * len(parts)} or more."
        )
    free = batch_size - least * len(parts)
    wanted = np.maximum(np.array(list(parts.values())) * batch_size - least, 0.0)
    wanted *= free / max(wanted.sum(), 1e-12)
    whole = np.floor(wanted + 1e-9).astype(int)
    for place in np.argsort(whole - wanted, kind="stable")[: free - int(whole.sum())]:
        whole[place] += 1
    return [least + int(number) for number in whole]
