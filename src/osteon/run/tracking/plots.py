"""The figures of a task on the labelled units of test, as W&B images: the very ones of the run's folder."""

from typing import Any

import pandas as pd

from osteon.figures import About, figures_of
from osteon.figures.style import pixels
from osteon.predictions import TaskFacts
from osteon.scoring.thresholds import Threshold


def plots(task: str, made: pd.DataFrame, facts: TaskFacts, threshold: Threshold | None, source: str) -> dict[str, Any]:
    """Return figures by `<figure>/<task>`, such as `roc/hip_fracture`; none where the labelled units have one outcome.

    Args:
        task: its name.
        made: units of test, as `scoring.units` makes them.
        facts: of the task.
        threshold: frozen on val; without one the protocol's.
        source: `real` or `phantom`.
    """
    import wandb
    from PIL import Image

    cut = None if threshold is None else threshold.value
    found = {}
    for name, figure in figures_of(made, facts, About(task, "test", facts.unit, source), cut).items():
        found[f"{name}/{task}"] = wandb.Image(Image.fromarray(pixels(figure)).convert("RGB"))
    return found
