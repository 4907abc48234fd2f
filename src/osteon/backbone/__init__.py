"""Any timm model -> (pyramid, vector), for images of one channel."""

import dataclasses
from typing import Any

import timm
from torch import nn

from osteon.backbone.loading import Loading
from osteon.backbone.network import BackboneModule, Features
from osteon.backbone.weights import Weights, choose_weights
from osteon.config import Backbone
from osteon.config.names import check_backbone_name
from osteon.errors import OsteonError

__all__ = ["BackboneModule", "Features", "create_backbone", "default_image_size"]

# What Osteon itself tells timm, and what would turn the model into something without pyramid and vector.
RESERVED = frozenset(
    (
        *("pretrained", "pretrained_cfg", "pretrained_cfg_overlay", "checkpoint_path", "cache_dir", "features_only"),
        *("out_indices", "in_chans", "num_classes", "img_size", "scriptable", "exportable", "no_jit"),
    )
)


def default_image_size(name: str) -> tuple[int, int]:
    """Return (height, width) in pixels that `name` was pretrained at, without building it.

    Raises:
        OsteonError: no such model; names `backbone.name`.
    """
    check_backbone_name(name)
    height, width = _pretrained_cfg(name)["input_size"][-2:]
    return int(height), int(width)


def create_backbone(spec: Backbone, size: tuple[int, int], pretrained: bool) -> BackboneModule:
    """Build a backbone for images of `size` (height, width).

    Args:
        spec: name, weights file and further arguments of timm.
        size: the run's image size in pixels; a network of fixed size (ViT, Swin, MaxViT) is built for it.
        pretrained: whether to fetch timm's weights; a `spec.pretrained_path` is used in their place.

    Raises:
        OsteonError: an unknown name or option, weights that are not there, cannot be fetched or do not fit, or a size
            the network cannot take. Never falls back to random weights.
    """
    check_backbone_name(spec.name)
    cfg = _pretrained_cfg(spec.name)
    weights = choose_weights(spec, cfg, pretrained)
    with Loading(spec.name, weights) as loading:
        network = _build(spec, cfg, size, weights)
    report = loading.report(network)
    return BackboneModule(network, spec.name, size, cfg["mean"], cfg["std"], weights.tag, report)


def _pretrained_cfg(name: str) -> dict[str, Any]:
    # Some architectures have no entry of their own: timm then builds them with its defaults (3 x 224 x 224, ImageNet).
    found = timm.get_pretrained_cfg(name) or timm.models.PretrainedCfg()
    return {field.name: getattr(found, field.name) for field in dataclasses.fields(found)}


def _build(spec: Backbone, cfg: dict[str, Any], size: tuple[int, int], weights: Weights) -> nn.Module:
    taken = sorted(RESERVED & set(spec.options))
    if taken:
        raise OsteonError(f"backbone.options: {', '.join(taken)} is set by Osteon itself. Remove it.")
    told: dict[str, Any] = {"in_chans": 1, "num_classes": 0, **weights.arguments, **spec.options}
    if cfg["fixed_input_size"]:
        told["img_size"] = size
    try:
        network: nn.Module = timm.create_model(spec.name, **told)
    except Exception as fault:  # every family checks its arguments in its own way
        explained = _explain(fault, spec, size, cfg, weights.tag != "none")
        if explained is None:
            raise
        raise explained from fault
    return network


def _explain(
    fault: Exception, spec: Backbone, size: tuple[int, int], cfg: dict[str, Any], loading: bool
) -> OsteonError | None:
    """Say what in the config made timm refuse; None where it was the loading of weights that failed."""
    if isinstance(fault, TypeError) and (not loading or "keyword argument" in str(fault)):
        return OsteonError(
            f"backbone.options: {spec.name} does not take {spec.options} ({fault}). "
            "Expected arguments of the model's class in timm, such as drop_path_rate: 0.1."
        )
    if loading and not isinstance(fault, AssertionError | ValueError):
        return None
    return OsteonError(
        f"backbone: {spec.name} cannot be built for data.image_size {size[0]}x{size[1]} with options {spec.options} "
        f"({str(fault) or type(fault).__name__}). Its own size is {'x'.join(map(str, cfg['input_size'][-2:]))}."
    )
