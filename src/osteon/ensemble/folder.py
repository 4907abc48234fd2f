"""The run folder of an ensemble: predictions, thresholds fitted on val, result; written whole or not at all."""

import hashlib
import importlib.metadata
import json
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import osteon
from osteon.ensemble.made import Ensemble
from osteon.ensemble.members import Member
from osteon.ensemble.search import Search
from osteon.errors import OsteonError
from osteon.files import aside, write_json
from osteon.manifest.split_file import MANIFEST
from osteon.predictions import TaskFacts, merge, read, write
from osteon.scoring.sample import Floats
from osteon.scoring.table import score, to_records
from osteon.scoring.thresholds import fit_all, freeze

# What members must agree in for the ensemble to say it.
SHARED = ("cohort", "seed", "fold", "folds")


def check_free(out: Path) -> None:
    """Refuse a folder that holds something, so that nothing is overwritten.

    Raises:
        OsteonError: names the folder and what it holds.
    """
    if out.is_file():
        raise OsteonError(f"--out: {out} is a file. Name a folder that does not exist, such as runs/ensemble.")
    held = sorted(path.name for path in out.iterdir()) if out.is_dir() else []
    if held:
        some = f"{', '.join(held[:4])}{', ...' if len(held) > 4 else ''}"
        raise OsteonError(f"--out: {out} is not empty ({some}). Name a folder that does not exist, or empty this one.")


def write_run(
    made: Ensemble, frame: pd.DataFrame, tasks: Mapping[str, TaskFacts], rule: str, replicates: int
) -> pd.DataFrame:
    """Write the folder and return its score table, made from the written files.

    Raises:
        OsteonError: val cannot give a threshold, or the folder cannot be written.
    """
    run, names = _run_facts(made, rule), _split_names(made, tasks, rule)
    with aside(made.folder) as draft:
        files = [draft / "predictions" / f"{split}.parquet" for split in ("val", "test")]
        for file in files:
            write(file, frame[frame["split"] == file.stem].reset_index(drop=True), tasks, run, names)
        _keep_manifest(made, draft)
        thresholds = fit_all(frame[frame["split"] == "val"], tasks)
        freeze(draft / "thresholds.json", thresholds)
        scores = score(merge([read(file, guess=False) for file in files]), thresholds, replicates=replicates)
        write_json(draft / "result.json", {**_result(made, frame, tasks, rule), "scores": to_records(scores)})
    return scores


def _keep_manifest(made: Ensemble, draft: Path) -> None:
    """Keep what a member knows of the images, the same for all: a competition's file names their folders."""
    for member in made.members:
        file = member.run.folder / MANIFEST
        if file.is_file():
            shutil.copyfile(file, draft / MANIFEST)
            return


def _run_facts(made: Ensemble, rule: str) -> dict[str, Any]:
    told = [member.run.predictions.run for member in made.members]
    same = {key: told[0].get(key) for key in SHARED if all(one.get(key) == told[0].get(key) for one in told)}
    digests = [_digest(member) for member in made.members]
    parts = [rule, sorted(digests), {task: [round(float(w), 12) for w in made.weights[task]] for task in made.weights}]
    settings = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
    return {
        "name": made.folder.name,
        "backbone": f"{rule} of {_counted(made)}: {', '.join(_backbones(made))}",
        "settings": settings,
        **{key: value for key, value in same.items() if value is not None},
    }


def _counted(made: Ensemble) -> str:
    """Return "3", or "2 of 3 (chosen on val)" of a search."""
    count = len(made.members)
    return f"{len(_used(made))} of {count} (chosen on val)" if made.searches else str(count)


def _used(made: Ensemble) -> list[Member]:
    """Return the members that take part in any task."""
    inside = np.any([weights > 0 for weights in made.weights.values()], axis=0)
    return [member for member, takes_part in zip(made.members, inside, strict=True) if takes_part]


def _backbones(made: Ensemble) -> list[str]:
    return list(dict.fromkeys(str(member.run.said("backbone") or member.name) for member in _used(made)))


def _digest(member: Member) -> str:
    """Return the sha256 of a member's answers, so that a result says which predictions it is made of."""
    frame = member.run.predictions.frame.sort_values(["task", "split", "image_id"])
    kept = [name for name in ("task", "split", "image_id", "probability", "probabilities", "value") if name in frame]
    text = frame[kept].to_json(orient="values", double_precision=15)
    return hashlib.sha256(text.encode()).hexdigest()


def _split_names(made: Ensemble, tasks: Mapping[str, TaskFacts], rule: str) -> dict[str, str]:
    """Return what the owners call the splits; of val, what was chosen on it, as its scores are optimistic."""
    first = made.members[0].run.predictions
    chosen = "members chosen here" if made.searches else "weights fitted here" if rule == "weighted" else ""
    names = {f"{task}/{split}": first.split_name(task, split) for task in tasks for split in ("val", "test")}
    for task in tasks if chosen else ():
        own = names[f"{task}/val"]
        names[f"{task}/val"] = chosen if own == "val" else f"{own}, {chosen}"
    return names


def _result(made: Ensemble, frame: pd.DataFrame, tasks: Mapping[str, TaskFacts], rule: str) -> dict[str, Any]:
    results = [member.run.result for member in made.members]
    first = _run_facts(made, rule)
    return {
        "source": "+".join(sorted(set(frame["source"]))),
        "datasets": {name: card for one in results for name, card in one.get("datasets", {}).items()},
        "tasks": list(dict.fromkeys(facts.of or task for task, facts in tasks.items())),
        "backbone": first["backbone"],
        "weights": ", ".join(dict.fromkeys(str(one["weights"]) for one in results if one.get("weights"))) or None,
        "seed": first.get("seed"),
        "notes": list(made.notes),
        "ensemble": {
            "rule": rule,
            "chosen_on": "val" if made.searches or rule == "weighted" else None,
            "members": [
                {"name": one.name, "backbone": one.run.said("backbone"), "seed": one.run.said("seed"),
                 "sha256": _digest(one)} for one in made.members
            ],
            "weights": {task: _weights(made.members, found) for task, found in made.weights.items()},
            "search": {task: _search(made.members, found) for task, found in made.searches.items()},
        },
        "osteon": osteon.__version__,
        "packages": {name: importlib.metadata.version(name) for name in ("numpy", "pandas", "scipy")},
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }  # fmt: skip


def _weights(members: tuple[Member, ...], weights: Floats) -> dict[str, float]:
    return {member.name: float(weight) for member, weight in zip(members, weights, strict=True)}


def _search(members: tuple[Member, ...], found: Search) -> dict[str, Any]:
    """Return what was tried, what val chose, and what choosing on test would have shown."""

    def told(place: int) -> dict[str, Any]:
        names = [member.name for member, inside in zip(members, found.chosen[place], strict=True) if inside]
        plain = {"val": float(found.val[place]), "test": float(found.test[place])}
        return {"members": names} | {key: value if value == value else None for key, value in plain.items()}

    return {
        "metric": found.metric,
        "subsets": len(found.chosen),
        "chosen_on_val": told(found.best),
        "all_members": told(len(found.chosen) - 1),
        "best_single_on_val": told(found.best_single),
        "optimistic_chosen_on_test": told(found.best_on_test),
    }
