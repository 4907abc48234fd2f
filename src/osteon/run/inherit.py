"""`init_from=<run>`: start from the backbone of an earlier run, and from its heads where they answer alike."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from osteon.config import Config
from osteon.errors import OsteonError
from osteon.manifest.split_file import MANIFEST
from osteon.model import Model, head_key

Content = Mapping[str, Any]
WEIGHTS = "model.pt"


def inherit(model: Model, config: Config, manifest: pd.DataFrame) -> tuple[str, ...]:
    """Load the weights of the run that `init_from` names into `model`, and return what was taken, in words.

    Args:
        model: with its covariates joined, not yet fitted to labels.
        config: the run's settings.
        manifest: the run's, split.

    Raises:
        OsteonError: no such run, another architecture or image size, or it has learned from images that this run
            validates or tests on.
    """
    if config.init_from is None:
        return ()
    folder = Path(config.init_from)
    file = folder / WEIGHTS if folder.is_dir() else folder
    content = _read(file)
    _check_same_network(model, content)
    _check_unseen(file.parent / MANIFEST, manifest)
    state: Mapping[str, Tensor] = content["state_dict"]
    taken = _backbone(model, state, content)
    heads, anew = _heads(model, state, content)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()[:12]
    model.backbone.weights = f"run:{file.parent.name}:{digest}"
    said = f"init_from {file.parent.name}: {taken} of the backbone; heads taken: {', '.join(heads) or 'none'}"
    model.backbone.report = said + "".join(f"; {one}" for one in anew)
    return (model.backbone.report,)


def _read(file: Path) -> Content:
    try:
        content = torch.load(file, map_location="cpu", weights_only=True)
        known = {"model", "state_dict", "preprocessing"} <= set(content) and "backbone" in content["model"]
    except FileNotFoundError as fault:
        raise OsteonError(f"init_from: {file} is not there. Name the folder of a finished run: runs/<run>.") from fault
    except Exception as fault:  # torch and pickle have many ways to dislike a file
        raise OsteonError(f"init_from: {file} cannot be read ({type(fault).__name__}). Name another run.") from fault
    if not known:
        raise OsteonError(f"init_from: {file} holds no network of Osteon. Name the folder of a finished run of one.")
    return dict(content)


def _check_same_network(model: Model, content: Content) -> None:
    told, backbone, before = content["model"]["backbone"], model.backbone, content["preprocessing"]
    if told["name"].partition(".")[0] != backbone.name.partition(".")[0]:
        raise OsteonError(
            f"init_from: that run has the backbone {told['name']}, this one {backbone.name}; weights of one "
            f"architecture mean nothing in another. Use backbone=timm backbone.name={told['name']}, or another run."
        )
    scale = [abs(before[key] - getattr(backbone, key)) > 1e-6 for key in ("mean", "std")]
    if any(scale) or told["options"] != dict(model.options):
        raise OsteonError(
            f"init_from: that run's {told['name']} with options {told['options']} is normalised or built otherwise "
            f"than {backbone.name} with {dict(model.options)}. Use backbone.name={told['name']} and the same options."
        )


def _backbone(model: Model, state: Mapping[str, Tensor], content: Content) -> str:
    prefix = "backbone."
    given = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
    own = model.backbone.state_dict()
    unlike = [key for key in own if key in given and given[key].shape != own[key].shape]
    if unlike:
        height, width = content["preprocessing"]["image_size"]
        raise OsteonError(
            f"init_from: {len(unlike)} tensors of that run's backbone have another shape (first: {unlike[0]}, "
            f"{tuple(given[unlike[0]].shape)} against {tuple(own[unlike[0]].shape)}). It was trained at "
            f"{height}x{width} px: use data.image_size=[{height},{width}]."
        )
    missing, ignored = model.backbone.load_state_dict(given, strict=False)
    found = f"{len(own) - len(missing)} of {len(own)} tensors"
    return found + _some(", missing", missing) + _some(", ignored", ignored)


def _heads(model: Model, state: Mapping[str, Tensor], content: Content) -> tuple[list[str], list[str]]:
    """Load heads of the same task, spec and shape; return their names, and why others were made anew."""
    spec, taken, anew = model.spec()["tasks"], list[str](), list[str]()
    for task, head in model.heads_by_task.items():
        before = content["model"]["tasks"].get(task)
        prefix = f"heads.{head_key(task)}."
        given = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
        own = head.state_dict()
        if before is None:
            anew.append(f"{task} made anew: that run has no such task")
        elif before != spec[task]:
            anew.append(f"{task} made anew: its head or target is described otherwise there")
        elif {key: value.shape for key, value in given.items()} != {key: value.shape for key, value in own.items()}:
            anew.append(f"{task} made anew: its shape differs (other covariates)")
        else:
            head.load_state_dict(given)
            taken.append(task)
    gone = sorted(set(content["model"]["tasks"]) - set(spec))
    return taken, [*anew, *([f"left there: {', '.join(gone)}"] if gone else [])]


def _check_unseen(file: Path, manifest: pd.DataFrame) -> None:
    """Refuse weights that have learned from patients whom this run validates or tests on."""
    if not file.is_file():
        return
    before = pd.read_parquet(file, columns=["group_id", "patient_id", "split"])
    learned = _people(before[before["split"] == "train"])
    for split in ("test", "val"):
        shared = _people(manifest[manifest["split"] == split]) & learned
        if shared:
            raise OsteonError(
                f"init_from: that run has learned from {len(shared):,} patients (groups) of this run's {split} (first: "
                f"{min(shared)}), so the scores would be of images it knows. Split alike: the same data.split_seed, "
                f"data.fold and fractions and the same labels, or its own split: data.split_file={file.parent}"
            )


def _people(rows: pd.DataFrame) -> set[str]:
    """Return patients and groups alike: a group's name changes where another dataset holds a copy of its image."""
    return set(rows["group_id"]) | set("patient:" + rows["patient_id"].dropna().astype("str"))


def _some(words: str, keys: list[str]) -> str:
    return f"{words} {len(keys)} ({', '.join(keys[:3])}{', ...' if len(keys) > 3 else ''})" if keys else ""
