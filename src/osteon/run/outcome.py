"""What learning leaves, whatever learned: predictions, the model, and how it went."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from osteon.run.bundle import Learned


@dataclass(frozen=True)
class Outcome:
    """What learning leaves.

    Attributes:
        table: predictions of val and test, one row an image and task.
        model: what was learned.
        training: how it went: epochs, steps, best monitor, device, parameters.
        began: of the monotonic clock, seconds.
        ended: of learning, before the predictions.
    """

    table: pd.DataFrame
    model: Learned
    training: dict[str, Any]
    began: float
    ended: float
