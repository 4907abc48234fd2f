"""Scores of runs with Kellgren-Lawrence grades when the grade is called in each way, from the same predictions.

python experiments/knee_kl/calls.py runs/knee_distance runs/knee_joint > experiments/knee_kl/results/calls.csv
"""

import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd

from osteon.predictions import read
from osteon.predictions.facts import CALLS
from osteon.scoring.metrics import estimate, metric, sample_of
from osteon.scoring.units import units

TASK, HEAD, SCORES = "knee_kl", "ordinal", ("quadratic_kappa", "accuracy", "balanced_accuracy", "off_by_one")


def scored(run: Path) -> list[dict[str, object]]:
    """Return a row a split and way of calling."""
    rows = []
    for split in ("val", "test"):
        found = read(run / "predictions" / f"{split}.parquet")
        for call in CALLS:
            facts = replace(found.tasks[TASK], call=call)
            sample = sample_of(units(found.frame, facts), facts)
            scores = {name: estimate(metric(name, HEAD), sample, HEAD) for name in SCORES}
            rows.append({"run": run.name, "split": split, "call": call, "n": len(sample.target), **scores})
    return rows


if __name__ == "__main__":
    table = pd.DataFrame([row for run in sys.argv[1:] for row in scored(Path(run))])
    table.to_csv(sys.stdout, index=False, float_format="%.4f")
