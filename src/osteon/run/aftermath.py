"""What every run ends with beside its scores: an audit, calibration and figures, each from the run's own files."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from osteon.audit import MARGINS, Audited, audit_run
from osteon.audit.features import measured_rows
from osteon.audit.run import empty
from osteon.errors import OsteonError
from osteon.figures import draw_run
from osteon.files import aside
from osteon.images import margins
from osteon.predictions import Predictions
from osteon.run.prepare import Prepared
from osteon.scoring.calibrated import calibrate_run
from osteon.scoring.calibrated.run import CALIBRATION, TEMPERATURES
from osteon.scoring.calibrated.temperature import frozen
from osteon.scoring.thresholds import Threshold


def examine(
    folder: Path, prepared: Prepared, written: Predictions, thresholds: Mapping[str, Threshold], replicates: int
) -> Audited:
    """Write `margins.parquet`, `audit.csv`, `calibration.json` and `figures/`, and return the audit.

    A fault of the audit is a note of it, and costs no trained model.

    Args:
        folder: of the run, with its predictions.
        prepared: what it was trained on.
        written: its predictions of val and test, as they were read back.
        thresholds: frozen on val.
        replicates: bootstrap replicates behind an interval.
    """
    write_margins(folder, prepared)
    try:
        audited = audit_run(folder, written, thresholds, replicates=replicates)
    except OsteonError as fault:
        audited = Audited(empty(), (), (f"no audit: {fault}",))
    audited.write(folder)
    found = calibrate_run(written, thresholds, frozen(folder / TEMPERATURES), replicates=replicates, strict=False)
    found.write(folder / CALIBRATION)
    draw_run(folder, written, thresholds, found.tasks, audited.table)
    return audited


def write_margins(folder: Path, prepared: Prepared) -> None:
    """Write size and margin of the films of train and test, all that an audit needs of pixels."""
    rows = measured_rows(prepared.manifest)
    slots = prepared.manifest["slot"].to_numpy()[rows]
    ids = prepared.manifest["image_id"].iloc[rows].reset_index(drop=True)
    with aside(folder / MARGINS) as draft:
        pd.concat([ids, margins(prepared.cache, slots)], axis=1).to_parquet(draft, index=False)
