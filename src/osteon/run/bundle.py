"""`model.pt`: weights, task specs, preprocessing and thresholds in plain containers, enough to predict anywhere."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import osteon
from osteon.config import Config
from osteon.identity import redacted
from osteon.model import Model
from osteon.run.checkpoints import save
from osteon.run.prepare import Prepared
from osteon.scoring.thresholds import Threshold


def write_model(
    path: Path, config: Config, prepared: Prepared, model: Model, thresholds: Mapping[str, Threshold]
) -> None:
    """Write the trained model; `torch.load(path, weights_only=True)` reads it and runs no code."""
    content = {
        "osteon": osteon.__version__,
        "source": prepared.sources.kind,
        "model": model.spec(),
        "weights": model.backbone.weights,
        "tasks": redacted(config.model_dump(mode="json"), prepared.sources.places)["tasks"],
        "preprocessing": {
            "image_size": list(prepared.size),
            "letterbox": True,
            "mean": float(model.backbone.mean),
            "std": float(model.backbone.std),
        },
        "thresholds": {name: asdict(threshold) for name, threshold in thresholds.items()},
        "state_dict": {key: value.detach().cpu().contiguous() for key, value in model.state_dict().items()},
    }
    save(content, path)
