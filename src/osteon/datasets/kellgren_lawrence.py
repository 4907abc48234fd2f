"""The Kellgren-Lawrence grade of a knee (Ann Rheum Dis 1957;16:494) and the osteoarthritis that follows from it."""

import pandas as pd

from osteon.manifest.target import Target

GRADES = ("0", "1", "2", "3", "4")
WORDS = (("none", "normal", "healthy"), ("doubtful",), ("minimal", "mild"), ("moderate",), ("severe",))
OSTEOARTHRITIS = 2.0  # the least grade that counts

TARGETS = {
    "kl": Target(
        "Kellgren-Lawrence grade of the knee: 0 none, 1 doubtful narrowing or spurs, 2 minimal (definite spurs), "
        "3 moderate (definite narrowing, several spurs), 4 severe (bone on bone, large spurs)",
        "ordinal",
        GRADES,
    ),
    "oa": Target("radiographic osteoarthritis of the knee: Kellgren-Lawrence grade 2 or more"),
}


def osteoarthritis(kl: pd.Series) -> pd.Series:
    """Return 1.0 from grade 2 on, 0.0 below, null where nobody graded."""
    return (kl >= OSTEOARTHRITIS).astype("float64").where(kl.notna())
