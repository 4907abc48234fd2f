"""Batch norm, where rows see one another: frozen, or shared by the processes of a run."""

from collections.abc import Iterator
from typing import Any, cast

from timm.layers.norm_act import convert_sync_batchnorm
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from osteon.model import Model


def batch_norms(module: nn.Module) -> Iterator[_BatchNorm]:
    """Yield every layer whose output for a row depends on the other rows of a training batch."""
    return (child for child in module.modules() if isinstance(child, _BatchNorm))


def freeze_norms(model: Model) -> int:
    """Let the backbone's batch norm learn nothing, and return how many layers that are; see also `hold_norms`."""
    norms = list(batch_norms(model.backbone))
    for norm in norms:
        for parameter in norm.parameters():
            parameter.requires_grad_(False)
    return len(norms)


def hold_norms(model: Model) -> None:
    """Let the backbone's batch norm use the statistics it has; to be called whenever the model is put to training."""
    for norm in batch_norms(model.backbone):
        norm.eval()


def synchronise_norms(model: Model) -> Model:
    """Return the model with batch norm over all processes; on CUDA only, CPUs have none.

    By timm's converter: torch's own drops the activation that timm's networks keep inside their batch norm.
    """
    return cast(Model, cast(Any, convert_sync_batchnorm)(model))
