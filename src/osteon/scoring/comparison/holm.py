"""Holm's adjustment of the p values that are read together."""

import numpy as np
import pandas as pd

from osteon.scoring.sample import Floats

FAMILY = ("metric", "operating_point")


def adjusted(table: pd.DataFrame) -> pd.DataFrame:
    """Fill `p_holm` and `test_p_holm`: for a metric at an operating point, over the groups of a task, or over tasks.

    The group "all" of every task is one family, all other groups of a task are another. A family of one keeps its p.
    """
    overall = table["group"] == "all"
    family = table["task"].where(~overall, "")
    keys = [family, overall, *(table[name].fillna("") for name in FAMILY)]
    found = table.copy()
    for name in ("p", "test_p"):
        known = table[name].dropna().astype("float64")
        grouped = known.groupby([key[known.index] for key in keys])
        found[f"{name}_holm"] = grouped.transform(lambda part: holm(part.to_numpy())).astype("Float64")
    return found


def holm(p: Floats) -> Floats:
    """Return (k,) adjusted p values that hold the chance of any false claim among k at the level.

    Holm (1979), Scand J Stat 6:65. Not statsmodels': it collects garbage at every call, 50 ms each of 80 calls.
    """
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    result = np.empty(len(p))
    result[order] = np.minimum(stepped, 1.0)
    return result
