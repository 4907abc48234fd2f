"""Watching timm load weights: what of them fitted, and what to say when they did not."""

import socket
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from torch import Tensor, nn

from osteon.backbone.weights import TIMEOUT, WAYS_OUT, Weights, short
from osteon.errors import OsteonError

ENOUGH = 0.9  # share of a network's numbers that weights must provide


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
            reason = f"the weights {self._weights.tag} could not be loaded ({short(fault)})"
            return f"backbone.pretrained: {reason}. {WAYS_OUT}"
        if "weights_only" in str(fault):
            return (
                f"backbone.pretrained_path: {self._weights.tag} is damaged, or holds more than weights, which could "
                "run code. Where you trust it, save the weights alone: torch.save(model.state_dict(), <file>)."
            )
        return (
            f"backbone.pretrained_path: {self._weights.tag} could not be loaded into {self._name} ({short(fault)}). "
            "Expected a state dict of that very model, as timm saves it."
        )


def _some(words: str, keys: list[str]) -> str:
    return f"{words}: {', '.join(keys[:3])}{f' and {len(keys) - 3} more' if len(keys) > 3 else ''}" if keys else ""
