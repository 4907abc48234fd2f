"""The prediction file of the MURA competition, and the scorer's number computed from that file.

One line a study, no header: its folder as `valid_labeled_studies.csv` writes it, with a slash at its end, a comma, and
1 (abnormal) or 0. The competition is closed; its public valid set can still be scored.
"""

import csv
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from osteon.errors import OsteonError
from osteon.files import aside
from osteon.predictions import Predictions, TaskFacts
from osteon.scoring.metrics import METRICS, estimate, sample_of
from osteon.scoring.runs import Run, load
from osteon.scoring.sheets import Sheet
from osteon.scoring.show import WIDTH, rich_table
from osteon.scoring.units import scores, units

DATASET = "mura"
ROOT = "MURA-v1.1"
_STUDY = re.compile(r"^(?P<folder>(?:valid|test)/XR_(?P<part>[A-Z]+)/patient\w+/study\d+\w*)/[^/]+$")


def export(folder: Path, out: Path, task: str | None = None) -> pd.DataFrame:
    """Write the competition's file of a run.

    Args:
        folder: of a finished run on MURA.
        out: the file to write.
        task: which, where several of the run's tasks are of MURA.

    Returns:
        What the file scores, read back from it: `group` ("all" or the body part), `n`, `n_positive`, `kappa`. Studies
         without a label are written and not scored. `attrs["source"]` is real or phantom.

    Raises:
        OsteonError: the run is not of MURA, its answers are not one a study, its test is not the public valid set or
            the hidden test, or its manifest lacks an image that it predicts.
    """
    run = load(folder)
    name = _task(run, task)
    facts = run.predictions.tasks[name]
    frame = run.predictions.frame
    frame = frame[(frame["task"] == name) & (frame["split"] == "test")]
    known = _studies(folder, frame)
    table = units(frame, facts).merge(known, on="unit_id", validate="one_to_one")
    table = table.sort_values("place", ignore_index=True)
    called = (scores(table, facts) > facts.protocol_threshold).astype(int)
    with aside(out) as draft, draft.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle, lineterminator="\n").writerows(zip(table["folder"], called, strict=True))
    found = score_file(out, table)
    found.attrs["source"] = "+".join(sorted(set(frame["source"])))
    return found


def score_file(file: Path, truth: pd.DataFrame) -> pd.DataFrame:
    """Return Cohen's kappa of a file of the competition, overall and by body part.

    Args:
        file: as the competition wants it.
        truth: studies with their `folder`, `target` (NaN where nobody looked), `unit_id`, `group_id` and `part`.

    Raises:
        OsteonError: a line is no study and 0 or 1, or the file's studies are not those of `truth`.
    """
    calls = _calls(file)
    if set(calls) != set(truth["folder"]):
        some = sorted(set(calls) ^ set(truth["folder"]))
        raise OsteonError(f"{file}: not the studies of the test, {len(some)} differ, first {some[0]}.")
    table = truth.assign(probability=[float(calls[folder]) for folder in truth["folder"]])
    parts = {"all": table} | {str(part): rows for part, rows in table.groupby("part", sort=True)}
    return pd.DataFrame([{"group": name, **_kappa(rows)} for name, rows in parts.items()])


def show_export(found: pd.DataFrame, out: Path, console: Any) -> None:
    """Print what a file scores."""
    stamp = "PHANTOM · " if "phantom" in found.attrs.get("source", "") else ""
    rows = []
    for row in found.to_dict("records"):
        kappa = "n/a" if pd.isna(row["kappa"]) else f"{row['kappa']:.3f}"
        rows.append([str(row["group"]), f"{row['n']:,}", f"{row['n_positive']:,}", kappa])
    title = f"{stamp}kappa of {out.name}, study mean above 0.5"
    sheet = Sheet(title, "", ["group", "n", "abnormal", "kappa"], rows, 3)
    console.print(rich_table(sheet, 4, False, console.encoding), width=min(console.width, WIDTH))
    console.print(f"written: {out}", markup=False, highlight=False)


def _task(run: Run, asked: str | None) -> str:
    told = run.predictions
    ours = [name for name in told.tasks if set(_datasets(told, name)) == {DATASET}]
    if (asked or next(iter(ours), None)) not in ours:
        held = ", ".join(f"{name} ({', '.join(_datasets(told, name)) or 'no row'})" for name in told.tasks)
        what = f"task {asked} is not" if asked else "no task is"
        raise OsteonError(
            f"{run.folder}: {what} of MURA; tasks and their datasets: {held}. Export a run on MURA's studies."
        )
    name = asked or (ours[0] if len(ours) == 1 else "")
    if not name:
        raise OsteonError(f"{run.folder}: {len(ours)} tasks are of MURA: {', '.join(ours)}. Choose one with --task.")
    _check_facts(run.folder, name, told.tasks[name])
    return name


def _datasets(told: Predictions, name: str) -> list[str]:
    frame = told.frame
    return sorted(set(frame.loc[(frame["task"] == name) & (frame["split"] == "test"), "dataset"]))


def _check_facts(folder: Path, name: str, facts: TaskFacts) -> None:
    if facts.head != "binary" or facts.unit != "study":
        raise OsteonError(
            f"{folder}: task {name} has head {facts.head}, one answer a {facts.unit}; the competition "
            "wants 0 or 1 a study."
        )


def _studies(folder: Path, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the folder of each study as the competition writes it: unit_id, folder, part, place in its list."""
    file = folder / "manifest.parquet"
    if not file.is_file():
        raise OsteonError(
            f"{folder}: no manifest.parquet, which knows the studies' folders. Restore it, or train again."
        )
    try:
        manifest = pd.read_parquet(file, columns=["image_id", "path"])
    except (OSError, ValueError) as fault:
        raise OsteonError(f"{file}: not a readable manifest ({fault}). Restore it, or train again.") from fault
    manifest = manifest.assign(place=np.arange(len(manifest)))
    rows = frame[["image_id", "unit_id"]].merge(manifest, on="image_id", how="left", validate="one_to_one")
    if rows["path"].isna().any():
        raise OsteonError(
            f"{file}: lacks image {rows.loc[rows['path'].isna(), 'image_id'].iloc[0]} that the run predicts."
        )
    parsed = rows["path"].astype(str).str.extract(_STUDY)
    if parsed["folder"].isna().any():
        first = rows.loc[parsed["folder"].isna(), "path"].iloc[0]
        raise OsteonError(
            f"{file}: path {first!r} is none of valid/ or test/: the competition scores these alone. Train with MURA's "
            "valid set in place."
        )
    rows = rows.assign(folder=ROOT + "/" + parsed["folder"] + "/", part=parsed["part"].str.lower())
    found = rows.groupby("unit_id", sort=False).agg(
        folder=("folder", "first"), part=("part", "first"), place=("place", "min")
    )
    if rows.groupby("unit_id")["folder"].nunique().max() > 1 or found["folder"].duplicated().any():
        raise OsteonError(
            f"{file}: a study lies in several folders, or a folder holds several studies. Restore the manifest."
        )
    return found.reset_index()


def _calls(file: Path) -> dict[str, int]:
    calls: dict[str, int] = {}
    with file.open(encoding="utf-8", newline="") as handle:
        for row, line in enumerate(csv.reader(handle), 1):
            if len(line) != 2 or line[1] not in ("0", "1") or not line[0].endswith("/") or line[0] in calls:
                raise OsteonError(
                    f"{file}: row {row}: {','.join(line)!r}, expected a study's folder, a comma and 0 or 1, once."
                )
            calls[line[0]] = int(line[1])
    return calls


def _kappa(rows: pd.DataFrame) -> dict[str, Any]:
    sample = sample_of(rows, TaskFacts(unit="study"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of one class alone: 0, as everywhere
        kappa = estimate(METRICS["kappa"], sample, "binary")
    return {"n": len(sample.target), "n_positive": int(sample.target.sum()), "kappa": kappa}
