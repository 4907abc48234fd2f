"""A floor, end to end: the same data, splits, units and files as a network's run, without a network."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from osteon.audit.ridge import PENALTIES, Fitted, decode, fit
from osteon.config import Config
from osteon.config.monitors import MONITOR
from osteon.manifest.covariates import encode, fit_covariates
from osteon.module import PredictionTable
from osteon.run.bundle import Learned
from osteon.run.choosing import monitor_scores
from osteon.run.facts import predicted_splits
from osteon.run.measure import prediction_table, rehearse
from osteon.run.outcome import Outcome
from osteon.run.prepare import Prepared

SIDE = 32  # px


def fit_floor(config: Config, prepared: Prepared) -> Outcome:
    """Fit ridge regression on train, its penalty chosen on val by each task's own monitor, and predict val and test.

    Features are the 32 x 32 pixels of the letterboxed image, and the covariates that a network would be given.

    Raises:
        OsteonError: units or labels that cannot be scored.
    """
    table = prediction_table(config, prepared)
    rehearse(table)
    began = time.monotonic()
    features = features_of(config, prepared)
    best = {name: _best(name, config, prepared, table, features) for name in config.tasks}
    ended = time.monotonic()
    rows = np.flatnonzero(prepared.manifest["split"].isin(predicted_splits(config)))
    said = {name: {key: values[rows] for key, values in one.columns.items()} for name, one in best.items()}
    training = {
        "epochs": 0,
        "steps": 0,
        "best_monitor": sum(one.score for one in best.values()) / len(best),
        "stopped_early": False,
        "penalty": {name: one.penalty for name, one in best.items()},
        "device": "cpu",
        "parameters": sum(one.fitted.coefficients.size + one.fitted.intercepts.size for one in best.values()),
    }
    return Outcome(table.build(rows, said), _learned(best), training, began, ended)


@dataclass(frozen=True)
class _Best:
    """What does best on val: its penalty, its map, the columns of all rows, its signed score."""

    penalty: float
    fitted: Fitted
    columns: Mapping[str, np.ndarray]
    score: float


def _learned(best: Mapping[str, _Best]) -> Learned:
    state = {f"{name}.coefficients": torch.from_numpy(one.fitted.coefficients) for name, one in best.items()}
    state |= {f"{name}.intercepts": torch.from_numpy(one.fitted.intercepts) for name, one in best.items()}
    spec = {"ridge": {name: {"spread": one.fitted.spread} for name, one in best.items()}}
    return Learned(spec, "none", 0.0, 1.0, state)


def features_of(config: Config, prepared: Prepared) -> np.ndarray:
    """Return (N, 1024 + covariates) float64: pixels in [0, 1], row by row, then the covariates encoded from train."""
    pixels = prepared.cache.pixels()[prepared.manifest["slot"].to_numpy()].reshape(len(prepared.manifest), -1) / 255.0
    train = prepared.manifest[prepared.manifest["split"] == "train"]
    beside = encode(prepared.manifest, fit_covariates(train, config.joined))
    return np.concatenate([pixels, beside.astype(np.float64)], axis=1)


def _best(name: str, config: Config, prepared: Prepared, table: PredictionTable, features: np.ndarray) -> _Best:
    """Return the fit that does best on val; the first of equals."""
    target = prepared.sources.target(name, config.tasks[name])
    train, val = ((prepared.manifest["split"] == split).to_numpy() for split in ("train", "val"))
    facts = {key: fact for key, fact in table.watched.items() if name in (key, fact.of)}
    found = []
    for penalty, one in zip(PENALTIES, fit(features, prepared.targets[name], train, val, target), strict=True):
        columns = decode(one(features), one, target)
        frame = table.build(np.flatnonzero(val), {name: {key: values[val] for key, values in columns.items()}})
        found.append(_Best(penalty, one, columns, monitor_scores(frame, facts, MONITOR)[MONITOR]))
    return max(found, key=lambda one: one.score)
