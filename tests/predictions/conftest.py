"""A small table of predictions to break."""

from typing import Any

import pandas as pd


def rows(**changes: Any) -> pd.DataFrame:
    """Four images, three units, two patients."""
    columns: dict[str, Any] = {
        "task": "mura",
        "split": "test",
        "image_id": list("abcd"),
        "group_id": ["p", "p", "p", "q"],
        "patient_id": ["p", "p", "p", None],
        "unit_id": ["p/1", "p/1", "p/2", "q/1"],
        "dataset": "mura",
        "source": "real",
        "target": [0.0, 0.0, 1.0, 1.0],
        "probability": [0.1, 0.3, 0.8, 1.0],
    }
    return pd.DataFrame(columns | changes)
