"""What a run leaves: config, manifest, split, rejected rows, predictions, thresholds, result and model."""

import hashlib
import importlib.metadata
import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

import osteon
from osteon.config import Config
from osteon.errors import OsteonError
from osteon.files import aside, write_json, write_text
from osteon.identity import redact_words, redacted
from osteon.manifest import Card
from osteon.run.prepare import Prepared
from osteon.scoring.table import to_records

PACKAGES = (
    "torch",
    "torchvision",
    "timm",
    "pytorch-lightning",
    "hydra-core",
    "albumentations",
    "torchmetrics",
    "monai",
    "pydicom",
    "numpy",
    "pandas",
)


def check_empty(folder: Path) -> None:
    """Refuse a folder that holds another run: files of two runs would be scored as one.

    Raises:
        OsteonError: names the folder and the ways out.
    """
    held = [name for name in ("config.yaml", "result.json", "predictions", "checkpoints") if (folder / name).exists()]
    if held:
        raise OsteonError(
            f"hydra.run.dir: {folder} holds another run ({', '.join(held)}). Go on with it: resume={folder}. Or choose "
            "another folder, or delete this one."
        )


def sweep(folder: Path) -> None:
    """Remove drafts of files that an interrupted process left."""
    for draft in folder.rglob(".*.part"):
        draft.unlink(missing_ok=True)


def write_start(folder: Path, config: Config, prepared: Prepared, overrides: Sequence[str]) -> None:
    """Write what is known before training, so that a run that dies can still be read."""
    import yaml

    places = prepared.sources.places
    said = redacted(config.model_dump(mode="json", exclude={"resume"}), places)
    words = [word for word in overrides if not word.startswith(("resume=", "hydra.run.dir="))]
    write_text(folder / "overrides.txt", "".join(f"{word}\n" for word in redact_words(words, places)))
    write_text(folder / "config.yaml", yaml.safe_dump(said, sort_keys=False))
    with aside(folder / "manifest.parquet") as draft:
        prepared.manifest.to_parquet(draft, index=False)
    with aside(folder / "rejected.csv") as draft:
        prepared.rejected.to_csv(draft, index=False)
    write_json(folder / "split.json", split_facts(config, prepared))


def split_facts(config: Config, prepared: Prepared) -> dict[str, Any]:
    """Return counts, group counts and the sha256 of the sorted image ids of every split."""
    frame = prepared.manifest
    splits = {}
    for name, groups in prepared.groups.items():
        ids = sorted(frame.loc[frame["split"] == name, "image_id"])
        digest = hashlib.sha256("\n".join(ids).encode()).hexdigest()
        splits[name] = {"images": len(ids), "groups": groups, "sha256": digest}
    names = {name: dict(card.split_names) for name, card in prepared.sources.cards.items() if card.split_names}
    data = config.data
    return {
        "kept_together_by": prepared.kept_together,
        "shared_between_splits": 0,
        "split_seed": data.split_seed,
        "fold": data.fold,
        "folds": data.folds,
        "names": names,
        "pixels": prepared.cache.folder.name,
        "splits": splits,
    }


def write_result(folder: Path, facts: Mapping[str, Any], scores: pd.DataFrame) -> None:
    """Write `result.json`: the scores with everything needed to tell where they come from."""
    write_json(folder / "result.json", {**facts, "scores": to_records(scores)})


def result_facts(config: Config, prepared: Prepared, weights: str, training: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `result.json` says beside the scores: source, splits, weights, training, environment."""
    return {
        "source": prepared.sources.kind,
        "datasets": {name: _card(card) for name, card in prepared.sources.cards.items()},
        "tasks": list(config.tasks),
        "backbone": config.backbone.name,
        "weights": weights,
        "image_size": list(prepared.size),
        "seed": config.seed,
        "split": split_facts(config, prepared),
        "rejected": len(prepared.rejected),
        "notes": list(prepared.notes),
        "training": dict(training),
        **environment(redact_words(sys.argv, prepared.sources.places)),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _card(card: Card) -> dict[str, str]:
    return {"title": card.title, "licence": card.licence, "citation": card.citation}


def environment(command: Sequence[str]) -> dict[str, Any]:
    """Return versions, git commit, hardware and the command line."""
    return {
        "osteon": osteon.__version__,
        "python": platform.python_version(),
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
        "git_commit": _git_commit(),
        "hardware": _hardware(),
        "command": " ".join(command),
    }


def _git_commit() -> str | None:
    """Return the commit of the working directory's checkout, `+` where it has changes, null outside one."""
    try:
        run = {"capture_output": True, "text": True, "timeout": 5, "check": True}
        commit = subprocess.run(["git", "rev-parse", "HEAD"], **run).stdout.strip()  # type: ignore[call-overload]
        dirty = subprocess.run(["git", "status", "--porcelain", "-uno"], **run).stdout  # type: ignore[call-overload]
    except (OSError, subprocess.SubprocessError):
        return None
    return f"{commit}{'+' if dirty.strip() else ''}"


def _hardware() -> dict[str, Any]:
    import torch

    gpus = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    return {"machine": platform.machine(), "cpu": _cpu_name(), "cores": os.cpu_count(), "gpus": gpus}


def _cpu_name() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"
