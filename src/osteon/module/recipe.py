"""How a model is trained, as its LightningModule is told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from osteon.config import Optimizer, Scheduler, Training


@dataclass(frozen=True)
class Recipe:
    """How a model is trained.

    Attributes:
        weights: task -> weight of its loss.
        optimizer: what updates the weights.
        scheduler: how the learning rate moves.
        training: mixing, freezing, views at prediction.
        accumulate: parts that a batch is worked through in.
        steps_an_epoch: batches of an epoch.
        run: digest of settings and cohort; checkpoints of another run are refused.
        seed: of the run; torch is reseeded before every training batch, so that a resumed run draws the same.
        covariates: (N, K) float32 of the manifest's rows; None where the model has none.
        squared: tasks whose loss is a squared error.
        hold_norms: whether the backbone's batch norm stays as it came.
    """

    weights: Mapping[str, float]
    optimizer: Optimizer
    scheduler: Scheduler
    training: Training
    accumulate: int
    steps_an_epoch: int
    run: str
    seed: int
    covariates: np.ndarray | None = None
    squared: Sequence[str] = ()
    hold_norms: bool = False
