"""Which weights a backbone starts from: none, timm's, or a file. Never others than asked for."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import huggingface_hub
import timm
from huggingface_hub.errors import HfHubHTTPError

from osteon.config import Backbone
from osteon.errors import OsteonError

TIMEOUT = 10.0  # seconds to wait for a server's answer
SUFFIXES = (".safetensors", ".pth", ".pt", ".bin")
WAYS_OUT = (
    "Ways out: backbone.pretrained_path=<file> with weights you have; HF_HUB_OFFLINE=1 with a hub cache filled on "
    "another machine (HF_HOME); backbone.pretrained=false to train from scratch."
)


@dataclass(frozen=True)
class Weights:
    """Where weights come from.

    Attributes:
        tag: what stands in result.json: "none", "densenet121.ra_in1k" or "file:<name>:<first 12 of sha256>".
        arguments: what timm.create_model is told.
    """

    tag: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


def choose_weights(spec: Backbone, cfg: Mapping[str, Any], pretrained: bool) -> Weights:
    """Decide on the weights and make sure, before anything is built, that they can be had.

    Raises:
        OsteonError: contradictory keys, no such file, no such weights, or no way to fetch them.
    """
    if spec.pretrained_path is not None:
        if spec.pretrained is False:
            raise OsteonError("backbone: pretrained=false and a pretrained_path contradict each other. Drop one.")
        return _from_file(Path(spec.pretrained_path).expanduser())
    if not pretrained:
        return Weights("none", {"pretrained": False})
    if not (cfg.get("hf_hub_id") or cfg.get("url")):
        _refuse_without_weights(spec.name)
    tag = ".".join(part for part in (cfg["architecture"] or spec.name.partition(".")[0], cfg.get("tag")) if part)
    if cfg.get("hf_hub_id"):
        _reach_hub(tag, cfg)
    return Weights(tag, {"pretrained": True})


def _from_file(path: Path) -> Weights:
    if not path.is_file():
        raise OsteonError(f"backbone.pretrained_path: no file at {path}. Expected one of {', '.join(SUFFIXES)}.")
    if path.suffix.lower() not in SUFFIXES:
        raise OsteonError(f"backbone.pretrained_path: {path.name} is not one of {', '.join(SUFFIXES)}.")
    with path.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    overlay = {"file": str(path), "custom_load": False}
    return Weights(f"file:{path.name}:{digest[:12]}", {"pretrained": True, "pretrained_cfg_overlay": overlay})


def _refuse_without_weights(name: str) -> None:
    stem = name.split(".")[0].split("_")[0]
    others = timm.list_models(f"{stem}*", pretrained=True)[:5]
    hint = f" Relatives with weights: {', '.join(others)}." if others else ""
    raise OsteonError(f"backbone.name: timm has no pretrained weights for {name!r}.{hint} {WAYS_OUT}")


def _reach_hub(tag: str, cfg: Mapping[str, Any]) -> None:
    """Ask the hub once whether it is there: its own client tries for 46 s before it gives up (measured)."""
    repository, _, revision = cfg["hf_hub_id"].partition("@")
    names = [cfg["hf_hub_filename"]] if cfg.get("hf_hub_filename") else ["model.safetensors", "pytorch_model.bin"]
    for name in names:
        if isinstance(huggingface_hub.try_to_load_from_cache(repository, name, revision=revision or None), str):
            return
    address = huggingface_hub.hf_hub_url(repository, names[0], revision=revision or None)
    try:
        huggingface_hub.get_hf_file_metadata(address, timeout=TIMEOUT)
    except HfHubHTTPError:
        return  # it answered; timm knows what to ask for next
    except Exception as fault:  # the client's own network errors change class between releases
        raise OsteonError(
            f"backbone.pretrained: the weights {tag} could not be fetched from the hub ({short(fault)}). {WAYS_OUT}"
        ) from fault


def short(fault: Exception) -> str:
    """Return what a library said, on one line of at most 300 characters."""
    text = " ".join(str(fault).split()) or type(fault).__name__
    return text if len(text) <= 300 else f"{text[:300]}..."
