"""A network's layers from the bottom to the top, as timm divides any of its models."""

from types import SimpleNamespace
from typing import Any, cast

from timm.models import group_parameters
from torch import nn

from osteon.errors import OsteonError

ABOVE = "osteon head"  # a name that no pattern of timm's matches; it falls where timm puts a classifier


def layer_of(network: nn.Module, coarse: bool = False) -> tuple[dict[str, int], int]:
    """Return parameter name -> layer, counted from 0 at the stem, and the layer of a head on top of the network.

    A final norm that timm counts with its classifier has the head's layer.

    Args:
        network: a timm model, with or without classifier.
        coarse: stages rather than single blocks.

    Raises:
        OsteonError: a model that timm cannot divide; names the settings that need it.
    """
    if not hasattr(network, "group_matcher"):
        raise OsteonError(
            f"backbone.name: timm does not divide {type(network).__name__} into layers. "
            "Set optimizer.layer_decay=null and training.unfreeze=all or head, or choose another backbone."
        )
    names = [*(name for name, _ in network.named_parameters()), ABOVE]
    matcher = cast(Any, network).group_matcher(coarse=coarse)
    crowned = cast(nn.Module, SimpleNamespace(named_parameters=lambda: ((name, None) for name in names)))
    layers = cast(dict[str, int], group_parameters(crowned, matcher, reverse=True))
    top = layers.pop(ABOVE)
    return {name: layers.get(name, top) for name in names[:-1]}, top


def layer_groups(network: nn.Module, coarse: bool = False) -> list[list[str]]:
    """Return the parameters' names by layer, from the stem to the top; no group is empty. Raises as `layer_of`."""
    layers, top = layer_of(network, coarse)
    groups = [[name for name, layer in layers.items() if layer == at] for at in range(top + 1)]
    return [group for group in groups if group]
