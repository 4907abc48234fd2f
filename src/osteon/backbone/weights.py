"""Which weights a backbone starts from: none, timm's, or a file. Never others than asked for."""

import hashlib
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import huggingface_hub
import timm
from huggingface_hub.errors import HfHubHTTPError
from torch import Tensor, nn

from osteon.config.schema import Backbone
from osteon.errors import OsteonError

TIMEOUT = 10.0  # seconds to wait for a server's answer
ENOUGH = 0.9  # share of a network's numbers that weights must provide
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


class Loading:
    """Watches timm load weights, to say what of them fitted: timm itself only logs it."""

    def __init__(self, name: str, weights: Weights) -> None:
        self._name, self._weights = name, weights
        self._missing: list[str] | None = None
        self._ignored: list[str] = []

    def __enter__(self) -> Self:
        self._original, self._timeout = nn.Module.load_state_dict, socket.getdefaulttimeout()
        socket.setdefaulttimeout(TIMEOUT)  # torch.hub opens addresses without one

        def load(module: nn.Module, state: Mapping[str, Any], *rest: Any, **named: Any) -> Any:
            result = self._original(module, state, *rest, **named)
            self._missing, self._ignored = list(result.missing_keys), list(result.unexpected_keys)
            return result

        nn.Module.load_state_dict = load  # type: ignore[method-assign, assignment]
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, _: TracebackType | None) -> None:
        nn.Module.load_state_dict = self._original  # type: ignore[method-assign]
        socket.setdefaulttimeout(self._timeout)
        if isinstance(fault, Exception) and not isinstance(fault, OsteonError) and self._weights.tag != "none":
            raise OsteonError(self._explain(fault)) from fault

    def report(self, network: nn.Module) -> str:
        """Return in words what was used, e.g. "densenet121.ra_in1k: 725 of 725 tensors, 100.0 % of the numbers".

        Raises:
            OsteonError: the weights hold less than 90 % of what the network needs.
        """
        if self._missing is None:  # no weights, or a format that timm copies tensor by tensor and checks itself
            return "" if self._weights.tag == "none" else f"{self._weights.tag}: loaded by the model's own reader"
        state: dict[str, Tensor] = {
            key: value for key, value in network.state_dict().items() if value.is_floating_point()
        }
        missing = [key for key in self._missing if key in state]
        share = 1.0 - sum(state[key].numel() for key in missing) / sum(value.numel() for value in state.values())
        said = (
            f"{self._weights.tag}: {len(state) - len(missing)} of {len(state)} tensors, {share:.1%} of the numbers"
            f"{_some('; not in the weights', missing)}{_some('; ignored', self._ignored)}"
        )
        if share < ENOUGH:
            raise OsteonError(
                f"backbone.pretrained_path: the weights do not fit {self._name} ({said}). Expected at least "
                f"{ENOUGH:.0%}: choose the backbone.name they were trained as, or other weights."
            )
        return said

    def _explain(self, fault: Exception) -> str:
        if not self._weights.tag.startswith("file:"):
            reason = f"the weights {self._weights.tag} could not be loaded ({_short(fault)})"
            return f"backbone.pretrained: {reason}. {WAYS_OUT}"
        if "weights_only" in str(fault):
            return (
                f"backbone.pretrained_path: {self._weights.tag} is damaged, or holds more than weights, which could "
                "run code. Where you trust it, save the weights alone: torch.save(model.state_dict(), <file>)."
            )
        return (
            f"backbone.pretrained_path: {self._weights.tag} could not be loaded into {self._name} ({_short(fault)}). "
            "Expected a state dict of that very model, as timm saves it."
        )


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
            f"backbone.pretrained: the weights {tag} could not be fetched from the hub ({_short(fault)}). {WAYS_OUT}"
        ) from fault


def _short(fault: Exception) -> str:
    text = " ".join(str(fault).split()) or type(fault).__name__
    return text if len(text) <= 300 else f"{text[:300]}..."


def _some(words: str, keys: list[str]) -> str:
    return f"{words}: {', '.join(keys[:3])}{f' and {len(keys) - 3} more' if len(keys) > 3 else ''}" if keys else ""
