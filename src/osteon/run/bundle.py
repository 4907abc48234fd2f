"""`model.pt`: weights, task specs, preprocessing and thresholds in plain containers, enough to predict anywhere."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

import osteon
from osteon.config import Config
from osteon.identity import redacted
from osteon.model import Model
from osteon.run.checkpoints import save
from osteon.run.prepare import Prepared
from osteon.scoring.thresholds import Threshold


@dataclass(frozen=True)
class Learned:
    """What training leaves of a model.

    Attributes:
        spec: plain containers that it is built again from.
        weights: where it started from: the tag of pretrained weights, or "none".
        mean: what is taken from pixels in [0, 1] before they go in.
        std: what they are then divided by.
        state: name -> tensor.
    """

    spec: Mapping[str, Any]
    weights: str
    mean: float
    std: float
    state: Mapping[str, Tensor]


def learned(model: Model) -> Learned:
    """Return what a network has learned."""
    backbone = model.backbone
    return Learned(model.spec(), backbone.weights, float(backbone.mean), float(backbone.std), model.state_dict())


def write_model(
    path: Path, config: Config, prepared: Prepared, model: Learned, thresholds: Mapping[str, Threshold]
) -> None:
    """Write the trained model; `torch.load(path, weights_only=True)` reads it and runs no code."""
    content = {
        "osteon": osteon.__version__,
        "source": prepared.sources.kind,
        "model": dict(model.spec),
        "weights": model.weights,
        "tasks": redacted(config.model_dump(mode="json"), prepared.sources.places)["tasks"],
        "preprocessing": {
            "image_size": list(prepared.size),
            "letterbox": True,
            "mean": model.mean,
            "std": model.std,
        },
        "thresholds": {name: asdict(threshold) for name, threshold in thresholds.items()},
        "state_dict": {key: value.detach().cpu().contiguous() for key, value in model.state.items()},
    }
    save(content, path)
